/*
 * retelling.c: which sockets of a recording belong to which finding.
 */
#include "retelling.h"

#include <string.h>

#include "calls.h"

static uint64_t since(const struct cg_recording *recording, uint64_t then_ns)
{
	return then_ns && then_ns < recording->as_of_ns ? recording->as_of_ns - then_ns : 0;
}

static bool is_told(const struct cg_slot *slot)
{
	return slot->flags & (CG_SLOT_EOF | CG_SLOT_ERROR);
}

static bool same_places(const struct cg_kept_finding *a, const struct cg_kept_finding *b)
{
	return a->open_stack == b->open_stack && a->eof_stack == b->eof_stack && a->last_use == b->last_use &&
	       strcmp(a->label, b->label) == 0;
}

static const char *label_of(const struct cg_recording *recording, const struct cg_slot *slot)
{
	for (unsigned i = 0; (slot->flags & CG_SLOT_LABELLED) && i < CG_MAX_LABELS; i++)
		if (recording->labels[i].conn == slot->conn)
			return recording->labels[i].text;
	return "";
}

/* The keys of shim/group.c. */
static bool belongs(const struct cg_kept_finding *kept, const struct cg_slot *slot, const char *label)
{
	if (kept->cause == CG_CAUSE_CONNECT_FAILED && !(slot->flags & CG_SLOT_CONNECT))
		return false;
	return strcmp(kept->label, label) == 0 && kept->open_stack == slot->open_stack &&
	       kept->eof_stack == (is_told(slot) ? slot->eof_stack : 0) &&
	       (kept->cause == CG_CAUSE_FIN_UNREAD || kept->last_use == slot->last_use);
}

static bool is_about_sockets(const struct cg_kept_finding *kept)
{
	return kept->kind < CG_KIND_RESET_ON_CLOSE && kept->cause != CG_CAUSE_LATE_CLOSE &&
	       kept->cause != CG_CAUSE_NEVER_ACCEPTED;
}

/* Keeps the oldest: a group may have ripened while others of its place had not. */
static void add_socket(struct cg_retold *retold, const struct cg_retold_socket *socket)
{
	unsigned most = retold->kept.count < CG_SOCKETS_SHOWN ? retold->kept.count : CG_SOCKETS_SHOWN, at;
	for (at = 0; at < retold->shown && retold->sockets[at].age_ns >= socket->age_ns; at++)
		;
	if (at >= most)
		return;
	if (retold->shown < most)
		retold->shown++;
	memmove(&retold->sockets[at + 1], &retold->sockets[at], (retold->shown - at - 1) * sizeof retold->sockets[0]);
	retold->sockets[at] = *socket;
}

/* The end was read through a descriptor that is closed, and this is a dup of it. */
static void learn_from_departed(const struct cg_recording *recording, struct cg_slot *slot)
{
	if (!(slot->flags & CG_SLOT_DUPPED) || (slot->flags & CG_SLOT_EOF))
		return;
	for (unsigned i = 0; i < CG_MAX_DEPARTED; i++) {
		const struct cg_slot *was = &recording->departed[i].slot;
		if (!slot->conn || recording->departed[i].conn != slot->conn || !(was->flags & CG_SLOT_EOF))
			continue;
		slot->eof_ns = was->eof_ns;
		slot->eof_stack = was->eof_stack;
		slot->eof_tid = was->eof_tid;
		slot->eof_call = was->eof_call;
		slot->close_ns = was->close_ns;
		slot->close_stack = was->close_stack;
		slot->close_call = was->close_call;
		slot->flags |= CG_SLOT_EOF;
		return;
	}
}

