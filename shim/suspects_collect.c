/* suspects_collect.c: asks the kernel which sockets are in a state to care about. */
#include <string.h>

#include "suspects_listing.h"
#include "recorder.h"
#include "suspects.h"
#include "track.h"

enum {
	FEW = 1024,        /* up to here TCP_INFO on every socket is cheaper than a dump (0.5 us each against 1.3 ms) */
	QUIET_LOOKS = 256, /* with more than FEW: so many quiet ones are looked at per sweep, for what no dump shows */
	EXACT = 16         /* up to so many suspects are queried one by one */
};

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

static struct cg_suspect *add(struct cg_sweep *sweep, int fd, const struct cg_slot *slot, const struct cg_tcp *tcp)
{
	struct cg_suspect *c = cg_arena_alloc(&sweep->arena, sizeof *c);
	if (!c)
		return NULL;
	c->facts.fd = fd;
	c->facts.now_ns = sweep->now_ns;
	c->facts.warn_after_ns = sweep->warn_after_ns;
	c->facts.strict = sweep->strict;
	c->facts.tcp = *tcp;
	c->own_fds = fd >= 0;
	if (slot && copy_slot(slot, &c->facts.slot))
		c->facts.has_slot = true;
	c->next = sweep->suspects;
	sweep->suspects = c;
	sweep->suspect_count++;
	return c;
}

/* The slot tells of a descriptor that is not open any more, or is no socket: closed past us. */
static void closed_unseen(struct cg_sweep *sweep, struct cg_slot *slot)
{
	struct cg_header *h = cg_recorder_header();
	uint8_t kind = atomic_load(&slot->kind);
	sweep->outdated = true;
	if ((kind == CG_FD_CONN || kind == CG_FD_LISTENER) &&
	    atomic_compare_exchange_strong(&slot->kind, &kind, CG_FD_NONE))
		atomic_fetch_sub(&h->open_now, 1);
}

/* Makes sure of a slot once: is it TCP, and which socket is it. False when it is not what it seemed. */
static bool identify(struct cg_sweep *sweep, int fd, struct cg_slot *slot)
{
	uint32_t gen = atomic_load(&slot->gen);
	uint64_t inode, cookie;
	if ((atomic_load(&slot->flags) & CG_SLOT_UNVERIFIED)) {
		int tcp = cg_tcp_is_tcp(fd);
		if (tcp == 0 && atomic_load(&slot->gen) == gen)
			closed_unseen(sweep, slot);
		if (tcp != 1)
			return false;
		atomic_fetch_and(&slot->flags, ~(uint32_t)CG_SLOT_UNVERIFIED);
	}
	if (slot->inode)
		return true;
	if (cg_tcp_identity(fd, &inode, &cookie) == 0 && atomic_load(&slot->gen) == gen) {
		slot->inode = inode;
		slot->cookie = cookie;
		atomic_thread_fence(memory_order_seq_cst);
		if (atomic_load(&slot->gen) != gen)
			slot->inode = slot->cookie = 0; /* may be the next one's: to be asked again */
	}
	return true;
}

static bool same_socket(int fd, const struct cg_slot *slot)
{
	uint64_t inode, cookie;
	return cg_tcp_identity(fd, &inode, &cookie) == 0 && inode == slot->inode;
}

/* States that TCP_INFO shows and that may be worth a finding. */
static bool is_suspicious(const struct cg_sweep *sweep, int state)
{
	return state == CG_TCP_CLOSE_WAIT || state == CG_TCP_CLOSE || (state == CG_TCP_FIN_WAIT2 && sweep->fin_wait2);
}

static void look_at_listener(struct cg_sweep *sweep, int fd, struct cg_slot *slot)
{
	struct cg_tcp tcp = {0};
	if (cg_tcp_info(fd, &tcp) < 0)
		return;
	if (tcp.state != CG_TCP_LISTEN)
		closed_unseen(sweep, slot); /* shut down, or another socket by now: adoption will tell */
	if (tcp.state == CG_TCP_LISTEN && tcp.rqueue) {
		struct cg_suspect *c = add(sweep, fd, slot, &tcp);
		if (c)
			sweep->waiting = true;
	}
}

