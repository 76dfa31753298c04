/* track_close.c: closings, and mistakes around them. */
#include "track.h"

#include <string.h>

#include "stack.h"
#include "sys.h"
#include "track_foreign.h"

/* The last close of this thread, to tell a loop over all numbers from a double close. */
static __thread struct {
	uintptr_t caller;
	uint64_t event; /* the double close it was taken for, if any */
	int fd;
	bool row; /* it went on where the one before had stopped */
} last_close = {.fd = -2};

uint64_t cg_track_event(enum cg_event_kind kind, int fd, int error, enum cg_call call, uint32_t stack,
                        const struct cg_slot *slot)
{
	struct cg_header *h = cg_recorder_header();
	if (!h)
		return 0;
	uint64_t seq = atomic_fetch_add(&h->count.event_seq, 1);
	struct cg_event *event = cg_recorder_event(seq, true);
	if (!event)
		return 0;
	atomic_store(&event->seq, 0);
	atomic_store(&event->kind, kind);
	event->fd = fd;
	event->error = error;
	event->call = call;
	event->stack = stack;
	event->tid = cg_guard_tid();
	event->ns = cg_track_clock();
	if (slot)
		memcpy(&event->slot, slot, sizeof *slot);
	else
		memset(&event->slot, 0, sizeof event->slot);
	atomic_store(&event->seq, seq);
	if (atomic_load_explicit(&cg_track_wanted, memory_order_relaxed) && cg_track_wake)
		cg_track_wake(cg_stack_flags(stack) & CG_STACK_IN_SIGNAL);
	return seq;
}

/* Which power of two of milliseconds. */
static unsigned bucket_of(uint64_t delay_ns)
{
	uint64_t ms = delay_ns / 1000000;
	unsigned i = 0;
	while (ms && i < CG_DELAY_BUCKETS - 1) {
		ms >>= 1;
		i++;
	}
	return i;
}

/* Exported by CPython (the second name since 3.13): its modules and all that they hold are being taken apart. */
extern int _Py_IsFinalizing(void) __attribute__((weak));
extern int Py_IsFinalizing(void) __attribute__((weak));

static _Atomic bool ending;

/* Is it the end of the interpreter that closes, and not the program? The first such close is told beforehand. */
static bool interpreter_ends(void)
{
	if (atomic_load_explicit(&ending, memory_order_relaxed))
		return true;
	if (!(_Py_IsFinalizing && _Py_IsFinalizing()) && !(Py_IsFinalizing && Py_IsFinalizing()))
		return false;
	if (!atomic_exchange(&ending, true) && cg_track_ending)
		cg_track_ending();
	return true;
}

/* Since when it could have been closed: its end was read, or a sweep saw it waiting before anybody read it. */
static uint64_t closable_since(const struct cg_slot *slot)
{
	uint64_t told = atomic_load(&slot->flags) & CG_SLOT_EOF ? slot->eof_ns : 0, seen = slot->first_seen_ns;
	return told && (!seen || told < seen) ? told : seen;
}

/* The last thing was a write, so it came after the read of the end: the reply to a peer that half-closed its side. */
static bool is_answered(const struct cg_slot *slot)
{
	unsigned last_call = (unsigned)(atomic_load(&slot->last_use) >> 56);
	return (atomic_load(&slot->flags) & CG_SLOT_EOF) && cg_call_writes(last_call);
}

static void count_in_history(struct cg_site *site, uint64_t delay, bool late, bool answered)
{
	atomic_fetch_add(&site->delays[bucket_of(delay)], 1);
	if (answered)
		atomic_fetch_add(&site->answered, 1);
	if (!late)
		atomic_fetch_add(&site->closed_in_time, 1);
	else if (!answered)
		atomic_fetch_add(&site->closed_late, 1);
}

/*
 * The place's history: how long after it became closable it closes. An event is made of a close that is late after the
 * program knew of the end: of a pool that looks before it uses a connection again only the history tells.
 */
