/*
 * clock.h: time without a system call, and the kernel's own.
 *
 * A program may have been loaded with a clock of somebody else's (libfaketime); ages of connections are the kernel's,
 * and are only to be compared with the kernel's. So libc's function is not asked, which others interpose, but the one
 * in the vdso; where there is none, or before the constructor, a system call.
 *
 * The coarse clocks are read from the vdso on every clock source, so they stay usable in a seccomp sandbox; their 1 to
 * 4 ms resolution is the kernel's own for the ages it gives. Any context.
 */
#ifndef CG_CLOCK_H
#define CG_CLOCK_H

#include <stdint.h>
#include <time.h>

#include "sys.h"

/* Returns 0 or -errno. */
typedef int cg_clock_function(clockid_t clock, struct timespec *ret);

#pragma GCC visibility push(hidden) /* so that the compiler need not go through the table of addresses */
extern cg_clock_function *cg_clock_vdso;
#pragma GCC visibility pop

/* Finds the vdso's function. Constructor, before other threads are there. */
void cg_clock_init(void);

/* The function in this mapped object; NULL where it has none that can be found. */
cg_clock_function *cg_clock_find(const void *object);

static inline uint64_t cg_clock_ns(clockid_t clock)
{
	struct timespec now;
	if (cg_clock_vdso ? cg_clock_vdso(clock, &now) : (int)CG_SYS3(SYS_clock_gettime, clock, &now, 0))
		return 0;
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* CLOCK_MONOTONIC nanoseconds, coarse. */
static inline uint64_t cg_clock_now(void)
{
	return cg_clock_ns(CLOCK_MONOTONIC_COARSE);
}

/* From then to now; 0 where then is the later one: another thread took that time after this one had taken now. */
static inline uint64_t cg_clock_since(uint64_t now_ns, uint64_t then_ns)
{
	return now_ns > then_ns ? now_ns - then_ns : 0;
}

/* Nanoseconds since 1970, coarse. */
static inline uint64_t cg_clock_realtime(void)
{
	return cg_clock_ns(CLOCK_REALTIME_COARSE);
}

#endif
