/* finding.c: gathers what is to be told of a group. */
#include "finding.h"

#include <string.h>

#include "calls.h"
#include "exhaustion.h"
#include "finding_peers.h"
#include "detect_growth.h"
#include "procfs.h"
#include "recorder.h"
#include "stack.h"
#include "sys.h"
#include "track.h"

static uint64_t since(const struct cg_sweep *sweep, uint64_t then_ns)
{
	return then_ns && then_ns < sweep->now_ns ? sweep->now_ns - then_ns : 0;
}

static void set_stack(struct cg_place *place, uint32_t id)
{
	struct cg_stack_copy stack;
	if (!cg_stack_read(id, &stack))
		return;
	place->depth = stack.depth;
	place->stack_flags = stack.flags;
	place->generation = stack.generation;
	memcpy(place->ip, stack.ip, stack.depth * sizeof place->ip[0]);
}

static void set_place(const struct cg_sweep *sweep, struct cg_place *place, unsigned call, uint32_t tid,
                      uint64_t then_ns, uint32_t stack)
{
	place->known = true;
	place->call = call;
	place->age_ns = since(sweep, then_ns);
	if (tid)
		cg_proc_thread_name((pid_t)tid, place->thread);
	set_stack(place, stack);
}

static void set_use(struct cg_place *place, uint64_t use)
{
	place->known = true;
	place->call = (unsigned)(use >> 56);
	place->ip[0] = use & ((1ull << 56) - 1);
	place->depth = 1;
	place->generation = atomic_load(&cg_recorder_header()->module_generation);
}

static void set_last_use(const struct cg_sweep *sweep, struct cg_place *place, const struct cg_slot *slot)
{
	struct cg_header *h = cg_recorder_header();
	uint64_t use = atomic_load(&slot->last_use);
	if (!use)
		return;
	set_place(sweep, place, (unsigned)(use >> 56), atomic_load(&slot->last_tid),
	          h->start_ns + atomic_load(&slot->last_tick) * 100000000ull, 0);
	set_use(place, use);
	if (!slot->close_ns && atomic_load(&slot->use_stack))
		set_stack(place, atomic_load(&slot->use_stack));
}

/* Another one's stack of the same use is as good: they are one group. */
static void complete_last_use(const struct cg_sweep *sweep, const struct cg_group *group, struct cg_finding *ret)
{
	uint64_t use = atomic_load(&group->oldest->facts.slot.last_use);
	for (unsigned i = 0; i < group->shown && ret->last_use.known && ret->last_use.depth == 1; i++) {
		const struct cg_slot *slot = &group->sockets[i]->facts.slot;
		if (atomic_load(&slot->last_use) == use)
			set_last_use(sweep, &ret->last_use, slot);
	}
}

static void set_places(const struct cg_sweep *sweep, const struct cg_slot *slot, struct cg_finding *ret)
{
	uint32_t flags = atomic_load(&slot->flags);
	bool seen_opening = slot->open_call != CG_CALL_NONE && slot->open_call != CG_CALL_adopted;
	ret->origin = slot->origin;
	if (seen_opening)
		set_place(sweep, &ret->opened, slot->open_call, slot->open_tid, slot->open_ns, slot->open_stack);
	if (slot->conn_stack)
		set_place(sweep, &ret->connected, CG_CALL_connect, slot->open_tid, 0, slot->conn_stack);
	if (flags & (CG_SLOT_EOF | CG_SLOT_ERROR))
		set_place(sweep, &ret->eof, slot->eof_call, slot->eof_tid, slot->eof_ns, slot->eof_stack);
	if (slot->shut_ns && (ret->kind == CG_KIND_FIN_WAIT2 || ret->kind == CG_KIND_DEAD_SOCKET))
		set_place(sweep, &ret->shut, CG_CALL_shutdown, slot->shut_tid, slot->shut_ns, slot->shut_stack);
	if (slot->close_ns)
		set_place(sweep, &ret->closed, slot->close_call, slot->close_tid, slot->close_ns, slot->close_stack);
	set_last_use(sweep, &ret->last_use, slot);
}