/* `listed`: a dump will name those in CLOSE_WAIT. */
static void look_at_connection(struct cg_sweep *sweep, int fd, struct cg_slot *slot, bool listed)
{
	struct cg_tcp tcp = {0};
	int state = cg_tcp_state_of(fd);
	if (state == -EBADF || state == -ENOTSOCK || state == -EOPNOTSUPP || state == -ENOPROTOOPT) {
		closed_unseen(sweep, slot);
		return;
	}
	if (state == CG_TCP_LISTEN && identify(sweep, fd, slot)) {
		/* It began to listen past us, or the number is a listener's that was opened past us. */
		uint8_t kind = CG_FD_CONN;
		if (atomic_compare_exchange_strong(&slot->kind, &kind, CG_FD_LISTENER))
			look_at_listener(sweep, fd, slot);
		return;
	}
	if (state < 0 || !identify(sweep, fd, slot) || !is_suspicious(sweep, state) ||
	    (listed && state != CG_TCP_CLOSE))
		return;
	if (!same_socket(fd, slot)) {
		closed_unseen(sweep, slot); /* another socket by now: adoption will find it */
		return;
	}
	tcp.state = (uint8_t)state;
	add(sweep, fd, slot, &tcp);
}

/* Walks the slots; in a large process only listeners and a part of the connections are looked at here. */
static void walk_slots(struct cg_sweep *sweep, bool few)
{
	unsigned end = cg_recorder_fd_end(), looks = 0, from = sweep->rotor < end ? sweep->rotor : 0;
	for (unsigned fd = 0; fd < end; fd++) {
		struct cg_slot *slot = cg_slot_at((int)fd);
		if (!slot) {
			fd |= 127;
			continue;
		}
		uint8_t kind = atomic_load_explicit(&slot->kind, memory_order_acquire);
		if (kind == CG_FD_LISTENER) {
			if (identify(sweep, (int)fd, slot))
				look_at_listener(sweep, (int)fd, slot);
		} else if (kind == CG_FD_CONN && (few || !slot->inode || (fd >= from && looks < QUIET_LOOKS))) {
			looks += slot->inode != 0;
			look_at_connection(sweep, (int)fd, slot, !few);
			sweep->rotor = fd + 1;
		}
	}
	if (looks < QUIET_LOOKS)
		sweep->rotor = 0;
}

/* With many sockets the dump names the suspects: those in it whose inode is one of ours. */
static void match_slots(struct cg_sweep *sweep, const struct cg_listing *list)
{
	unsigned end = cg_recorder_fd_end();
	for (unsigned fd = 0; list->count && fd < end; fd++) {
		struct cg_slot *slot = cg_slot_at((int)fd);
		if (!slot) {
			fd |= 127;
			continue;
		}
		if (atomic_load(&slot->kind) != CG_FD_CONN || !slot->inode)
			continue;
		const struct cg_tcp *tcp = cg_listing_find(list, slot->inode);
		if (tcp && same_socket((int)fd, slot))
			add(sweep, (int)fd, slot, tcp);
		else if (tcp)
			closed_unseen(sweep, slot);
	}
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

/* Without sock_diag: what TCP_INFO, SIOCINQ and the descriptor itself can tell. */
static void details_from_fd(struct cg_suspect *c)
{
	struct cg_tcp tcp = {0};
	uint32_t unread;
	if (cg_tcp_info(c->facts.fd, &tcp) < 0)
		return;
	tcp.inode = c->facts.slot.inode;
	tcp.cookie = c->facts.slot.cookie;
	if (cg_tcp_unread(c->facts.fd, &unread) == 0)
		tcp.rqueue = unread;
	c->facts.tcp = tcp;
}

static void fill_details(struct cg_sweep *sweep, const struct cg_listing *list)
{
	for (struct cg_suspect *c = sweep->suspects; c; c = c->next) {
		if (c->facts.fd < 0 || c->facts.tcp.state == CG_TCP_LISTEN || c->facts.tcp.has_queues)
			continue;
		const struct cg_tcp *listed = list ? cg_listing_find(list, c->facts.slot.inode) : NULL;
		if (listed) {
			c->facts.tcp = *listed;
			continue;
		}
		details_from_fd(c);
		if (!list && c->facts.tcp.state == CG_TCP_CLOSE_WAIT && cg_listing_netlink(sweep) >= 0)
			(void)cg_diag_query(sweep->netlink, &c->facts.tcp);
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
		struct cg_suspect *c = tcp && !here ? add(sweep, -1, NULL, tcp) : NULL;
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
			struct cg_suspect *waiting = add(sweep, -1, NULL, &list->tcp[i]);
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
	sweep->waiting = sweep->outdated = sweep->polls_found = false;
	if (!h)
		return;
	bool few = atomic_load(&h->open_now) <= FEW || cg_listing_netlink(sweep) < 0;
	walk_slots(sweep, few);
	bool departed = departed_are_due(sweep);
	bool listed =
	    (!few || departed || sweep->waiting || sweep->suspect_count > EXACT) && cg_listing_take(sweep, &list);
	if (listed && !few)
		match_slots(sweep, &list);
	merge_dups(sweep);
	fill_details(sweep, listed ? &list : NULL);
	if (listed) {
		match_departed(sweep, &list);
		match_backlogs(sweep, &list);
	}
}
