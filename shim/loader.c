/* loader.c: who is in the loader because of us, and what a fork has left of it. */
#include "loader.h"

#include <stdatomic.h>

#include "clock.h"
#include "futex.h"
#include "guard.h"

static _Atomic unsigned inside, forks;
static _Atomic unsigned beginning; /* threads of ours that are made and do not run yet */
static _Atomic unsigned lost;      /* that never came out: a handler has jumped over them */
static _Atomic int own_threads;    /* ours in this process */
static bool orphan, without_malloc; /* set in a child before it has a second thread */

static __thread uint8_t own_inside;
enum { NOT_FORKING, FORKS, FORKS_ALONE }; /* alone: it is the program's only thread */
static __thread uint8_t forking;

/* A directory has a link from each that lies in it: two more than there are threads. */
static bool is_single(void)
{
	struct stat st;
	if (atomic_load(&cg_guard.sealed) ||
	    CG_SYS(SYS_newfstatat, AT_FDCWD, "/proc/self/task", &st, 0, 0, 0) < 0)
		return false;
	return (long)st.st_nlink - 2 - atomic_load(&own_threads) <= 1;
}

bool cg_loader_is_alone(void)
{
	return !orphan && is_single();
}

bool cg_loader_is_orphan(void)
{
	return orphan;
}

bool cg_loader_has_malloc(void)
{
	return !without_malloc;
}

void cg_loader_own_thread(int change)
{
	atomic_fetch_add(&own_threads, change);
}

void cg_loader_thread_begins(void)
{
	atomic_fetch_add(&beginning, 1);
}

void cg_loader_thread_begun(void)
{
	atomic_fetch_sub(&beginning, 1);
}

/*
 * Waits until the count is not above `least`. Nobody wakes who waits here: what is waited for is short, and a wake
 * would be a system call where a sandbox may forbid it.
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
	for (int tries = 0; tries < 2 && first && !forking && atomic_load(&forks); tries++) {
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

void cg_loader_before_fork(bool by_libc)
{
	static const uint64_t most_ns = 100000000;
	forking = is_single() ? FORKS_ALONE : FORKS;
	atomic_fetch_add(&forks, 1);
	unsigned gone = atomic_load(&lost), least = gone > own_inside ? gone : own_inside;
	unsigned left = wait_for(&inside, least, most_ns);
	if (left > least || left < gone)
		atomic_store(&lost, left);
	if (!by_libc)
		(void)wait_for(&beginning, 0, most_ns);
}

void cg_loader_fork_parent(void)
{
	atomic_fetch_sub(&forks, 1);
	forking = NOT_FORKING;
}

/* A child that nobody has announced (a raw clone) may have been forked in any moment. */
void cg_loader_fork_child(bool by_libc)
{
	bool alone = forking == FORKS_ALONE;
	orphan |= !alone;
	without_malloc |= !alone && !by_libc;
	atomic_store(&inside, own_inside);
	atomic_store(&forks, 0);
	atomic_store(&lost, 0);
	atomic_store(&own_threads, 0);
	atomic_store(&beginning, 0);
	forking = NOT_FORKING;
}
