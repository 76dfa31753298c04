/*
 * futex.h: sleeping and waking without pthread. Any context may wake.
 */
#ifndef CG_FUTEX_H
#define CG_FUTEX_H

#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>

#include "sys.h"

/* Changes the word and wakes everyone who waits on it. */
static inline void cg_futex_wake(_Atomic unsigned *word)
{
	atomic_fetch_add(word, 1);
	cg_sys_futex(word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL);
}

/* Sleeps while the word is what was seen; wait_ns 0: without a timer. Returns early now and then. */
static inline void cg_futex_wait(_Atomic unsigned *word, unsigned seen, uint64_t wait_ns)
{
	struct {
		long sec, nsec;
	} wait = {(long)(wait_ns / 1000000000u), (long)(wait_ns % 1000000000u)};
	cg_sys_futex(word, FUTEX_WAIT_PRIVATE, seen, wait_ns ? &wait : NULL);
}

#endif
