/* suspects_collect.c: puts together which sockets are in a state to care about. */
#include <string.h>

#include "recorder.h"
#include "suspects.h"
#include "suspects_listing.h"
#include "suspects_parts.h"
#include "track.h"

static bool copy_slot(const struct cg_slot *slot, struct cg_slot *ret)
{
	for (int tries = 0; tries < 3; tries++) {
		uint32_t gen = atomic_load_explicit(&slot->gen, memory_order_acquire);
		memcpy(ret, slot, sizeof *ret);
		atomic_thread_fence(memory_order_acquire);
		if (!(gen & 1) && atomic_load_explicit(&slot->gen, memory_order_relaxed) == gen)
			return true;
	}
	return false;
}

struct cg_suspect *cg_suspects_add(struct cg_sweep *sweep, int fd, const struct cg_slot *slot, const struct cg_tcp *tcp)
{
	struct cg_suspect *c = cg_arena_alloc(&sweep->arena, sizeof *c);
	if (!c)
		return NULL;
	c->facts.fd = fd;
	c->facts.now_ns = sweep->now_ns;
	c->facts.warn_after_ns = sweep->warn_after_ns;
	c->facts.strict = sweep->strict;
	c->facts.passing_by = sweep->ending && atomic_load(&cg_recorder_header()->count.sweeps) == 0;
	c->facts.tcp = *tcp;
	c->own_fds = fd >= 0;
	if (slot && copy_slot(slot, &c->facts.slot))
		c->facts.has_slot = true;
	c->next = sweep->suspects;
	sweep->suspects = c;
	sweep->suspect_count++;
	return c;
}

void cg_suspects_closed_unseen(struct cg_sweep *sweep, struct cg_slot *slot, uint32_t gen)
{
	struct cg_header *h = cg_recorder_header();
	uint8_t kind = atomic_load(&slot->kind), none = CG_FD_NONE;
	uint32_t place = slot->open_stack;
	uint64_t closable = slot->first_seen_ns;
	sweep->outdated = true;
	if ((kind != CG_FD_CONN && kind != CG_FD_LISTENER) || atomic_load(&slot->gen) != gen ||
	    !atomic_compare_exchange_strong(&slot->kind, &kind, CG_FD_NONE))
		return;
	if (kind == CG_FD_CONN)
		cg_track_closed_unseen(place, closable, sweep->now_ns);
	/* The number may have been given out anew in this moment. */
	if (atomic_load(&slot->gen) == gen || !atomic_compare_exchange_strong(&slot->kind, &none, kind))
		atomic_fetch_sub(&h->open_now, 1);
}

static uint32_t flags_of(const struct cg_suspect *suspect)
{
	return atomic_load(&suspect->facts.slot.flags);
}

/* The one that was told of the end speaks for the socket, or else the one that was seen being opened. */
static void merge(struct cg_suspect *kept, const struct cg_suspect *other)
{
	bool told = flags_of(kept) & (CG_SLOT_EOF | CG_SLOT_ERROR),
	     other_told = flags_of(other) & (CG_SLOT_EOF | CG_SLOT_ERROR);
	uint32_t ignored = (flags_of(kept) | flags_of(other)) & CG_SLOT_IGNORED;
	bool better = told == other_told ? other->facts.slot.origin < kept->facts.slot.origin : other_told;
	if (better) {
		kept->facts.slot = other->facts.slot;
		kept->facts.fd = other->facts.fd;
	}
	atomic_fetch_or(&kept->facts.slot.flags, CG_SLOT_DUPPED | ignored);
	kept->own_fds += other->own_fds;
}

/* The same socket under several descriptors counts once. */
static void merge_dups(struct cg_sweep *sweep)
{
	size_t room = 16;
	while (room < 2 * (size_t)sweep->suspect_count)
		room *= 2;
	struct cg_suspect **seen = cg_arena_alloc(&sweep->arena, room * sizeof(struct cg_suspect *));
	for (struct cg_suspect **at = &sweep->suspects; seen && *at;) {
		struct cg_suspect *suspect = *at;
		uint64_t inode = suspect->facts.slot.inode;
		size_t place = inode * 0x9e3779b97f4a7c15u % room;
		while (inode && seen[place] && seen[place]->facts.slot.inode != inode)
			place = (place + 1) % room;
		if (inode && seen[place]) {
			merge(seen[place], suspect);
			*at = suspect->next;
			sweep->suspect_count--;
			continue;
		}
		if (inode)
			seen[place] = suspect;
		at = &suspect->next;
	}
}

