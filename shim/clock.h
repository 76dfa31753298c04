/*
 * clock.h: time without a system call.
 *
 * The coarse clocks are read from the vdso on every clock source, so they stay usable in a seccomp sandbox; their 1 to
 * 4 ms resolution is the kernel's own for the ages it gives. Any context.
 */
#ifndef CG_CLOCK_H
#define CG_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t cg_clock_ns(clockid_t clock)
{
	struct timespec now;
	if (clock_gettime(clock, &now) < 0)
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