/* Unread data and, in CLOSE_WAIT, an unread FIN are in rqueue; SIOCINQ leaves the FIN out by itself. */
static void set_queues(const struct cg_suspect *c, struct cg_socket_view *view)
{
	const struct cg_tcp *tcp = &c->facts.tcp;
	bool fin = tcp->has_queues && tcp->state == CG_TCP_CLOSE_WAIT && tcp->rqueue > 0;
	view->has_unread = tcp->has_queues || c->facts.fd >= 0;
	view->unread_bytes = tcp->rqueue - (fin ? 1 : 0);
	view->has_unsent = tcp->has_queues;
	view->unsent_bytes = tcp->wqueue;
}

static void set_socket(const struct cg_suspect *c, struct cg_socket_view *view)
{
	view->fd = c->facts.fd;
	view->tcp = c->facts.tcp;
	if (!view->tcp.inode)
		view->tcp.inode = c->facts.slot.inode;
	view->age_ns = c->judgement.age_ns;
	view->age_max_ns = c->judgement.age_max_ns;
	view->age_source = c->judgement.age_source;
	set_queues(c, view);
	view->polled_by = c->facts.fd >= 0 ? c->polled_by : -1;
	if (c->facts.in_backlog)
		return; /* nobody holds it; who could accept it was asked for another reason */
	view->holders = c->holders;
	bool known = c->asked ? c->held == CG_HELD_YES || c->held == CG_HELD_NO : !cg_suspects_may_be_shared(c);
	view->holders_unknown = !known;
	memcpy(view->shared_with, c->shared_with, sizeof view->shared_with);
	for (unsigned i = 0; i < c->holders && i < CG_HOLDERS_SHOWN; i++)
		cg_proc_command(c->shared_with[i], view->commands[i]);
}

static void set_sockets(struct cg_sweep *sweep, const struct cg_group *group, struct cg_finding *ret)
{
	cg_suspects_find_polls(sweep);
	for (unsigned i = 0; i < group->shown; i++)
		set_socket(group->sockets[i], &ret->sockets[i]);
	ret->socket_count = group->shown;
}

static void set_from_event(struct cg_sweep *sweep, const struct cg_group *group, struct cg_finding *ret)
{
	const struct cg_event *event = &group->event;
	set_places(sweep, &event->slot, ret);
	ret->oldest_age_ns = since(sweep, group->kept->first_ns);
	ret->error = event->error;
	if (ret->kind != CG_KIND_CLOSE_WAIT)
		set_place(sweep, &ret->here, event->call, event->tid, event->ns, event->stack);
	if (ret->kind == CG_KIND_FD_EXHAUSTION) {
		memset(&ret->opened, 0, sizeof ret->opened);
		cg_exhaustion_set(sweep, ret);
	}
}

static void set_from_kept(const struct cg_sweep *sweep, const struct cg_kept_finding *kept, struct cg_finding *ret)
{
	ret->origin = kept->origin;
	if (kept->open_stack)
		set_place(sweep, &ret->opened, kept->open_call, 0, 0, kept->open_stack);
	struct cg_place *second = kept->kind < CG_KIND_RESET_ON_CLOSE ? &ret->eof : &ret->here;
	if (kept->eof_stack)
		set_place(sweep, second, kept->eof_call, 0, 0, kept->eof_stack);
	if (kept->last_use)
		set_use(&ret->last_use, kept->last_use);
	ret->oldest_age_ns = kept->first_ns ? since(sweep, kept->first_ns) : kept->oldest_ns;
}

/* Not of this sweep: what the last event was is in the ring still, or its stacks are all that is left. */
static void set_from_before(struct cg_sweep *sweep, struct cg_kept_finding *kept, struct cg_finding *ret)
{
	struct cg_group group = {.kept = kept, .is_event = true};
	if (cg_group_last_event(kept, &group.event))
		set_from_event(sweep, &group, ret);
	else
		set_from_kept(sweep, kept, ret);
}

