/* suspects_places.c: what the descriptors that are well tell of those that may not be: is their place in use, is the
 * thread that read their end still at work, do they relay for one another. */
#include <string.h>

#include "procfs.h"
#include "recorder.h"
#include "suspects.h"
#include "sys.h"
#include "track.h"

enum { READERS = 32 }; /* ends whose reading thread is asked for in one sweep; of more, nothing is known */

static const uint64_t TICK_NS = 100000000;

/*
 * In use at the same time are those that were used since the look before, as near as tenths of a second tell; if that
 * was long ago, within this time.
 */
static const uint64_t IN_USE_NS = 1500000000, IN_USE_SLACK_NS = 150000000;

/* One whose end was read, and what else its thread has touched. */
struct reader {
	struct cg_suspect *suspect;
	uint32_t tick;   /* when it read the end */
	unsigned others; /* connections that are open and were last used by it */
	bool moved_on;   /* it has opened, used or closed another one since */
	bool wrote;      /* and of those open, it has written to one on the other side soon after */
};

static uint32_t tick_of(uint64_t ns)
{
	const struct cg_header *h = cg_recorder_header();
	return ns > h->start_ns ? (uint32_t)((ns - h->start_ns) / TICK_NS) : 0;
}

uint64_t cg_suspects_last_use(const struct cg_slot *slot)
{
	const struct cg_header *h = cg_recorder_header();
	return atomic_load(&slot->last_use) ? h->start_ns + atomic_load(&slot->last_tick) * TICK_NS : 0;
}

static bool is_well(const struct cg_slot *slot)
{
	return !slot->first_seen_ns && !(atomic_load(&slot->flags) & (CG_SLOT_EOF | CG_SLOT_ERROR));
}

static void note_use(struct cg_sweep *sweep, const struct cg_slot *slot, uint64_t window_ns)
{
	uint64_t in_use_ns = window_ns < IN_USE_NS ? window_ns : IN_USE_NS;
	/* Of one that is closable only the opening counts: what was done to it since does not keep a place alive. */
	uint64_t used = is_well(slot) ? cg_suspects_last_use(slot) : 0;
	uint64_t at = used > slot->open_ns ? used : slot->open_ns;
	if (sweep->now_ns > at + window_ns)
		return;
	struct cg_site *site = cg_track_site(slot->open_stack, false);
	if (!site)
		return;
	if (at > atomic_load_explicit(&site->last_use_ns, memory_order_relaxed))
		atomic_store_explicit(&site->last_use_ns, at, memory_order_relaxed);
	if (sweep->now_ns > at + in_use_ns || !is_well(slot))
		return;
	uint32_t now = atomic_fetch_add_explicit(&site->in_use, 1, memory_order_relaxed) + 1;
	if (now > atomic_load_explicit(&site->busiest, memory_order_relaxed))
		atomic_store_explicit(&site->busiest, now, memory_order_relaxed);
}

/* Of an other side, the thread's next write has to come within a second: that long a relay may take. */
static void note_thread(struct reader *reader, const struct cg_slot *slot)
{
	enum { SOON = 10 };
	const struct cg_slot *own = &reader->suspect->facts.slot;
	uint32_t tick = atomic_load(&slot->last_tick);
	bool open = atomic_load(&slot->kind) == CG_FD_CONN;
	bool used = atomic_load(&slot->last_use) && atomic_load(&slot->last_tid) == own->eof_tid;
	if (slot->conn == own->conn)
		return;
	if ((slot->open_tid == own->eof_tid && slot->open_ns > own->eof_ns) || (used && tick > reader->tick) ||
	    (slot->close_tid == own->eof_tid && slot->close_ns > own->eof_ns))
		reader->moved_on = true;
	if (open && (atomic_load(&slot->flags) & CG_SLOT_EOF) && slot->eof_tid == own->eof_tid)
		reader->moved_on = true; /* it has left another one behind already */
	if (!open || !used)
		return;
	reader->others++;
	reader->wrote |= slot->role != own->role && tick >= reader->tick && tick <= reader->tick + SOON &&
	                 cg_call_writes((unsigned)(atomic_load(&slot->last_use) >> 56)) && is_well(slot);
}

static unsigned find_readers(struct cg_sweep *sweep, struct reader *readers)
{
	unsigned n = 0;
	for (struct cg_suspect *c = sweep->suspects; c && n < READERS; c = c->next)
		if (c->facts.fd >= 0 && c->facts.has_slot && c->facts.tcp.state == CG_TCP_CLOSE_WAIT &&
		    (atomic_load(&c->facts.slot.flags) & CG_SLOT_EOF))
			readers[n++] = (struct reader){.suspect = c, .tick = tick_of(c->facts.slot.eof_ns)};
	return n;
}

