/* test_ownfd.c: descriptors that are not the app's. */
#include "ownfd.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

static int new_fd(void)
{
	int ends[2];
	ck_assert_int_eq(pipe(ends), 0);
	close(ends[1]);
	return ends[0];
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void limit_descriptors(rlim_t most)
{
	struct rlimit limit = {most, most};
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void takes_to(rlim_t limit, int at_least)
{
	limit_descriptors(limit);
	int low = new_fd(), high = cg_ownfd_take(low);
	ck_assert_int_ge(high, at_least);
	ck_assert_int_lt(high, (int)limit);
	ck_assert(!is_open(low));
	ck_assert_int_eq(fcntl(high, F_GETFD), FD_CLOEXEC);
	ck_assert(cg_ownfd_is(high) && cg_ownfd_valid(high));
	ck_assert(!cg_ownfd_is(low) && !cg_ownfd_valid(low));
}

START_TEST(numbers_are_high_but_not_beyond_four_thousand)
{
	struct rlimit limit;
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_max <= 8192)
		SKIP("the hard limit of descriptors is below 8192");
	takes_to(8192, 4000);
	ck_assert_int_lt(cg_ownfd_next(0, 8192), 4096);
}
END_TEST

START_TEST(numbers_stay_under_the_usual_limit)
{
	takes_to(1024, 1000);
}
END_TEST

START_TEST(numbers_stay_under_a_tiny_limit)
{
	takes_to(64, 32);
}
END_TEST

START_TEST(without_a_higher_number_the_low_one_is_ours)
{
	struct rlimit before, limit;
	int fd = new_fd();
	for (int hole = fd / 2; hole < fd; hole++)
		if (!is_open(hole))
			ck_assert_int_ge(dup2(fd, hole), 0);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit = (struct rlimit){(rlim_t)fd + 1, before.rlim_max};
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_int_eq(cg_ownfd_take(fd), fd);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	ck_assert(is_open(fd) && cg_ownfd_valid(fd));
}
END_TEST

START_TEST(a_file_put_over_one_makes_it_invalid)
{
	int ours = cg_ownfd_take(new_fd()), apps = new_fd();
	ck_assert_int_eq(dup2(apps, ours), ours);
	ck_assert(cg_ownfd_is(ours));
	ck_assert(!cg_ownfd_valid(ours));
	cg_ownfd_close(ours);
	ck_assert_msg(is_open(ours), "the app's file was closed");
	ck_assert(!cg_ownfd_is(ours));
}
END_TEST

START_TEST(a_number_that_the_app_closed_is_invalid)
{
	int ours = cg_ownfd_take(new_fd());
	close(ours);
	ck_assert(!cg_ownfd_valid(ours));
}
END_TEST

START_TEST(a_lost_one_is_forgotten_but_not_closed)
{
	int ours = cg_ownfd_take(new_fd()), librarys = cg_ownfd_take_library(new_fd());
	ck_assert(!cg_ownfd_lose(ours));
	ck_assert(!cg_ownfd_is(ours) && is_open(ours));
	ck_assert(cg_ownfd_is(librarys));
	ck_assert(cg_ownfd_lose(librarys));
	ck_assert(!cg_ownfd_lose(librarys));
	/* The places are taken by some that are no library's. */
	int one = cg_ownfd_take(new_fd()), other = cg_ownfd_take(new_fd());
	ck_assert(!cg_ownfd_lose(one) && !cg_ownfd_lose(other));
}
END_TEST

START_TEST(closing_forgets_and_a_negative_one_is_fine)
{
	int ours = cg_ownfd_take(new_fd());
	cg_ownfd_close(ours);
	ck_assert(!is_open(ours) && !cg_ownfd_is(ours));
	int next = new_fd();
	cg_ownfd_close(-1);
	cg_ownfd_close(next);
	ck_assert_msg(is_open(next), "a descriptor was closed that is not ours");
	ck_assert(!cg_ownfd_is(-1) && !cg_ownfd_valid(-1) && !cg_ownfd_lose(-1));
}
END_TEST

START_TEST(next_finds_the_lowest_in_the_range)
{
	ck_assert_int_eq(cg_ownfd_next(0, ~0u), -1);
	int a = cg_ownfd_take(new_fd()), b = cg_ownfd_take(new_fd()), c = cg_ownfd_take(new_fd());
	ck_assert(a < b && b < c);
	ck_assert_int_eq(cg_ownfd_next(0, ~0u), a);
	ck_assert_int_eq(cg_ownfd_next((unsigned)a, (unsigned)a), a);
	ck_assert_int_eq(cg_ownfd_next((unsigned)a + 1, ~0u), b);
	ck_assert_int_eq(cg_ownfd_next((unsigned)b, (unsigned)c), b);
	ck_assert_int_eq(cg_ownfd_next((unsigned)c + 1, ~0u), -1);
	ck_assert_int_eq(cg_ownfd_next(0, (unsigned)a - 1), -1);
	/* A hole is filled by a later one: the order of the table is not that of the numbers. */
	cg_ownfd_close(a);
	ck_assert_int_eq(cg_ownfd_next(0, ~0u), b);
	a = cg_ownfd_take(new_fd());
	cg_ownfd_lose(b);
	cg_ownfd_lose(a);
	ck_assert_int_eq(cg_ownfd_next(0, ~0u), c);
}
END_TEST

START_TEST(one_too_many_is_refused)
{
	int ours[CG_OWNFD_MAX];
	for (int i = 0; i < CG_OWNFD_MAX; i++)
		ours[i] = cg_ownfd_take(new_fd());
	int extra = new_fd();
	ck_assert_int_eq(cg_ownfd_take(extra), -EMFILE);
	ck_assert(!is_open(extra));
	ck_assert_int_ge(cg_ownfd_take_library(new_fd()), 0); /* a library cannot do without */
	for (int i = 0; i < CG_OWNFD_MAX; i++)
		ck_assert(cg_ownfd_valid(ours[i]));
	cg_ownfd_close(ours[3]);
	ck_assert(!cg_ownfd_is(ours[3]));
	int next = cg_ownfd_take(new_fd());
	ck_assert_msg(cg_ownfd_valid(next), "a place that was given up is not used again");
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_test(tc, numbers_are_high_but_not_beyond_four_thousand);
	tcase_add_test(tc, numbers_stay_under_the_usual_limit);
	tcase_add_test(tc, numbers_stay_under_a_tiny_limit);
	tcase_add_test(tc, without_a_higher_number_the_low_one_is_ours);
	tcase_add_test(tc, a_file_put_over_one_makes_it_invalid);
	tcase_add_test(tc, a_number_that_the_app_closed_is_invalid);
	tcase_add_test(tc, a_lost_one_is_forgotten_but_not_closed);
	tcase_add_test(tc, closing_forgets_and_a_negative_one_is_fine);
	tcase_add_test(tc, next_finds_the_lowest_in_the_range);
	tcase_add_test(tc, one_too_many_is_refused);
}
