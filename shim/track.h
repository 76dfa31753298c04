/*
 * track.h: the events. A wrapper makes the real call and tells it here; nothing is judged or printed.
 *
 * Everything may be called from any thread and from signal handlers; errno is the caller's to keep (CG_EVENT), but for
 * the inline functions of the hot path, which do nothing that could change it.
 */
#ifndef CG_TRACK_H
#define CG_TRACK_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "calls.h"
#include "guard.h"
#include "recorder.h"

/* Forks and spawns so far: a connection opened before the last one may be held by a child too. */
extern _Atomic uint16_t cg_track_epoch;

/* Has a child been forked or started since the descriptor was opened, which may hold it too? Any context. */
static inline bool cg_track_forked_since(const struct cg_slot *slot)
{
	return slot->epoch != atomic_load(&cg_track_epoch);
}

/* Forks and spawns that are under way in some thread now. */
extern _Atomic int cg_track_forking;

/*
 * The epoch as it was before the call that is opening a descriptor in this thread: a fork of another thread's may come
 * between that call and its recording. Where a wrapper did not set it, it is out of date, and the descriptor is taken
 * for one that may be shared.
 */
extern __thread uint16_t cg_track_opening;

/* Set by the sweep: wakes it, or starts it. `in_signal`: no thread can be made now. */
extern void (*cg_track_wake)(bool in_signal);
/* True while the sweep wants to be woken by the next opening (it sleeps without a timer, or is not there yet). */
extern _Atomic bool cg_track_wanted;

/* Set by shim.c: the process is about to end past exit()'s handlers; a sandbox is about to close around it. */
extern void (*cg_track_exiting)(const char *how);
extern void (*cg_track_sealing)(void);
/* The same: the process is about to change its user, or its root. */
extern void (*cg_track_giving_up)(bool root);
/* The same: a write to a connection that was reaped failed. */
extern void (*cg_track_reaped)(int fd);
/* The same: the main thread leaves by pthread_exit. */
extern void (*cg_track_main_left)(void);
/* The same: what is still open will be closed only because the program ends. */
extern void (*cg_track_ending)(void);

/*
 * When the last listener of this process was closed, if nothing was opened since: 0 while the program takes in new
 * connections. What is closed about then is closed by an orderly shutdown.
 */
extern _Atomic uint64_t cg_track_shutdown_ns;

/* Do socket()'s arguments ask for TCP? Wide enough for syscall()'s. */
static inline bool cg_track_is_tcp(long domain, long type, long protocol)
{
	return (domain == AF_INET || domain == AF_INET6) && (type & 0xf) == SOCK_STREAM &&
	       (protocol == 0 || protocol == IPPROTO_TCP);
}

/*
 * A relaxed load of one byte, which gcc folds into the comparison; an atomic one it keeps apart. Two instructions less
 * in every read and write.
 */
static inline __attribute__((always_inline)) uint8_t cg_track_byte(const void *at)
{
#ifdef __SANITIZE_THREAD__
	return __atomic_load_n((const uint8_t *)at, __ATOMIC_RELAXED);
#else
	return *(const uint8_t *)at;
#endif
}

/* The slot of a TCP connection of ours, or NULL. */
static inline __attribute__((always_inline)) struct cg_slot *cg_track_conn(int fd)
{
	struct cg_slot *slot = cg_slot_at(fd);
	return slot && cg_track_byte(&slot->kind) == CG_FD_CONN ? slot : NULL;
}

/*
 * Out of line: a thread that has no id yet is given one, and of a connection that is watched the stack of each use is
 * taken, as long as the sweep lets more be taken. Keeps errno.
 */
void cg_track_use_more(struct cg_slot *slot);

/* Lets so many more be taken until the next call. Sweep. */
void cg_track_use_renew(unsigned stacks);