/* Does the call wait for the next thing to do, and not for a part of the one under way? */
static bool awaits_work(long number, const unsigned long arguments[2])
{
	switch (number) {
#ifdef SYS_epoll_wait
	case SYS_epoll_wait:
	case SYS_pause:
	case SYS_select:
#endif
#ifdef SYS_epoll_pwait2
	case SYS_epoll_pwait2:
#endif
	case SYS_accept:
	case SYS_accept4:
	case SYS_epoll_pwait:
	case SYS_futex: /* a worker's queue, as a rule */
	case SYS_io_uring_enter:
	case SYS_msgrcv:
	case SYS_pselect6:
	case SYS_rt_sigsuspend:
	case SYS_rt_sigtimedwait:
	case SYS_semtimedop:
		return true;
#ifdef SYS_poll
	case SYS_poll:
#endif
	case SYS_ppoll:
		return arguments[1] != 1; /* one descriptor: a client's wait for its answer */
	case SYS_read:
		return arguments[0] == 0;
	default:
		return false;
	}
}

/* Is the thread still busy with what it read? Where the kernel does not tell, it is not said to be. */
static bool is_at_work(uint32_t tid)
{
	long number;
	unsigned long arguments[2];
	return tid && cg_proc_thread_call((pid_t)tid, &number, arguments) == 0 && !awaits_work(number, arguments);
}

static void forget_places(void)
{
	for (unsigned i = 0; i < CG_MAX_SITES; i++) {
		struct cg_site *site = cg_recorder_site(i, false);
		if (!site)
			i |= (CG_CHUNK_SIZE / 256) - 1;
		else
			atomic_store_explicit(&site->in_use, 0, memory_order_relaxed);
	}
}

/* Nobody saw it being opened; but a process that listens nowhere has connected. */
static void infer_roles(struct cg_sweep *sweep)
{
	for (struct cg_suspect *c = sweep->suspects; c; c = c->next)
		if (c->facts.has_slot && c->facts.slot.origin == CG_ORIGIN_UNSEEN && c->facts.slot.role == CG_ROLE_NONE)
			c->facts.slot.role = CG_ROLE_CONNECTED;
}

void cg_suspects_look_around(struct cg_sweep *sweep)
{
	struct reader readers[READERS];
	unsigned end = cg_recorder_fd_end(), n = find_readers(sweep, readers);
	uint64_t window = (sweep->around_ns ? sweep->now_ns - sweep->around_ns : IN_USE_NS) + IN_USE_SLACK_NS;
	bool listens = false;
	sweep->around_ns = sweep->now_ns;
	forget_places();
	for (unsigned fd = 0; fd < end; fd++) {
		struct cg_slot *slot = cg_slot_at((int)fd);
		if (!slot) {
			fd |= 127;
			continue;
		}
		uint8_t kind = atomic_load_explicit(&slot->kind, memory_order_relaxed);
		listens |= kind == CG_FD_LISTENER;
		if (kind == CG_FD_CONN)
			note_use(sweep, slot, window);
		for (unsigned i = 0; i < n && kind != CG_FD_NONE; i++)
			note_thread(&readers[i], slot);
	}
	for (unsigned i = 0; i < n; i++) {
		struct cg_facts *facts = &readers[i].suspect->facts;
		facts->relayed |= readers[i].wrote && readers[i].others == 1;
		facts->reader_apart = facts->slot.eof_tid != (uint32_t)cg_recorder_header()->pid;
		facts->reader_at_work = !readers[i].moved_on && is_at_work(facts->slot.eof_tid);
	}
	if (!listens)
		infer_roles(sweep);
}

/* Two hash tables in one: the peers of each place, so that one per peer can be told from several. */
static bool is_new_peer(uint64_t *seen, size_t room, const struct cg_suspect *c)
{
	uint64_t hash = 0xcbf29ce484222325u ^ c->facts.slot.open_stack;
	for (unsigned i = 0; i < sizeof c->facts.tcp.peer.bytes; i++)
		hash = (hash ^ c->facts.tcp.peer.bytes[i]) * 0x100000001b3u;
	hash = ((hash ^ c->facts.tcp.peer.port) * 0x100000001b3u) | 1;
	size_t at = (hash >> 20) % room;
	while (seen[at] && seen[at] != hash)
		at = (at + 1) % room;
	if (seen[at])
		return false;
	seen[at] = hash;
	return true;
}

void cg_suspects_count_peers(struct cg_sweep *sweep)
{
	size_t room = 2 * (size_t)sweep->suspect_count + 1;
	uint64_t *seen = cg_arena_alloc(&sweep->arena, room * sizeof *seen);
	for (struct cg_suspect *c = sweep->suspects; seen && c; c = c->next) {
		struct cg_site *site = c->judgement.mature && c->facts.fd >= 0 && c->facts.has_slot
		                           ? cg_track_site(c->facts.slot.open_stack, false)
		                           : NULL;
		if (!site)
			continue;
		/* The uses of others since it became closable; what was under way then is given a second. */
		uint64_t closable = sweep->now_ns - c->judgement.age_ns;
		c->facts.place_in_use = atomic_load(&site->last_use_ns) > closable + 1000000000u;
		if (is_new_peer(seen, room, c))
			atomic_fetch_add_explicit(&site->peers, 1, memory_order_relaxed);
	}
}
