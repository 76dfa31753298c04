/* loader.c: either forks are under way, or threads of ours are inside the loader. */
#include "loader.h"

#include "clock.h"
#include "futex.h"

static _Atomic unsigned inside, forks;

/*
 * Waits until the count is 0. Bounded: a fork from a handler that interrupted one of those inside would wait for
 * itself, and one that has to give up is no worse off than without us. Nobody wakes who waits here: what is waited for
 * is short, and a wake would be a system call where a sandbox may forbid it.
 */
static void wait_for_none(_Atomic unsigned *count, uint64_t most_ns)
{
	static const uint64_t step_ns = 500000;
	unsigned seen = atomic_load(count);
	uint64_t start = seen ? cg_clock_ns(CLOCK_MONOTONIC) : 0;
	while (seen && cg_clock_ns(CLOCK_MONOTONIC) - start < most_ns) {
		cg_futex_wait(count, seen, step_ns);
		seen = atomic_load(count);
	}
}

void cg_loader_begin(void)
{
	static const uint64_t most_ns = 1000000000;
	atomic_fetch_add(&inside, 1);
	for (int tries = 0; tries < 2 && atomic_load(&forks); tries++) {
		atomic_fetch_sub(&inside, 1);
		wait_for_none(&forks, most_ns);
		atomic_fetch_add(&inside, 1);
	}
}

void cg_loader_end(void)
{
	atomic_fetch_sub(&inside, 1);
}

void cg_loader_before_fork(void)
{
	static const uint64_t most_ns = 500000000;
	atomic_fetch_add(&forks, 1);
	wait_for_none(&inside, most_ns);
}

void cg_loader_fork_parent(void)
{
	atomic_fetch_sub(&forks, 1);
}

void cg_loader_fork_child(void)
{
	atomic_store(&inside, 0);
	atomic_store(&forks, 0);
}