static void set_history(uint32_t open_stack, struct cg_finding *ret)
{
	struct cg_site *site = cg_track_site(open_stack, false);
	if (!site)
		return;
	ret->has_history = true;
	cg_detect_history(site, &ret->history);
}

/* The mistake of many a forking server: what the child serves and closes, the parent holds for ever. */
static bool was_left_to_a_child(const struct cg_suspect *oldest, const struct cg_finding *finding)
{
	return finding->cause == CG_CAUSE_EOF_IGNORED && !finding->eof.known && !finding->last_use.known &&
	       oldest->facts.has_slot && oldest->facts.slot.origin == CG_ORIGIN_SEEN &&
	       cg_track_forked_since(&oldest->facts.slot);
}

static enum cg_hint hint_of(const struct cg_suspect *oldest, bool polled, const struct cg_finding *finding)
{
	const struct cg_slot *slot = &oldest->facts.slot;
	bool used = atomic_load(&slot->last_use), accepted = oldest->facts.has_slot && slot->role == CG_ROLE_ACCEPTED;
	if (was_left_to_a_child(oldest, finding))
		return CG_HINT_FORKED;
	if (finding->cause == CG_CAUSE_EOF_IGNORED && cg_track_spins(slot))
		return CG_HINT_SPINNING;
	if (accepted &&
	    ((finding->cause == CG_CAUSE_FIN_UNREAD && !polled) || (finding->cause == CG_CAUSE_DATA_UNREAD && !used)))
		return used ? CG_HINT_HANDLER_BUSY : CG_HINT_UNUSED;
	return polled ? CG_HINT_POLLED : CG_HINT_NOT_POLLED;
}

void cg_finding_make(struct cg_sweep *sweep, struct cg_kept_finding *kept, const struct cg_group *group,
                     struct cg_finding *ret)
{
	bool polled = false;
	memset(ret, 0, sizeof *ret);
	ret->kind = (enum cg_kind)kept->kind;
	ret->cause = (enum cg_cause)kept->cause;
	ret->verdict = (enum cg_verdict)kept->verdict;
	ret->confidence = kept->confidence;
	ret->count = kept->count;
	ret->site_ip = kept->site_ip;
	ret->site_generation = kept->site_generation;
	memcpy(ret->label, kept->label, sizeof ret->label);
	ret->label[sizeof ret->label - 1] = '\0';
	if (group && group->is_event) {
		set_from_event(sweep, group, ret);
	} else if (group && group->oldest) {
		set_places(sweep, &group->oldest->facts.slot, ret);
		complete_last_use(sweep, group, ret);
		ret->oldest_age_ns = group->oldest->judgement.age_ns;
		if (!group->oldest->facts.has_slot)
			ret->origin = CG_ORIGIN_UNSEEN;
		set_sockets(sweep, group, ret);
		cg_finding_peers(kept, group, ret);
		for (unsigned i = 0; i < ret->socket_count; i++)
			polled |= ret->sockets[i].polled_by >= 0;
	} else {
		set_from_before(sweep, kept, ret);
	}
	if (ret->kind != CG_KIND_FD_EXHAUSTION)
		set_history(kept->open_stack, ret);
	ret->has_growth = cg_growth_per_minute(kept, sweep->now_ns, &ret->growth);
	ret->forecast_ns = ret->verdict == CG_VERDICT_LEAK ? sweep->forecast_ns : 0;
	if (group && !group->is_event && group->oldest)
		kept->hint = hint_of(group->oldest, polled, ret);
	if (group && ret->kind == CG_KIND_DOUBLE_CLOSE)
		kept->hint = cg_detect_stray_close(&group->event.slot, group->event.tid);
	ret->hint = kept->hint;
	ret->advice = cg_finding_advice(ret, kept->hint);
}
