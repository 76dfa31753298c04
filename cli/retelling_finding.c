/*
 * retelling_finding.c: fills in what printers show of a finding of a recording, as shim/finding.c does of a live one.
 */
#include <string.h>

#include "calls.h"
#include "open_places.h"
#include "cli.h"
#include "detect_event.h"
#include "detect_growth.h"
#include "naming.h"
#include "retelling.h"

static uint64_t since(const struct cg_recording *recording, uint64_t then_ns)
{
	return then_ns && then_ns < recording->as_of_ns ? recording->as_of_ns - then_ns : 0;
}

static void set_place(struct cg_recording *recording, struct cg_place *place, unsigned call, uint32_t tid,
                      uint64_t then_ns, uint32_t stack)
{
	place->known = true;
	place->call = call;
	recording->unknown_calls += !cg_call_known(call);
	place->age_ns = since(recording, then_ns);
	if (tid)
		cg_naming_thread(recording, tid, place->thread);
	cg_recording_stack(recording, stack, place);
}

static void set_last_use(struct cg_recording *recording, struct cg_place *place, const struct cg_slot *slot)
{
	const struct cg_header *h = &recording->header;
	if (!slot->last_use)
		return;
	set_place(recording, place, (unsigned)(slot->last_use >> 56), slot->last_tid,
	          h->start_ns + slot->last_tick * 100000000ull, 0);
	place->ip[0] = slot->last_use & ((1ull << 56) - 1);
	place->depth = 1;
	place->generation = h->module_generation;
	if (!slot->close_ns && slot->use_stack)
		cg_recording_stack(recording, slot->use_stack, place);
}

/* As in shim/finding.c. */
static void complete_last_use(struct cg_recording *recording, const struct cg_retold *retold, struct cg_finding *ret)
{
	for (unsigned i = 0; i < retold->shown && ret->last_use.known && ret->last_use.depth == 1; i++)
		if (retold->sockets[i].slot.last_use == retold->sockets[0].slot.last_use)
			set_last_use(recording, &ret->last_use, &retold->sockets[i].slot);
}

static void set_places(struct cg_recording *recording, const struct cg_slot *slot, struct cg_finding *ret)
{
	if (slot->open_call != CG_CALL_NONE && slot->open_call != CG_CALL_adopted)
		set_place(recording, &ret->opened, slot->open_call, slot->open_tid, slot->open_ns, slot->open_stack);
	if (slot->conn_stack)
		set_place(recording, &ret->connected, CG_CALL_connect, slot->open_tid, 0, slot->conn_stack);
	if (slot->flags & (CG_SLOT_EOF | CG_SLOT_ERROR))
		set_place(recording, &ret->eof, slot->eof_call, slot->eof_tid, slot->eof_ns, slot->eof_stack);
	if (slot->shut_ns && (ret->kind == CG_KIND_FIN_WAIT2 || ret->kind == CG_KIND_DEAD_SOCKET))
		set_place(recording, &ret->shut, CG_CALL_shutdown, slot->shut_tid, slot->shut_ns, slot->shut_stack);
	if (slot->close_ns)
		set_place(recording, &ret->closed, slot->close_call, slot->close_tid, slot->close_ns,
		          slot->close_stack);
	set_last_use(recording, &ret->last_use, slot);
}

static bool may_be_shared(const struct cg_slot *slot)
{
	uint32_t flags = CG_SLOT_INHERITED | CG_SLOT_DUPPED | CG_SLOT_SENT;
	return slot->origin != CG_ORIGIN_SEEN || (slot->flags & flags);
}

/* What only the process itself can ask for (epoll, other holders) stays unknown; of a dead one, the kernel's word too.
 */
static void set_socket(const struct cg_retold_socket *socket, struct cg_socket_view *view)
{
	bool fin = socket->tcp.state == CG_TCP_CLOSE_WAIT && socket->tcp.rqueue > 0;
	*view = (struct cg_socket_view){.fd = socket->fd,
	                                .tcp = socket->tcp,
	                                .age_ns = socket->age_ns,
	                                .age_source = socket->age_source,
	                                .has_unread = socket->tcp.has_queues,
	                                .unread_bytes = socket->tcp.rqueue - (fin ? 1 : 0),
	                                .has_unsent = socket->tcp.has_queues,
	                                .unsent_bytes = socket->tcp.wqueue,
	                                .polled_by = -2,
	                                .holders_unknown = may_be_shared(&socket->slot)};
	view->tcp.inode = socket->slot.inode;
}

static void set_sockets(const struct cg_retold *retold, struct cg_finding *ret)
{
	for (unsigned i = 0; i < retold->shown; i++)
		set_socket(&retold->sockets[i], &ret->sockets[i]);
	ret->socket_count = retold->shown;
}

/* The most frequent one is all that is kept. */
static void set_peer(const struct cg_kept_finding *kept, struct cg_finding *ret)
{
	struct cg_peer *peer = &ret->peers[0];
	if (!kept->peer.count || !kept->peer.family)
		return;
	ret->peer_count = 1;
	peer->count = kept->peer.count;
	peer->addr = (struct cg_addr){.family = kept->peer.family, .port = kept->peer.port};
	memcpy(peer->addr.bytes, kept->peer.bytes, sizeof peer->addr.bytes);
	ret->other_peers = kept->count > peer->count ? kept->count - peer->count : 0;
}