static bool departed_are_due(struct cg_sweep *sweep)
{
	struct cg_header *h = cg_recorder_header();
	uint64_t period = sweep->warn_after_ns / 2 > 5000000000u ? 5000000000u : sweep->warn_after_ns / 2;
	bool due = sweep->thorough || sweep->departed_found || !sweep->departed_ns ||
	           sweep->now_ns - sweep->departed_ns >= period;
	if (!h || !atomic_load(&h->count.departed_seq) || !due)
		return false;
	sweep->departed_ns = sweep->now_ns;
	return true;
}

/* Under another number, which may not have been looked at. */
static bool is_open_here(uint64_t inode)
{
	unsigned end = cg_recorder_fd_end();
	for (unsigned fd = 0; fd < end; fd++) {
		const struct cg_slot *slot = cg_slot_at((int)fd);
		if (!slot)
			fd |= 127;
		else if (atomic_load(&slot->kind) == CG_FD_CONN && slot->inode == inode)
			return true;
	}
	return false;
}

/* Closed here, still in CLOSE_WAIT: somebody else holds it. */
static void match_departed(struct cg_sweep *sweep, const struct cg_listing *list)
{
	struct cg_header *h = cg_recorder_header();
	uint64_t end = atomic_load(&h->count.departed_seq), from = end > CG_MAX_DEPARTED ? end - CG_MAX_DEPARTED : 0;
	sweep->departed_found = false;
	for (uint64_t seq = from; seq < end; seq++) {
		struct cg_departed *departed = cg_recorder_departed(seq, false);
		struct cg_slot slot;
		if (!departed || (atomic_load(&departed->gen) & 1))
			continue;
		memcpy(&slot, &departed->slot, sizeof slot);
		/* A child that closes what it inherited does what it should; the opener's word counts. */
		bool opened_here = !(atomic_load(&slot.flags) & CG_SLOT_INHERITED);
		const struct cg_tcp *tcp = opened_here && slot.inode ? cg_listing_find(list, slot.inode) : NULL;
		bool here = tcp && tcp->state != CG_TCP_CLOSE_WAIT;
		for (struct cg_suspect *c = sweep->suspects; tcp && c && !here; c = c->next)
			here = c->facts.tcp.inode == slot.inode;
		here = here || (tcp && sweep->spared && is_open_here(slot.inode));
		struct cg_suspect *c = tcp && !here ? cg_suspects_add(sweep, -1, NULL, tcp) : NULL;
		if (c) {
			c->facts.slot = slot;
			c->facts.has_slot = true;
			c->facts.departed = true;
			sweep->departed_found = true;
		}
	}
}

static bool serves(const struct cg_tcp *listener, const struct cg_tcp *tcp)
{
	static const uint8_t none[16];
	if (listener->local.port != tcp->local.port || listener->local.family != tcp->local.family)
		return false;
	return memcmp(listener->local.bytes, none, 16) == 0 || memcmp(listener->local.bytes, tcp->local.bytes, 16) == 0;
}

/* Sockets of nobody whose local address is a listener of ours: they wait to be accepted. */
static void match_backlogs(struct cg_sweep *sweep, const struct cg_listing *list)
{
	for (struct cg_suspect *c = sweep->suspects; c; c = c->next) {
		if (c->facts.tcp.state != CG_TCP_LISTEN)
			continue;
		/* With SO_REUSEPORT others listen there too: no more are ours than our own backlog holds. */
		unsigned room = c->facts.tcp.rqueue;
		for (unsigned i = 0; i < list->count && list->tcp[i].inode == 0 && room; i++) {
			if (list->tcp[i].state != CG_TCP_CLOSE_WAIT || !serves(&c->facts.tcp, &list->tcp[i]))
				continue;
			struct cg_suspect *waiting = cg_suspects_add(sweep, -1, NULL, &list->tcp[i]);
			if (!waiting)
				return;
			waiting->facts.slot = c->facts.slot;
			waiting->facts.has_slot = true;
			waiting->facts.in_backlog = true;
			room--;
		}
	}
}

void cg_suspects_collect(struct cg_sweep *sweep)
{
	struct cg_header *h = cg_recorder_header();
	struct cg_listing list = {0};
	sweep->suspects = NULL;
	sweep->suspect_count = 0;
	sweep->waiting = sweep->outdated = sweep->polls_found = sweep->spared = false;
	sweep->unanswered = 0;
	if (!h)
		return;
	bool departed = departed_are_due(sweep);
	bool listed = cg_suspects_are_surveyed() ? cg_suspects_survey(sweep, departed, &list)
	                                         : cg_suspects_walk(sweep, departed, &list);
	merge_dups(sweep);
	if (listed) {
		match_departed(sweep, &list);
		match_backlogs(sweep, &list);
	}
}