static void count_close(struct cg_header *h, const struct cg_slot *slot, int fd)
{
	struct cg_site *site = cg_track_site(slot->open_stack, false);
	uint64_t since = closable_since(slot);
	bool answered = is_answered(slot), told = atomic_load(&slot->flags) & CG_SLOT_EOF;
	atomic_fetch_add(&h->count.closed, 1);
	if (site)
		atomic_fetch_add(&site->closed, 1);
	if (!since || since > slot->close_ns || atomic_load(&ending) || (atomic_load(&slot->flags) & CG_SLOT_RELAYED))
		return;
	if (site)
		count_in_history(site, slot->close_ns - since, slot->close_ns - since > h->warn_after_ns, answered);
	if (told && !answered && slot->close_ns - slot->eof_ns > h->warn_after_ns) {
		atomic_fetch_add(&h->count.late_closes, 1);
		cg_track_event(CG_EVENT_LATE_CLOSE, fd, 0, slot->close_call, slot->close_stack, slot);
	}
}

void cg_track_closed_unseen(uint32_t place, uint64_t since, uint64_t now_ns)
{
	struct cg_header *h = cg_recorder_header();
	struct cg_site *site = cg_track_site(place, false);
	atomic_fetch_add(&h->count.closed, 1);
	if (!site)
		return;
	atomic_fetch_add(&site->closed, 1);
	if (since && since < now_ns)
		count_in_history(site, now_ns - since, now_ns - since > h->warn_after_ns, false);
}

/* Whether somebody else may keep the connection alive after this close. */
static bool may_live_on(const struct cg_slot *slot)
{
	return (atomic_load(&slot->flags) & (CG_SLOT_DUPPED | CG_SLOT_INHERITED)) ||
	       slot->origin == CG_ORIGIN_RECEIVED || atomic_load(&cg_track_forking) || cg_track_forked_since(slot);
}

void cg_track_note_inode(int fd, struct cg_slot *slot)
{
	struct stat st;
	if (!slot->inode && !atomic_load(&cg_guard.sealed) && cg_sys_fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode))
		slot->inode = st.st_ino;
}

static void note_departed(struct cg_header *h, struct cg_slot *slot, int fd)
{
	cg_track_note_inode(fd, slot);
	uint64_t seq = atomic_fetch_add(&h->count.departed_seq, 1);
	struct cg_departed *departed = cg_recorder_departed(seq, true);
	if (!departed || !slot->inode)
		return;
	uint32_t gen = atomic_load(&departed->gen) | 1;
	atomic_store(&departed->gen, gen);
	departed->conn = slot->conn;
	departed->fd = fd;
	memcpy(&departed->slot, slot, sizeof *slot);
	atomic_store(&departed->gen, gen + 1);
}

struct cg_retired cg_track_retire(int fd, enum cg_call call, uintptr_t caller)
{
	struct cg_retired retired = {cg_slot_at(fd), 0, 0};
	struct cg_header *h = cg_recorder_header();
	if (!retired.slot || !h)
		return (struct cg_retired){NULL, 0, 0};
	uint8_t kind = atomic_load(&retired.slot->kind);
	if (kind == CG_FD_CONN)
		(void)interpreter_ends();
	retired.gen = atomic_load(&retired.slot->gen);
	if ((kind != CG_FD_CONN && kind != CG_FD_LISTENER) ||
	    !atomic_compare_exchange_strong(&retired.slot->kind, &kind, CG_FD_CLOSED))
		return (struct cg_retired){NULL, 0, retired.gen};
	uint64_t ip = caller;
	retired.kind = kind;
	retired.slot->close_ns = cg_track_clock();
	retired.slot->close_stack = ip ? cg_stack_intern(&ip, 1, 0) : 0;
	retired.slot->close_tid = cg_guard_tid();
	retired.slot->close_call = (uint8_t)call;
	atomic_fetch_sub(&h->open_now, 1);
	if (kind == CG_FD_LISTENER)
		atomic_store(&cg_track_shutdown_ns, retired.slot->close_ns);
	if (kind == CG_FD_CONN) {
		cg_foreign_note(fd, retired.slot);
		if (may_live_on(retired.slot))
			note_departed(h, retired.slot, fd);
		count_close(h, retired.slot, fd);
	}
	return retired;
}