static inline __attribute__((always_inline)) bool cg_slot_is_watched(const struct cg_slot *slot)
{
	enum { BYTE = 2 }; /* where the bytes of a word are in this order */
	_Static_assert(CG_SLOT_WATCHED >> (8 * BYTE) < 256 && CG_SLOT_WATCHED >> (8 * BYTE) > 0, "in that byte");
	return cg_track_byte((const char *)&slot->flags + BYTE) & (CG_SLOT_WATCHED >> (8 * BYTE));
}

/*
 * Last use: where, when, by whom. One cache line, no clock, no system call. The slot is looked up after the real call:
 * a descriptor that another thread closed meanwhile may have changed hands, at the price of a last use that is
 * another's.
 */
static inline __attribute__((always_inline)) void cg_track_use(struct cg_slot *slot, enum cg_call call,
                                                               uintptr_t caller)
{
	uint64_t place = caller | (uint64_t)call << 56;
	atomic_store_explicit(&slot->last_use, place, memory_order_relaxed);
	atomic_store_explicit(&slot->last_tick, atomic_load_explicit(&cg_self.tick, memory_order_relaxed),
	                      memory_order_relaxed);
	uint32_t tid = cg_tid;
	atomic_store_explicit(&slot->last_tid, tid, memory_order_relaxed);
	if (__builtin_expect(!tid || cg_slot_is_watched(slot), 0))
		cg_track_use_more(slot);
}

/* Out of line: a read that returned 0 or an error, a write that failed, a use while there is no recorder yet. */
void cg_track_read_end(int fd, ssize_t result, int flags, enum cg_call call, uintptr_t caller);
/* Was its end read a thousand times and more? Sweep. */
bool cg_track_spins(const struct cg_slot *slot);

void cg_track_write_failed(int fd, enum cg_call call, uintptr_t caller);
void cg_track_first_use(int fd);

static inline bool cg_use_is_news(void)
{
	return atomic_load_explicit(&cg_guard.inherited, memory_order_relaxed) ||
	       atomic_load_explicit(&cg_guard.bypassed, memory_order_relaxed);
}

/* From wrappers of calls that are not about TCP: while there is no recorder, a chance to look for modules that bypass
 * us. */
static inline void cg_track_idle_call(void)
{
	if (__builtin_expect(atomic_load_explicit(&cg_guard.bypassed, memory_order_relaxed), 0))
		cg_track_first_use(-1);
}

/* After a success on fd. */
static inline __attribute__((always_inline)) void cg_track_used(int fd, enum cg_call call, uintptr_t caller)
{
	struct cg_slot *slot = cg_track_conn(fd);
	if (__builtin_expect(slot != NULL, 1))
		cg_track_use(slot, call, caller);
	else if (__builtin_expect(cg_use_is_news(), 0))
		cg_track_first_use(fd);
}

/* After a read: `asked` is false when a result of 0 says nothing (a length of 0). flags as for recv. */
static inline __attribute__((always_inline)) void cg_track_read(int fd, ssize_t result, bool asked, int flags,
                                                                enum cg_call call, uintptr_t caller)
{
	if (__builtin_expect(result > 0, 1))
		cg_track_used(fd, call, caller);
	else if (result < 0 || asked)
		cg_track_read_end(fd, result, flags, call, caller);
}

static inline __attribute__((always_inline)) void cg_track_write(int fd, ssize_t result, enum cg_call call,
                                                                 uintptr_t caller)
{
	if (__builtin_expect(result >= 0, 1))
		cg_track_used(fd, call, caller);
	else
		cg_track_write_failed(fd, call, caller);
}

/* A descriptor for a new TCP socket. kind CG_FD_CONN or CG_FD_LISTENER; flags: CG_SLOT_… to begin with. */
void cg_track_open(int fd, enum cg_call call, enum cg_kind_of_fd kind, enum cg_role role, enum cg_origin origin,
                   uint32_t flags);

/* A descriptor that is no TCP socket was made with this number: what the slot says is over. */
void cg_track_forget(int fd);

void cg_track_dup(int fd, int newfd, enum cg_call call);
void cg_track_connect(int fd, int result, int error);
void cg_track_listen(int fd);

