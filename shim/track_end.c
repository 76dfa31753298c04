/* track_end.c: reads that return 0, and calls that fail because the connection is gone. */
#include "track.h"

#include "arena.h"
#include "stack.h"

/* The place where the app was told that the connection is over; the first one counts. */
static void note_end(struct cg_slot *slot, uint32_t flag, enum cg_call call)
{
	struct cg_header *h = cg_recorder_header();
	uint32_t gen = atomic_load(&slot->gen);
	if (!(atomic_load(&slot->flags) & (CG_SLOT_EOF | CG_SLOT_ERROR))) {
		slot->eof_stack = cg_stack_here();
		slot->eof_ns = cg_track_clock();
		slot->eof_tid = cg_guard_tid();
		slot->eof_call = (uint8_t)call;
		if (h && flag == CG_SLOT_EOF)
			atomic_fetch_add(&h->count.eofs, 1);
	}
	if (atomic_load(&slot->gen) == gen)
		atomic_fetch_or(&slot->flags, flag);
}

enum { COUNTED = 1024, SPINNING = 1000 };

/* How often the end was read, by connection; two that share a place take turns, and neither is said to spin. */
static struct {
	_Atomic uint32_t conn, zeros;
} ends[COUNTED] CG_LARGE;
static _Atomic bool counted; /* any: a forked child touches no page for nothing */

void cg_track_end_after_fork(void)
{
	if (!atomic_exchange(&counted, false))
		return;
	for (unsigned i = 0; i < COUNTED; i++)
		atomic_store_explicit(&ends[i].zeros, 0, memory_order_relaxed);
}

static void count_end(const struct cg_slot *slot)
{
	uint32_t at = slot->conn % COUNTED;
	if (atomic_exchange_explicit(&ends[at].conn, slot->conn, memory_order_relaxed) != slot->conn)
		atomic_store_explicit(&ends[at].zeros, 0, memory_order_relaxed);
	atomic_fetch_add_explicit(&ends[at].zeros, 1, memory_order_relaxed);
	if (!atomic_load_explicit(&counted, memory_order_relaxed))
		atomic_store_explicit(&counted, true, memory_order_relaxed);
}

bool cg_track_spins(const struct cg_slot *slot)
{
	uint32_t at = slot->conn % COUNTED;
	return atomic_load(&ends[at].conn) == slot->conn && atomic_load(&ends[at].zeros) >= SPINNING;
}

static void end_of_file(struct cg_slot *slot, int flags, enum cg_call call, uintptr_t caller)
{
	if (flags & MSG_ERRQUEUE)
		return;
	if (flags & MSG_PEEK) {
		atomic_fetch_or(&slot->flags, CG_SLOT_PEEKED);
		return;
	}
	/* After a local shutdown(SHUT_RD) every read gives 0: that is not the peer's word. */
	if (!(atomic_load(&slot->flags) & CG_SLOT_SHUT_RD)) {
		note_end(slot, CG_SLOT_EOF, call);
		count_end(slot);
	}
	cg_track_use(slot, call, caller);
}

static bool tells_the_end(int error)
{
	return error == ECONNRESET || error == EPIPE || error == ETIMEDOUT || error == EHOSTUNREACH ||
	       error == ENETUNREACH;
}

__attribute__((hot)) void cg_track_read_end(int fd, ssize_t result, int flags, enum cg_call call, uintptr_t caller)
{
	int error = result < 0 ? errno : 0;
	struct cg_slot *slot = cg_track_conn(fd);
	if (error == EAGAIN || error == EINTR)
		return;
	if (!slot && cg_use_is_news()) {
		int saved_errno = errno;
		cg_track_first_use(fd);
		errno = saved_errno;
		slot = cg_track_conn(fd);
	}
	if (error == EBADF) {
		if (cg_track_knows(fd))
			CG_EVENT(cg_track_used_closed(fd, call, caller));
		return;
	}
	if (slot && !error)
		CG_EVENT(end_of_file(slot, flags, call, caller));
	else if (slot && tells_the_end(error))
		CG_EVENT(note_end(slot, CG_SLOT_ERROR, call));
}

__attribute__((hot)) void cg_track_write_failed(int fd, enum cg_call call, uintptr_t caller)
{
	int error = errno;
	struct cg_slot *slot = cg_track_conn(fd);
	if (error == EBADF && cg_track_knows(fd))
		CG_EVENT(cg_track_used_closed(fd, call, caller));
	else if (slot && tells_the_end(error))
		CG_EVENT(note_end(slot, CG_SLOT_ERROR, call));
	if (slot && (atomic_load(&slot->flags) & CG_SLOT_REAPED) && cg_track_reaped)
		CG_EVENT(cg_track_reaped(fd));
}