static void sort_in(struct cg_retelling *retelling, int fd, const struct cg_slot *slot)
{
	struct cg_retold_socket socket = {.fd = fd, .slot = *slot, .age_source = CG_AGE_FIRST_SEEN};
	uint64_t told = is_told(slot) ? since(retelling->recording, slot->eof_ns) : 0;
	socket.age_ns = since(retelling->recording, slot->first_seen_ns);
	if (told && told >= socket.age_ns) {
		socket.age_ns = told;
		socket.age_source = CG_AGE_EOF;
	}
	const char *label = label_of(retelling->recording, slot);
	struct cg_retold *found = NULL;
	for (unsigned i = 0; i < retelling->count; i++) {
		struct cg_retold *retold = &retelling->findings[i];
		bool departed = retold->kept.cause == CG_CAUSE_SHARED && fd < 0;
		bool any_use = found && retold->kept.cause == CG_CAUSE_FIN_UNREAD;
		if (is_about_sockets(&retold->kept) && !retold->ambiguous && (departed || fd >= 0) && !any_use &&
		    belongs(&retold->kept, slot, label) && (!found || found->kept.cause == CG_CAUSE_FIN_UNREAD))
			found = retold; /* one that asks for this very last use is the better fit */
	}
	if (found)
		add_socket(found, &socket);
}

static void note_listener(struct cg_retelling *retelling, const struct cg_slot *slot)
{
	for (unsigned i = 0; i < retelling->count; i++) {
		struct cg_retold *retold = &retelling->findings[i];
		if (retold->kept.cause == CG_CAUSE_NEVER_ACCEPTED && retold->kept.open_stack == slot->open_stack)
			retold->listener = *slot;
	}
}

/* A connection nobody was told of and no sweep found closable is none that a finding is about. */
static void visit_slot(int fd, const struct cg_slot *slot, void *context)
{
	struct cg_retelling *retelling = context;
	struct cg_slot copy = *slot;
	if (slot->kind == CG_FD_LISTENER)
		note_listener(retelling, slot);
	if (slot->kind != CG_FD_CONN || (slot->flags & CG_SLOT_IGNORED))
		return;
	learn_from_departed(retelling->recording, &copy);
	if (is_told(&copy) || copy.first_seen_ns)
		sort_in(retelling, fd, &copy);
}

static void find_ambiguous(struct cg_retelling *retelling)
{
	for (unsigned i = 0; i < retelling->count; i++)
		for (unsigned j = 0; j < i; j++) {
			struct cg_retold *a = &retelling->findings[i], *b = &retelling->findings[j];
			if (!is_about_sockets(&a->kept) || !is_about_sockets(&b->kept) ||
			    !same_places(&a->kept, &b->kept))
				continue;
			a->ambiguous = b->ambiguous = true;
		}
}

void cg_retelling_begin(struct cg_recording *recording, struct cg_retelling *ret)
{
	memset(ret, 0, sizeof *ret);
	ret->recording = recording;
	for (unsigned i = 0; i < CG_MAX_FINDINGS; i++)
		ret->count += cg_recording_finding(recording, i, &ret->findings[ret->count].kept);
	find_ambiguous(ret);
	if (!ret->count)
		return;
	cg_recording_slots(recording, visit_slot, ret);
	for (unsigned i = 0; i < CG_MAX_DEPARTED; i++)
		if (recording->departed[i].conn && !(recording->departed[i].gen & 1))
			sort_in(ret, -1, &recording->departed[i].slot);
}

void cg_retelling_summary(const struct cg_retelling *retelling, struct cg_summary *ret)
{
	const struct cg_recording *recording = retelling->recording;
	const struct cg_header *h = &recording->header;
	*ret = (struct cg_summary){
	    .reason = "recorder",
	    .opened = h->count.opened,
	    .closed = h->count.closed,
	    .eofs = h->count.eofs,
	    .open_now = h->open_now,
	    .double_closes = h->count.double_closes,
	    .uses_after_close = h->count.uses_after_close,
	    .adopted = h->count.adopted,
	    .findings = h->count.findings,
	    .leaks_told = h->count.leaks_told,
	    .sweeps = h->count.sweeps,
	    .sweep_cpu_ns = h->count.sweep_ns,
	    .uptime_ns = since(recording, h->start_ns),
	    .unseen_descriptors = h->count.beyond_limit,
	    .stack_overflows = h->count.stack_overflows,
	    .groups = retelling->count,
	};
	for (unsigned i = 0; i < CG_MAX_SITES; i++) {
		ret->closed_in_time += recording->sites[i].closed_in_time;
		ret->closed_late += recording->sites[i].closed_late;
	}
}