/*
 * Takes down which socket a slot is about, by one fstat: before a close that a fork or a dup has made interesting, and
 * at a connect that failed, since the number may be another socket's, past us, before the first look.
 */
void cg_track_note_inode(int fd, struct cg_slot *slot);
void cg_track_shutdown(int fd, int how);
void cg_track_polled(int fd, bool added);

/* The number is used by stdio from here on, past our wrappers. */
void cg_track_stdio(int fd);

/* Another process was given this descriptor (SCM_RIGHTS). */
void cg_track_sent(int fd);

/* accept or socket failed with EMFILE or ENFILE. Each is counted; of a row of them not each is an event. */
void cg_track_exhausted(int fd, enum cg_call call, int error);

/* fork, vfork or spawn: open sockets may be shared from now on. Around one that returns, so that none is missed. */
void cg_track_spawned(void);
void cg_track_spawn_begin(void);
void cg_track_spawn_end(void);

/*
 * Before one that returns only when its child has ended, or never: what is opened in the second after it, until its
 * fork, may be the child's too. cg_track_spawned follows where it returns.
 */
void cg_track_spawn_and_wait(void);

/* What a retiring took away, so that it can be given back when the call failed. */
struct cg_retired {
	struct cg_slot *slot; /* NULL: there was nothing open */
	uint8_t kind;
	uint32_t gen; /* the slot's, also where its connection had been closed before */
};

/*
 * For the history of a place (a stack): a connection that was opened there is gone, and nobody saw its close. `since`
 * is when it was seen to be closable, 0 for never. Any context.
 */
void cg_track_closed_unseen(uint32_t place, uint64_t since, uint64_t now_ns);

/* Before the real close (or dup2 over it): the number may be another's at once. */
struct cg_retired cg_track_retire(int fd, enum cg_call call, uintptr_t caller);

/* The same for every number in [first, last], before a range is closed; empty chunks of slots are skipped. */
void cg_track_retire_range(unsigned first, unsigned last, enum cg_call call, uintptr_t caller);

/* The call failed and the descriptor is still open. */
void cg_track_unretire(struct cg_retired retired);

/* close() said EBADF: a double close, unless it was one of a row of closes. */
void cg_track_close_failed(int fd, enum cg_call call, uintptr_t caller);

/*
 * close() succeeded on a number whose connection had been closed before: it had become something else's, whose opening
 * was not seen, and the next EBADF on it is not about the connection. gen: the slot's, as it was before the close.
 */
void cg_track_closed_other(int fd, uint32_t gen);

/* In a forked child: the closes before, and the ends read, were the parent's. */
void cg_track_close_after_fork(void);
void cg_track_end_after_fork(void);

/* Every close passes here, so that a loop over all numbers can be told from a mistake. Any fd; cheap. */
void cg_track_close_row(int fd, uintptr_t caller);

/* EBADF on a descriptor that was a connection: used after it was closed, unless the number is something else's now. */
void cg_track_used_closed(int fd, enum cg_call call, uintptr_t caller);

/* Is anything known of this number, be it open or closed? Lets the wrappers of untracked descriptors stay cheap. */
static inline bool cg_track_knows(int fd)
{
	struct cg_slot *slot = cg_slot_at(fd);
	return slot && atomic_load_explicit(&slot->kind, memory_order_relaxed) != CG_FD_NONE;
}

/* Puts something that happened into the ring for the sweep. stack: of the call. Returns its sequence number; 0: no
 * room. */
uint64_t cg_track_event(enum cg_event_kind kind, int fd, int error, enum cg_call call, uint32_t stack,
                        const struct cg_slot *slot);

/* The site of an opening stack, or NULL when the table is full. */
struct cg_site *cg_track_site(uint32_t stack, bool make);

/* Makes sure that there is a recorder, and that what was inherited is in it. NULL: there can be none. */
struct cg_header *cg_track_ready(void);

/* Renews cg_self.tick; returns the time in nanoseconds. */
uint64_t cg_track_clock(void);

#endif
