/* loader.c: either forks are under way, or threads of ours are inside the loader. */
#include "loader.h"

#include "clock.h"
#include "futex.h"

static _Atomic unsigned inside, forks;
static _Atomic unsigned waiting; /* threads that wait for one of the two: without them nobody has to be woken */

/*
 * Waits until the count is 0. Bounded: a fork from a handler that interrupted one of those inside would wait for
 * itself, and one that has to give up is no worse off than without us.
 */
static void wait_for_none(_Atomic unsigned *count, uint64_t most_ns)
{
	static const uint64_t step_ns = 10000000;
	uint64_t start = cg_clock_ns(CLOCK_MONOTONIC);
	unsigned seen;
	atomic_fetch_add(&waiting, 1);
	while ((seen = atomic_load(count)) != 0 && cg_clock_ns(CLOCK_MONOTONIC) - start < most_ns)
		cg_futex_wait(count, seen, step_ns);
	atomic_fetch_sub(&waiting, 1);
}

/* No system call where nobody waits: a sandbox may stand around the thread of the program's that this is. */
static void leave(_Atomic unsigned *count)
{
	if (atomic_fetch_sub(count, 1) == 1 && atomic_load(&waiting))
		cg_sys_futex(count, FUTEX_WAKE_PRIVATE, INT_MAX, NULL);
}

void cg_loader_begin(void)
{
	static const uint64_t most_ns = 1000000000;
	uint64_t start = cg_clock_ns(CLOCK_MONOTONIC);
	for (;;) {
		atomic_fetch_add(&inside, 1);
		if (!atomic_load(&forks) || cg_clock_ns(CLOCK_MONOTONIC) - start >= most_ns)
			return;
		leave(&inside);
		wait_for_none(&forks, most_ns);
	}
}

void cg_loader_end(void)
{
	leave(&inside);
}

void cg_loader_before_fork(void)
{
	static const uint64_t most_ns = 500000000;
	atomic_fetch_add(&forks, 1);
	wait_for_none(&inside, most_ns);
}

void cg_loader_fork_parent(void)
{
	leave(&forks);
}

void cg_loader_fork_child(void)
{
	atomic_store(&inside, 0);
	atomic_store(&forks, 0);
	atomic_store(&waiting, 0);
}
