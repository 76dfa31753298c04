/*
 * guard.h: reentry, errno, fork and vfork in one place, so that no wrapper can forget one of them.
 *
 * cg_guard_enter() decides whether an event of this thread is to be recorded at all. CG_EVENT() wraps the recording of
 * one event: errno is as before, whatever happens inside.
 */
#ifndef CG_GUARD_H
#define CG_GUARD_H

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "record.h"

/* Above 0: this thread's calls are closeguard's own, or made by a library that it brought; they are not recorded. */
extern __thread int cg_hidden;

/* This thread's id; 0 until its first event, since reading it is a system call. */
#pragma GCC visibility push(hidden) /* so that the compiler need not go through the table of addresses */
extern __thread uint32_t cg_tid;
#pragma GCC visibility pop

/*
 * The state that a forked child must not take for its own. Its pages are wiped by the kernel in every kind of fork
 * (MADV_WIPEONFORK), before the first instruction of the child: no atfork handler is needed for the hot path to find no
 * slot there. A vfork child shares it; there the pid differs.
 *
 * All that a successful read or write looks at stands in its first page: behind a system call each page of ours is a
 * miss in the address cache.
 */
enum { CG_SLOT_CHUNKS = CG_MAX_FDS / (CG_CHUNK_SIZE / (int)sizeof(struct cg_slot)) };
#if defined(__x86_64__)
#define CG_PAGE_MAX 4096 /* more would make the loader reserve and give back memory around a hole, at each start */
#else
#define CG_PAGE_MAX 65536 /* some aarch64 kernels */
#endif
struct cg_self {
	_Atomic pid_t pid;     /* 0: a child that has not been set up */
	_Atomic uint32_t tick; /* deciseconds since the recorder was made, as of the last sweep or event */
	void *_Atomic slots[CG_SLOT_CHUNKS]; /* where each chunk of slots is mapped */
} __attribute__((aligned(CG_PAGE_MAX)));

#pragma GCC visibility push(hidden) /* so that the compiler need not go through the table of addresses */
extern struct cg_self cg_self;
#pragma GCC visibility pop

enum {
	CG_POLICY_ON_OPEN = 1,
	CG_POLICY_ON_CLOSE = 2,
	CG_POLICY_ON_OPTIONS = 4,
	CG_POLICY_ON_POLL = 8 /* a drain has to take the descriptor out of the program's epoll sets */
};

/* Settings that every event asks for. */
struct cg_guard {
	_Atomic bool enabled; /* false: every wrapper is a plain pass-through */
	_Atomic bool sealed;  /* a seccomp sandbox: no system call of ours in this process any more */
	_Atomic bool
	    inherited;         /* sockets came with exec or fork and no recorder is there yet: a use of one starts it */
	_Atomic uint8_t policy; /* what the policy in force has to say of, CG_POLICY_ON_…; 0: nothing */
	_Atomic bool reaped;    /* some connection was reaped: writes are to raise no SIGPIPE for it */
	_Atomic bool bypassed; /* modules may have been loaded that call libc past us: worth a look now and then */
};

#pragma GCC visibility push(hidden) /* so that the compiler need not go through the table of addresses */
extern struct cg_guard cg_guard;
#pragma GCC visibility pop

/* Marks this process as one that is watched. Constructor, and in the child of a fork. */
void cg_guard_own(void);

/*
 * What to do in the child of a raw clone, which no atfork handler tells of; set by the recorder. Called once in the
 * child before its first event.
 */
extern void (*cg_guard_new_child)(void);

/*
 * True when an event of this thread belongs in the recorder. One getpid: it tells a vfork child, which shares our
 * memory and must write nothing. In a sandbox not even that is asked. Any context; keeps errno.
 */
bool cg_guard_enter(void);

/* The thread's id, asked for once per thread. */
uint32_t cg_guard_tid(void);

#define CG_EVENT(...)                                                                                                  \
	do {                                                                                                           \
		if (cg_guard_enter()) {                                                                                \
			int cg_saved_errno = errno;                                                                    \
			__VA_ARGS__;                                                                                   \
			errno = cg_saved_errno;                                                                        \
		}                                                                                                      \
	} while (0)

/* The address that the app's call will return to: where in the code it was made. */
#define CG_CALLER ((uintptr_t)__builtin_return_address(0))

#endif
