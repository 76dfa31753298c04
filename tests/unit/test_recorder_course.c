/* test_recorder_course.c: the course of a number, however long it takes, in 256 points. */
#include "unit.h"

#include "recorder_course.h"

static const uint64_t second = 1000000000u;

static struct cg_course course;

static void note(uint64_t at_s, uint32_t count)
{
	cg_course_note(&course, at_s * second, count);
	ck_assert(!(course.gen & 1));
}

/* What the course says of that time. */
static uint32_t at(uint64_t at_s)
{
	uint32_t count = 0;
	for (unsigned i = 0; i < course.count && course.points[i].ns <= at_s * second; i++)
		count = course.points[i].count;
	return count;
}

static void begin(void)
{
	memset(&course, 0, sizeof course);
}

START_TEST(only_changes_take_room)
{
	begin();
	for (uint64_t s = 100; s < 200; s++)
		note(s, 0);
	ck_assert_uint_eq(course.count, 0);
	for (uint64_t s = 200; s < 300; s++)
		note(s, s < 250 ? 3 : 0);
	ck_assert_uint_eq(course.count, 2);
	ck_assert_uint_eq(at(199), 0);
	ck_assert_uint_eq(at(200), 3);
	ck_assert_uint_eq(at(249), 3);
	ck_assert_uint_eq(at(250), 0);
}
END_TEST

START_TEST(a_leak_of_a_week_keeps_its_course)
{
	begin();
	for (uint64_t s = 0; s < 7 * 86400; s += 5)
		note(1000 + s, (uint32_t)s / 5 + 1);
	ck_assert_uint_gt(course.count, CG_COURSE_POINTS / 3);
	ck_assert_uint_le(course.count, CG_COURSE_POINTS);
	ck_assert_uint_eq(course.points[0].ns, 1000 * second);
	for (unsigned i = 1; i < course.count; i++)
		ck_assert(course.points[i].ns > course.points[i - 1].ns &&
		          course.points[i].count > course.points[i - 1].count);
	for (uint64_t part = 1; part <= 10; part++) {
		double is = at(1000 + part * 60480), was = (double)part * 60480 / 5;
		ck_assert_double_eq_tol(is / was, 1, 0.15);
	}
}
END_TEST

START_TEST(a_peak_stays)
{
	begin();
	for (uint64_t s = 0; s < 86400; s++)
		note(1000 + s, s == 40000 ? 5000 : (uint32_t)(s % 7));
	uint32_t most = 0;
	for (unsigned i = 0; i < course.count; i++)
		most = course.points[i].count > most ? course.points[i].count : most;
	ck_assert_uint_eq(most, 5000);
}
END_TEST

/* The program may write over what is mapped. */
START_TEST(a_count_that_is_nonsense_is_no_index)
{
	static const uint32_t counts[] = {~0u, 1u << 31, CG_COURSE_POINTS + 1, CG_COURSE_POINTS};
	for (unsigned i = 0; i < sizeof counts / sizeof *counts; i++) {
		memset(&course, 0, sizeof course);
		course.count = counts[i];
		note(1000, 3);
		ck_assert_uint_gt(course.count, 0);
		ck_assert_uint_le(course.count, CG_COURSE_POINTS);
	}
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_test(tc, only_changes_take_room);
	tcase_add_test(tc, a_leak_of_a_week_keeps_its_course);
	tcase_add_test(tc, a_peak_stays);
	tcase_add_test(tc, a_count_that_is_nonsense_is_no_index);
}
