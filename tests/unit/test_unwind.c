/* test_unwind.c: the return addresses above us. */
#include "core_fixture.h"
#include "unit.h"
#include "unwind.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

struct walk {
	uint64_t ip[CG_MAX_DEPTH];
	uint64_t chain[3]; /* return addresses that have to be found, the innermost first */
	unsigned max, n;
	uint16_t flags;
};

#define HERE ((uint64_t)(uintptr_t)__builtin_return_address(0))
#define NO_TAIL_CALL __asm__ volatile("" ::: "memory")
#define NOINLINE static __attribute__((noinline))

NOINLINE void inner(struct walk *walk)
{
	walk->chain[0] = HERE;
	walk->n = cg_unwind(walk->ip, walk->max, &walk->flags);
	NO_TAIL_CALL;
}

NOINLINE void middle(struct walk *walk)
{
	walk->chain[1] = HERE;
	inner(walk);
	NO_TAIL_CALL;
}

NOINLINE void outer(struct walk *walk)
{
	walk->chain[2] = HERE;
	middle(walk);
	NO_TAIL_CALL;
}

/* Where the chain begins among the frames; -1 when it is not there, in order and without a gap. */
static int chain_at(const struct walk *walk)
{
	for (unsigned i = 0; i + 3 <= walk->n; i++)
		if (memcmp(walk->ip + i, walk->chain, sizeof walk->chain) == 0)
			return (int)i;
	return -1;
}

static void start_full(void)
{
	cg_unwind_init(CG_STACKS_FULL, true);
	ck_assert_ptr_null(cg_unwind_trouble());
}

START_TEST(full_finds_the_callers_in_order)
{
	struct walk walk = {.max = CG_MAX_DEPTH};
	start_full();
	outer(&walk);
	ck_assert_int_ge(chain_at(&walk), 0);
	ck_assert_uint_eq(walk.flags, 0);
}
END_TEST

static void *walk_in_thread(void *argument)
{
	outer(argument);
	return NULL;
}

START_TEST(fp_finds_the_callers_in_order)
{
	struct walk walk = {.max = CG_MAX_DEPTH}, in_thread = walk;
	pthread_t thread;
	cg_unwind_init(CG_STACKS_FP, true);
	outer(&walk);
	ck_assert_int_ge(chain_at(&walk), 0);
	ck_assert_uint_eq(walk.flags, CG_STACK_FROM_FP);
	ck_assert_int_eq(pthread_create(&thread, NULL, walk_in_thread, &in_thread), 0);
	pthread_join(thread, NULL);
	ck_assert_int_ge(chain_at(&in_thread), 0);
}
END_TEST

/* The first is taken by the tables, the later ones by what is remembered of them. */
START_TEST(a_place_has_one_stack_however_often_it_is_passed)
{
	struct walk walk[60] = {{.max = CG_MAX_DEPTH}};
	start_full();
	for (unsigned i = 0; i < 60; i++) {
		walk[i].max = CG_MAX_DEPTH;
		outer(&walk[i]);
		int at = chain_at(&walk[i]), first = chain_at(&walk[0]); /* above it are our own frames */
		ck_assert_int_ge(at, 0);
		ck_assert_uint_eq(walk[i].n - (unsigned)at, walk[0].n - (unsigned)first);
		ck_assert_mem_eq(walk[i].ip + at, walk[0].ip + first, (walk[0].n - (unsigned)first) * sizeof(uint64_t));
	}
	ck_assert_uint_gt(walk[0].n, 5);
}
END_TEST

static pthread_barrier_t barrier;

static void *walk_at_once(void *argument)
{
	struct walk *walk = argument;
	pthread_barrier_wait(&barrier);
	if (walk->max == CG_MAX_DEPTH - 1)
		cg_unwind_prepare();
	outer(walk);
	return NULL;
}