/* Which places in the code hold most of what is open. */
static void set_exhaustion(struct cg_recording *recording, struct cg_finding *ret)
{
	struct cg_open_places list = {0};
	memset(&ret->opened, 0, sizeof ret->opened);
	ret->open_fds = recording->header.open_now;
	for (unsigned i = 0; i < CG_MAX_SITES; i++)
		cg_open_places_enter(&list, &recording->sites[i]);
	ret->open_place_count = list.count;
	for (unsigned i = 0; i < list.count; i++) {
		ret->open_places[i].open = cg_open_places_at(list.sites[i]);
		set_place(recording, &ret->open_places[i].place, CG_CALL_NONE, 0, 0, list.sites[i]->stack);
	}
	if (list.count)
		set_place(recording, &ret->opened, ret->here.call, 0, 0, list.sites[0]->stack);
}

/* The places are the last event's, the age the first one's, as far as the ring still has them. */
static bool set_from_events(struct cg_recording *recording, const struct cg_kept_finding *kept, struct cg_finding *ret)
{
	const struct cg_event *last = NULL;
	for (unsigned i = 0; i < CG_MAX_EVENTS; i++) {
		const struct cg_event *event = &recording->events[i];
		if (!cg_event_is_of(event, kept))
			continue;
		uint64_t age = since(recording, event->ns);
		ret->oldest_age_ns = age > ret->oldest_age_ns ? age : ret->oldest_age_ns;
		last = !last || event->seq > last->seq ? event : last;
	}
	if (!last)
		return false;
	set_places(recording, &last->slot, ret);
	ret->error = last->error;
	if (ret->kind != CG_KIND_CLOSE_WAIT)
		set_place(recording, &ret->here, last->call, last->tid, last->ns, last->stack);
	if (ret->kind == CG_KIND_FD_EXHAUSTION)
		set_exhaustion(recording, ret);
	return true;
}

/* No socket and no event is left of it: the stacks are. */
static void set_from_kept(struct cg_recording *recording, const struct cg_kept_finding *kept, struct cg_finding *ret)
{
	struct cg_place *second = kept->kind < CG_KIND_RESET_ON_CLOSE ? &ret->eof : &ret->here;
	struct cg_slot last = {.last_use = kept->last_use};
	if (kept->open_stack)
		set_place(recording, &ret->opened, kept->open_call, 0, 0, kept->open_stack);
	if (kept->eof_stack)
		set_place(recording, second, kept->eof_call, 0, 0, kept->eof_stack);
	set_last_use(recording, &ret->last_use, &last);
	ret->last_use.age_ns = 0;
}

static void set_history(const struct cg_recording *recording, uint32_t open_stack, struct cg_finding *ret)
{
	const struct cg_site *site = cg_recording_site(recording, open_stack);
	if (!site)
		return;
	ret->has_history = true;
	cg_detect_history(site, &ret->history);
}

/* Who polls a socket is known of what was told, and what to do depends on it. */
static const char *advice_for(const struct cg_finding *finding, unsigned hint)
{
	if (hint == CG_HINT_UNKNOWN && finding->cause == CG_CAUSE_FIN_UNREAD && finding->verdict == CG_VERDICT_LEAK)
		return "whether it is polled is not in a recorder: if it is, look for a blocked event loop or handler; "
		       "if not, an idle pool or cache keeps it and wants an idle timeout below the peer's";
	return cg_finding_advice(finding, hint);
}

void cg_retelling_make(const struct cg_retelling *retelling, unsigned i, struct cg_finding *ret)
{
	struct cg_recording *recording = retelling->recording;
	const struct cg_retold *retold = &retelling->findings[i];
	const struct cg_kept_finding *kept = &retold->kept;
	memset(ret, 0, sizeof *ret);
	ret->kind = (enum cg_kind)kept->kind;
	ret->cause = (enum cg_cause)kept->cause;
	ret->verdict = (enum cg_verdict)kept->verdict;
	ret->confidence = kept->confidence;
	ret->count = kept->count;
	ret->oldest_age_ns = kept->oldest_ns;
	ret->origin = kept->origin;
	ret->site_ip = kept->site_ip;
	ret->site_generation = kept->site_generation;
	memcpy(ret->label, kept->label, sizeof ret->label);
	if (kept->suppressed)
		(void)cg_common_print(ret->suppressed, sizeof ret->suppressed,
		                      kept->suppressed == CG_SUPPRESSED_AS_SHIPPED
		                          ? "what closeguard knows to be nobody's bug (CLOSEGUARD_SUPPRESS=off)"
		                          : "the reason is in the policy, not in a recorder");
	if (retold->shown) {
		set_places(recording, &retold->sockets[0].slot, ret);
		complete_last_use(recording, retold, ret);
	} else if (retold->listener.kind == CG_FD_LISTENER)
		set_places(recording, &retold->listener, ret);
	else if (!set_from_events(recording, kept, ret))
		set_from_kept(recording, kept, ret);
	if (kept->first_ns)
		ret->oldest_age_ns = since(recording, kept->first_ns);
	set_sockets(retold, ret);
	set_peer(kept, ret);
	if (ret->kind != CG_KIND_FD_EXHAUSTION)
		set_history(recording, kept->open_stack, ret);
	ret->has_growth = cg_growth_per_minute(kept, recording->as_of_ns, &ret->growth);
	ret->hint = kept->hint;
	ret->advice = advice_for(ret, kept->hint);
}
