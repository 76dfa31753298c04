/* test_detect_growth.c: how fast a finding grows, from two counts and not from its age. */
#include "unit.h"

#include "detect_growth.h"

static const uint64_t second = 1000000000u;

static struct cg_kept_finding kept;

static void note(uint64_t at_s, uint32_t count)
{
	kept.count = count;
	cg_growth_note(&kept, at_s * second);
}

static int64_t growth_at(uint64_t at_s)
{
	int64_t tenths = 0;
	ck_assert(cg_growth_per_minute(&kept, at_s * second, &tenths));
	return tenths;
}

static void begin(void)
{
	memset(&kept, 0, sizeof kept);
}

START_TEST(one_look_tells_nothing)
{
	int64_t tenths;
	begin();
	ck_assert(!cg_growth_per_minute(&kept, 100 * second, &tenths));
	note(100, 8);
	ck_assert(!cg_growth_per_minute(&kept, 100 * second, &tenths));
	ck_assert(!cg_growth_per_minute(&kept, 99 * second, &tenths));
	ck_assert_int_eq(growth_at(101), 0);
}
END_TEST

START_TEST(a_burst_of_an_hour_ago_does_not_grow)
{
	begin();
	note(100, 1);
	note(101, 500);
	ck_assert_int_eq(growth_at(101), 499 * 600);
	for (uint64_t at = 102; at < 300; at++)
		note(at, 500);
	ck_assert_int_eq(growth_at(300), 0);
}
END_TEST

START_TEST(two_a_second_are_so_many_at_any_time)
{
	begin();
	for (uint64_t at = 100; at < 400; at++) {
		note(at, (uint32_t)(2 * at));
		if (at > 100)
			ck_assert_int_eq(growth_at(at), 1200);
	}
}
END_TEST

START_TEST(what_is_closed_shrinks)
{
	begin();
	note(100, 90);
	note(120, 60);
	ck_assert_int_eq(growth_at(120), -900);
	ck_assert_int_eq(growth_at(160), -300);
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_test(tc, one_look_tells_nothing);
	tcase_add_test(tc, a_burst_of_an_hour_ago_does_not_grow);
	tcase_add_test(tc, two_a_second_are_so_many_at_any_time);
	tcase_add_test(tc, what_is_closed_shrinks);
}
