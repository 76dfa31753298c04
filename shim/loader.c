/* loader.c: either forks are under way, or other threads are inside what a fork would leave locked. */
#include "loader.h"

#include <stdbool.h>

#include "clock.h"
#include "futex.h"

static _Atomic unsigned inside, forks;
static _Atomic unsigned lost; /* that never came out: a handler has jumped over them */

static __thread uint8_t own_inside;
static __thread bool forks_itself;

/*
 * Waits until the count is not above `least`. Bounded: one that has to give up is no worse off than without us. Nobody
 * wakes who waits here: what is waited for is short, and a wake would be a system call where a sandbox may forbid it.
 */
static unsigned wait_for(_Atomic unsigned *count, unsigned least, uint64_t most_ns)
{
	static const uint64_t step_ns = 200000;
	unsigned seen = atomic_load(count);
	uint64_t start = seen > least ? cg_clock_ns(CLOCK_MONOTONIC) : 0;
	while (seen > least && cg_clock_ns(CLOCK_MONOTONIC) - start < most_ns) {
		cg_futex_wait(count, seen, step_ns);
		seen = atomic_load(count);
	}
	return seen;
}

/* Counted first and looked after: of two threads, one in here and one about to fork, at least one sees the other. */
void cg_loader_begin(void)
{
	static const uint64_t most_ns = 1000000000;
	bool first = own_inside++ == 0;
	atomic_fetch_add(&inside, 1);
	for (int tries = 0; tries < 2 && first && !forks_itself && atomic_load(&forks); tries++) {
		atomic_fetch_sub(&inside, 1);
		(void)wait_for(&forks, 0, most_ns);
		atomic_fetch_add(&inside, 1);
	}
}

void cg_loader_end(void)
{
	atomic_fetch_sub(&inside, 1);
	own_inside--;
}

void cg_loader_before_fork(void)
{
	static const uint64_t most_ns = 500000000;
	forks_itself = true;
	atomic_fetch_add(&forks, 1);
	unsigned gone = atomic_load(&lost), least = gone > own_inside ? gone : own_inside;
	unsigned left = wait_for(&inside, least, most_ns);
	if (left > least || left < gone)
		atomic_store(&lost, left);
}

void cg_loader_fork_parent(void)
{
	atomic_fetch_sub(&forks, 1);
	forks_itself = false;
}

void cg_loader_fork_child(void)
{
	atomic_store(&inside, own_inside);
	atomic_store(&forks, 0);
	atomic_store(&lost, 0);
	forks_itself = false;
}
