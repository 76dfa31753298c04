/* test_detect_verdict.c: bug or overload, from what became of the other connections of a place. */
#include "unit.h"

#include "detect.h"

struct verdict {
	enum cg_verdict verdict;
	unsigned confidence;
};

static struct verdict verdict_of(struct cg_history history, enum cg_cause cause, bool told)
{
	struct verdict got;
	cg_detect_verdict(&history, cause, told, &got.verdict, &got.confidence);
	return got;
}

/* What more evidence of a leak must never lower: nothing to say, sure of overload, unsure of it, unsure of a leak,
 * sure. */
static int leakiness(struct cg_history history, enum cg_cause cause, bool told)
{
	struct verdict got = verdict_of(history, cause, told);
	ck_assert_uint_ge(got.confidence, 300);
	ck_assert_uint_le(got.confidence, 950);
	if (got.verdict == CG_VERDICT_INFO)
		return -1000;
	return got.verdict == CG_VERDICT_LEAK ? (int)got.confidence : -(int)got.confidence;
}

static const enum cg_cause weighed[] = {CG_CAUSE_EOF_IGNORED, CG_CAUSE_DATA_UNREAD, CG_CAUSE_FIN_UNREAD};
static const uint64_t amounts[] = {0, 1, 2, 3, 5, 9, 10, 11, 20, 49, 50, 51, 100, 1000, 1000000, UINT64_MAX};
enum { AMOUNTS = sizeof(amounts) / sizeof(*amounts) };

START_TEST(more_never_closed_is_surer_a_leak)
{
	for (unsigned late = 0; late < AMOUNTS; late++) {
		for (unsigned never = 1; never < AMOUNTS; never++) {
			struct cg_history less = {.closed_late = amounts[late], .never_closed = amounts[never - 1]};
			struct cg_history more = {.closed_late = amounts[late], .never_closed = amounts[never]};
			for (int told = 0; told < 2; told++)
				ck_assert_msg(leakiness(more, weighed[_i], told) >= leakiness(less, weighed[_i], told),
				              "%s: %lu late, %lu never", cg_cause_name(weighed[_i]), amounts[late],
				              amounts[never]);
		}
	}
}
END_TEST

START_TEST(more_closed_late_is_less_sure_a_leak)
{
	for (unsigned never = 2; never < AMOUNTS; never++) {
		for (unsigned late = 1; late < AMOUNTS; late++) {
			struct cg_history less = {.closed_late = amounts[late - 1], .never_closed = amounts[never]};
			struct cg_history more = {.closed_late = amounts[late], .never_closed = amounts[never]};
			for (int told = 0; told < 2; told++)
				ck_assert_msg(leakiness(more, weighed[_i], told) <= leakiness(less, weighed[_i], told),
				              "%s: %lu late, %lu never", cg_cause_name(weighed[_i]), amounts[late],
				              amounts[never]);
		}
	}
}
END_TEST

START_TEST(told_is_surer_than_inferred)
{
	for (unsigned never = 1; never < AMOUNTS; never++) {
		struct cg_history history = {.never_closed = amounts[never]};
		struct verdict told = verdict_of(history, CG_CAUSE_EOF_IGNORED, true);
		struct verdict inferred = verdict_of(history, CG_CAUSE_EOF_IGNORED, false);
		ck_assert_int_eq(told.verdict, CG_VERDICT_LEAK);
		ck_assert_uint_ge(told.confidence, 850);
		ck_assert_int_eq(inferred.verdict, CG_VERDICT_LEAK);
		ck_assert_uint_le(inferred.confidence, 750);
	}
}
END_TEST

START_TEST(closed_late_as_often_as_never_is_overload)
{
	struct verdict got = verdict_of((struct cg_history){.closed_late = 5, .never_closed = 5}, weighed[_i], true);
	ck_assert_int_eq(got.verdict, CG_VERDICT_LATE);
	ck_assert_uint_eq(got.confidence, 500);
	got = verdict_of((struct cg_history){.closed_late = 5000, .never_closed = 2}, weighed[_i], true);
	ck_assert_int_eq(got.verdict, CG_VERDICT_LATE);
	ck_assert_uint_ge(got.confidence, 940);
	got = verdict_of((struct cg_history){.closed_late = 5, .never_closed = 6}, weighed[_i], true);
	ck_assert_int_eq(got.verdict, CG_VERDICT_LEAK);
	struct verdict undoubted = verdict_of((struct cg_history){.never_closed = 6}, weighed[_i], true);
	ck_assert_uint_lt(got.confidence, undoubted.confidence);
}
END_TEST

START_TEST(one_among_many_closed_in_time_is_still_a_leak)
{
	struct verdict alone = verdict_of((struct cg_history){.never_closed = 1}, CG_CAUSE_EOF_IGNORED, true);
	struct verdict among =
	    verdict_of((struct cg_history){.never_closed = 1, .closed_in_time = 100000}, CG_CAUSE_EOF_IGNORED, true);
	ck_assert_int_eq(among.verdict, CG_VERDICT_LEAK);
	ck_assert_uint_lt(among.confidence, alone.confidence);
	ck_assert_uint_ge(among.confidence, 800);
}
END_TEST

START_TEST(a_pool_may_keep_one)
{
	struct cg_history history = {.opened = 10000, .closed_late = 3, .never_closed = 1};
	ck_assert_int_eq(verdict_of(history, CG_CAUSE_FIN_UNREAD, false).verdict, CG_VERDICT_INFO);
	history = (struct cg_history){.never_closed = 2};
	ck_assert_int_eq(verdict_of(history, CG_CAUSE_FIN_UNREAD, false).verdict, CG_VERDICT_LEAK);
	ck_assert_uint_eq(verdict_of(history, CG_CAUSE_FIN_UNREAD, false).confidence, 550);
	history.never_closed = 100;
	ck_assert_uint_eq(verdict_of(history, CG_CAUSE_FIN_UNREAD, false).confidence, 900);
}
END_TEST

START_TEST(verdicts_that_need_no_history)
{
	struct cg_history history = {.closed_late = 50, .never_closed = 3};
	ck_assert_int_eq(verdict_of(history, CG_CAUSE_HALF_CLOSE, true).verdict, CG_VERDICT_INFO);
	ck_assert_int_eq(verdict_of(history, CG_CAUSE_LATE_CLOSE, true).verdict, CG_VERDICT_LATE);
	ck_assert_int_eq(verdict_of(history, CG_CAUSE_NEVER_ACCEPTED, false).verdict, CG_VERDICT_LEAK);
	ck_assert_int_eq(verdict_of(history, CG_CAUSE_SHARED, true).verdict, CG_VERDICT_LEAK);
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_loop_test(tc, more_never_closed_is_surer_a_leak, 0, 3);
	tcase_add_loop_test(tc, more_closed_late_is_less_sure_a_leak, 0, 3);
	tcase_add_test(tc, told_is_surer_than_inferred);
	tcase_add_loop_test(tc, closed_late_as_often_as_never_is_overload, 0, 3);
	tcase_add_test(tc, one_among_many_closed_in_time_is_still_a_leak);
	tcase_add_test(tc, a_pool_may_keep_one);
	tcase_add_test(tc, verdicts_that_need_no_history);
}