START_TEST(the_first_walks_of_several_threads)
{
	enum { THREADS = 4 };
	struct walk walk[THREADS];
	pthread_t threads[THREADS];
	start_full();
	pthread_barrier_init(&barrier, NULL, THREADS);
	for (int i = 0; i < THREADS; i++) {
		walk[i] = (struct walk){.max = CG_MAX_DEPTH - (i == 0)};
		ck_assert_int_eq(pthread_create(&threads[i], NULL, walk_at_once, &walk[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		ck_assert_int_ge(chain_at(&walk[i]), 0);
		ck_assert_uint_eq(walk[i].flags, 0);
	}
}
END_TEST

static void *count_page_faults(void *unused)
{
	struct walk walk = {.max = CG_MAX_DEPTH};
	struct rusage before, after;
	getrusage(RUSAGE_THREAD, &before);
	outer(&walk);
	getrusage(RUSAGE_THREAD, &after);
	(void)unused;
	return (void *)(uintptr_t)(after.ru_minflt - before.ru_minflt); // NOLINT(performance-no-int-to-ptr)
}

START_TEST(the_stack_of_a_short_thread_is_cheap)
{
	pthread_t thread;
	void *faults = NULL;
	if (CORE_SANITIZED)
		SKIP("a sanitizer touches memory of its own");
	start_full();
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(pthread_create(&thread, NULL, count_page_faults, NULL), 0);
		pthread_join(thread, &faults);
	}
	/* A cache for each thread would have many pages. */
	ck_assert_uint_lt((uintptr_t)faults, 16);
}
END_TEST

START_TEST(off_finds_nothing)
{
	struct walk walk = {.max = CG_MAX_DEPTH, .flags = 77};
	cg_unwind_init(CG_STACKS_OFF, true);
	cg_unwind_prepare();
	outer(&walk);
	ck_assert_uint_eq(walk.n, 0);
	ck_assert_uint_eq(walk.flags, 77);
}
END_TEST

START_TEST(it_needs_neither_libunwind_nor_a_system_call)
{
	struct walk walk = {.max = CG_MAX_DEPTH}, sealed = walk;
	cg_unwind_init(CG_STACKS_FULL, false);
	outer(&walk);
	ck_assert_uint_eq(walk.flags, 0);
	ck_assert_int_ge(chain_at(&walk), 0);
	cg_unwind_give_up();
	atomic_store(&cg_guard.sealed, true);
	outer(&sealed);
	atomic_store(&cg_guard.sealed, false);
	ck_assert_uint_eq(sealed.flags, 0);
	ck_assert_uint_eq(sealed.n, walk.n);
	ck_assert_int_ge(chain_at(&sealed), 0);
	ck_assert_ptr_null(cg_unwind_trouble());
}
END_TEST

START_TEST(our_own_frames_are_cut_off)
{
	struct walk walk = {.max = CG_MAX_DEPTH};
	cg_unwind_init(CG_STACKS_FP, true);
	outer(&walk);
	int at = chain_at(&walk);
	ck_assert_int_gt(at, 0);
	cg_unwind_set_own_range((uintptr_t)walk.ip[at - 1], (uintptr_t)walk.ip[at - 1] + 1);
	outer(&walk);
	ck_assert_int_eq(chain_at(&walk), 0);
}
END_TEST

START_TEST(the_depth_is_limited_and_says_so)
{
	struct walk all = {.max = CG_MAX_DEPTH}, some = {.max = 2}, nothing = {.max = CG_MAX_DEPTH + 1};
	start_full();
	outer(&all);
	outer(&some);
	outer(&nothing);
	ck_assert_uint_eq(some.n, 2);
	ck_assert_uint_eq(some.flags, CG_STACK_TRUNCATED);
	ck_assert_uint_gt(all.n, 2);
	ck_assert_uint_eq(all.flags & CG_STACK_TRUNCATED, 0);
	ck_assert_uint_eq(some.ip[1], all.ip[1]);
	ck_assert_uint_eq(nothing.n, 0);
	struct walk exact = {.max = all.n}, one_less = {.max = all.n - 1};
	outer(&exact);
	outer(&one_less);
	ck_assert_uint_eq(exact.flags & CG_STACK_TRUNCATED, 0);
	ck_assert_uint_eq(one_less.flags & CG_STACK_TRUNCATED, CG_STACK_TRUNCATED);
}
END_TEST

START_TEST(a_walk_within_a_walk_is_refused)
{
	struct walk walk = {.max = CG_MAX_DEPTH};
	cg_unwind_init(CG_STACKS_FP, true);
	cg_unwinding++;
	outer(&walk);
	ck_assert_uint_eq(walk.n, 0);
	cg_unwind_after_fork(); /* the child of a fork in the midst of one */
	ck_assert_int_eq(cg_unwinding, 0);
	outer(&walk);
	ck_assert_uint_gt(walk.n, 0);
	ck_assert_int_eq(cg_unwinding + cg_hidden, 0);
}
END_TEST

static struct walk in_handler;

static void handler(int number)
{
	(void)number;
	outer(&in_handler);
	NO_TAIL_CALL;
}

static void walk_in_handler(int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
	in_handler = (struct walk){.max = CG_MAX_DEPTH};
	sigaction(SIGUSR1, &action, NULL);
	ck_assert_int_eq(raise(SIGUSR1), 0);
	ck_assert_int_ge(chain_at(&in_handler), 0);
}

static void tells_of_signals(void)
{
	struct walk walk = {.max = CG_MAX_DEPTH};
	if (CORE_TSAN)
		SKIP("TSan calls handlers from a frame of its own");
#ifndef __x86_64__
	SKIP("only x86-64 tells where handlers return to");
#endif
	walk_in_handler(0);
	ck_assert_uint_eq(in_handler.flags & CG_STACK_IN_SIGNAL, CG_STACK_IN_SIGNAL);
	outer(&walk);
	ck_assert_uint_eq(walk.flags & CG_STACK_IN_SIGNAL, 0);
}

START_TEST(full_tells_that_it_is_in_a_signal_handler)
{
	start_full();
	tells_of_signals();
	stack_t other = {.ss_sp = malloc(1 << 16), .ss_size = 1 << 16};
	ck_assert_int_eq(sigaltstack(&other, NULL), 0);
	walk_in_handler(SA_ONSTACK);
	ck_assert_uint_eq(in_handler.flags & CG_STACK_IN_SIGNAL, CG_STACK_IN_SIGNAL);
}
END_TEST

START_TEST(fp_tells_that_it_is_in_a_signal_handler)
{
	cg_unwind_init(CG_STACKS_FP, true);
	tells_of_signals();
}
END_TEST

START_TEST(looking_for_the_restorer_leaves_the_apps_handler)
{
	struct sigaction apps = {.sa_handler = handler, .sa_flags = SA_RESTART | SA_NODEFER}, after;
	sigaction(SIGURG, &apps, NULL);
	cg_unwind_init(CG_STACKS_FP, true);
	sigaction(SIGURG, NULL, &after);
	ck_assert_ptr_eq(after.sa_handler, handler);
	ck_assert_int_eq(after.sa_flags & (SA_RESTART | SA_NODEFER), SA_RESTART | SA_NODEFER);
}
END_TEST

START_TEST(errno_is_kept)
{
	struct walk walk = {.max = CG_MAX_DEPTH};
	errno = 1234;
	cg_unwind_init(CG_STACKS_FULL, true);
	ck_assert_int_eq(errno, 1234);
	core_watch("");
	CG_EVENT(outer(&walk); errno = EPIPE);
	ck_assert_int_eq(errno, 1234);
	ck_assert_uint_gt(walk.n, 0);
}
END_TEST

static void *walk_when_cancelled(void *argument)
{
	int before = -1, after = -1;
	pthread_cancel(pthread_self());
	outer(argument);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
	outer(argument);
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &after);
	if (before == PTHREAD_CANCEL_ENABLE && after == PTHREAD_CANCEL_DISABLE)
		pthread_testcancel();
	return NULL;
}

START_TEST(cancellation_waits)
{
	struct walk walk = {.max = CG_MAX_DEPTH};
	pthread_t thread;
	void *result;
	if (CORE_SANITIZED)
		SKIP("a sanitizer does not see a cancelled thread's frames go");
	start_full();
	ck_assert_int_eq(pthread_create(&thread, NULL, walk_when_cancelled, &walk), 0);
	pthread_join(thread, &result);
	ck_assert_ptr_eq(result, PTHREAD_CANCELED);
	ck_assert_int_ge(chain_at(&walk), 0);
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_test(tc, full_finds_the_callers_in_order);
	tcase_add_test(tc, fp_finds_the_callers_in_order);
	tcase_add_test(tc, a_place_has_one_stack_however_often_it_is_passed);
	tcase_add_loop_test(tc, the_first_walks_of_several_threads, 0, 40);
	tcase_add_test(tc, the_stack_of_a_short_thread_is_cheap);
	tcase_add_test(tc, off_finds_nothing);
	tcase_add_test(tc, it_needs_neither_libunwind_nor_a_system_call);
	tcase_add_test(tc, our_own_frames_are_cut_off);
	tcase_add_test(tc, the_depth_is_limited_and_says_so);
	tcase_add_test(tc, a_walk_within_a_walk_is_refused);
	tcase_add_test(tc, full_tells_that_it_is_in_a_signal_handler);
	tcase_add_test(tc, fp_tells_that_it_is_in_a_signal_handler);
	tcase_add_test(tc, looking_for_the_restorer_leaves_the_apps_handler);
	tcase_add_test(tc, errno_is_kept);
	tcase_add_test(tc, cancellation_waits);
}