void cg_track_retire_range(unsigned first, unsigned last, enum cg_call call, uintptr_t caller)
{
	unsigned end = cg_recorder_fd_end();
	for (unsigned fd = first; fd < end && fd <= last; fd++) {
		if (!cg_slot_at((int)fd))
			fd |= 127;
		else
			(void)cg_track_retire((int)fd, call, caller);
	}
}

void cg_track_unretire(struct cg_retired retired)
{
	struct cg_header *h = cg_recorder_header();
	uint8_t closed = CG_FD_CLOSED;
	if (!retired.slot || !h || atomic_load(&retired.slot->gen) != retired.gen)
		return;
	if (atomic_compare_exchange_strong(&retired.slot->kind, &closed, retired.kind))
		atomic_fetch_add(&h->open_now, 1);
	retired.slot->close_ns = 0;
	retired.slot->close_stack = 0;
}

void cg_track_close_after_fork(void)
{
	atomic_store(&ending, false);
	atomic_store(&cg_track_shutdown_ns, 0);
	last_close.fd = -2;
	last_close.event = 0;
	last_close.row = false;
	cg_foreign_after_fork();
}

static bool in_row(int fd, uintptr_t caller)
{
	return caller == last_close.caller && (fd == last_close.fd + 1 || fd == last_close.fd - 1);
}

/*
 * The last close is remembered whether it succeeded or not: in a loop over all numbers most of them fail, and those
 * that do not are the neighbours of those that do.
 */
void cg_track_close_row(int fd, uintptr_t caller)
{
	/* The second close of a row shows what the first one was. */
	if (last_close.event && in_row(fd, caller) && cg_guard_enter()) {
		struct cg_event *event = cg_recorder_event(last_close.event, false);
		if (event && atomic_load(&event->seq) == last_close.event)
			atomic_store(&event->kind, CG_EVENT_NONE);
		struct cg_header *h = cg_recorder_header();
		if (h)
			atomic_fetch_sub(&h->count.double_closes, 1);
	}
	last_close.event = 0;
	last_close.row = in_row(fd, caller);
	last_close.fd = fd;
	last_close.caller = caller;
}

void cg_track_closed_other(int fd, uint32_t gen)
{
	struct cg_slot *slot = cg_slot_at(fd);
	uint8_t closed = CG_FD_CLOSED;
	if (slot && atomic_load(&slot->gen) == gen)
		(void)atomic_compare_exchange_strong(&slot->kind, &closed, CG_FD_NONE);
}

void cg_track_close_failed(int fd, enum cg_call call, uintptr_t caller)
{
	struct cg_header *h = cg_recorder_header();
	struct cg_slot *slot = cg_slot_at(fd);
	struct cg_slot own;
	(void)caller;
	if (last_close.row || !h || !slot || atomic_load(&slot->kind) != CG_FD_CLOSED)
		return;
	if (cg_foreign_find(fd, cg_guard_tid(), slot, &own))
		slot = &own;
	atomic_fetch_add(&h->count.double_closes, 1);
	last_close.event = cg_track_event(CG_EVENT_DOUBLE_CLOSE, fd, EBADF, call, cg_stack_here(), slot);
}

/*
 * EBADF also means "not open for this direction", and all that is not allowed on an O_PATH descriptor: the number may
 * have been taken by a file, whose opening is not wrapped. In a sandbox the question could be a killing matter, and
 * nothing is said. The price: where another thread takes the number just now, the mistake goes unnoticed.
 */
static bool is_closed(int fd)
{
	return !atomic_load_explicit(&cg_guard.sealed, memory_order_relaxed) &&
	       cg_sys_fcntl(fd, F_GETFD, 0) == -EBADF;
}

void cg_track_used_closed(int fd, enum cg_call call, uintptr_t caller)
{
	struct cg_header *h = cg_recorder_header();
	struct cg_slot *slot = cg_slot_at(fd);
	struct cg_slot own;
	(void)caller;
	if (!h || !slot || atomic_load(&slot->kind) != CG_FD_CLOSED || !is_closed(fd))
		return;
	if (cg_foreign_find(fd, cg_guard_tid(), slot, &own))
		slot = &own;
	atomic_fetch_add(&h->count.uses_after_close, 1);
	cg_track_event(CG_EVENT_USE_AFTER_CLOSE, fd, EBADF, call, cg_stack_here(), slot);
}
