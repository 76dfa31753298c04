/* test_group_events.c: events of the recorder's ring become findings that add up. */
#include "core_fixture.h"
#include "group.h"
#include "track_fixture.h"
#include "unit.h"

#define LATER 2000000000ull /* past what a late close waits for, lest it be one of a shutdown */

static struct cg_sweep sweep;
static struct cg_groups groups;

static void happen(enum cg_event_kind kind, uint32_t open_stack, uint32_t call_stack)
{
	struct cg_slot slot = {.open_stack = open_stack, .eof_stack = 9, .open_call = CG_CALL_accept4};
	slot.eof_call = CG_CALL_recv;
	cg_track_event(kind, FD, EBADF, CG_CALL_close, call_stack, &slot);
}

/* A sweep some time after the last event, when no double close can turn out to be a row any more. */
static void look(uint64_t later)
{
	cg_arena_reset(&sweep.arena);
	sweep.waiting = false;
	sweep.warn_after_ns = CORE_WARN_AFTER;
	sweep.now_ns = cg_track_clock() + later;
	cg_groups_build(&sweep, &groups);
}

static enum cg_tell tell(unsigned index)
{
	enum cg_tell what = cg_group_decide(&sweep, &groups, index);
	if (what != CG_TELL_NOTHING)
		cg_group_told(cg_recorder_finding(index, false), groups.list[index], what);
	return what;
}

START_TEST(events_of_one_place_add_up)
{
	track_start();
	ck_assert(!cg_groups_pending());
	for (unsigned i = 0; i < 3; i++)
		happen(CG_EVENT_USE_AFTER_CLOSE, 1, 2);
	happen(CG_EVENT_USE_AFTER_CLOSE, 1, 3);
	ck_assert(cg_groups_pending());
	look(LATER);
	ck_assert(!cg_groups_pending());
	ck_assert_uint_eq(groups.end, 2);
	ck_assert_uint_eq(groups.list[0]->mature, 3);
	ck_assert(groups.list[0]->is_event);
	ck_assert_int_eq(tell(0), CG_TELL_FIRST);
	const struct cg_kept_finding *kept = cg_recorder_finding(0, false);
	ck_assert_uint_eq(kept->kind, CG_KIND_USE_AFTER_CLOSE);
	ck_assert_uint_eq(kept->verdict, CG_VERDICT_INFO);
	ck_assert_uint_eq(kept->confidence, 950);
	ck_assert_uint_eq(kept->open_stack, 1);
	ck_assert_uint_eq(kept->eof_stack, 2);
	ck_assert_uint_eq(kept->open_call, CG_CALL_accept4);
	ck_assert_uint_eq(kept->eof_call, CG_CALL_close);
	look(LATER);
	ck_assert_ptr_null(groups.list[0]);
	ck_assert_int_eq(tell(0), CG_TELL_NOTHING); /* what happened is not resolved */
	happen(CG_EVENT_USE_AFTER_CLOSE, 1, 2);
	happen(CG_EVENT_USE_AFTER_CLOSE, 1, 2);
	look(LATER);
	ck_assert_uint_eq(groups.list[0]->mature, 5);
	ck_assert_int_eq(tell(0), CG_TELL_NOTHING);
	happen(CG_EVENT_USE_AFTER_CLOSE, 1, 2);
	look(LATER);
	ck_assert_int_eq(tell(0), CG_TELL_AGAIN);
	ck_assert_uint_eq(kept->total, 6);
	ck_assert_uint_eq(kept->count, 6);
}
END_TEST

START_TEST(a_late_close_is_a_finding_of_its_connection)
{
	track_start();
	happen(CG_EVENT_LATE_CLOSE, 1, 2);
	happen(CG_EVENT_LATE_CLOSE, 1, 3);
	look(LATER);
	ck_assert_uint_eq(groups.end, 1);
	tell(0);
	const struct cg_kept_finding *kept = cg_recorder_finding(0, false);
	ck_assert_uint_eq(kept->kind, CG_KIND_CLOSE_WAIT);
	ck_assert_uint_eq(kept->cause, CG_CAUSE_LATE_CLOSE);
	ck_assert_uint_eq(kept->verdict, CG_VERDICT_LATE);
	ck_assert_uint_eq(kept->confidence, 900);
	ck_assert_uint_eq(kept->eof_stack, 9);
	ck_assert_uint_eq(kept->eof_call, CG_CALL_recv);
	ck_assert_uint_eq(cg_groups_leaks(&groups), 0);
	look(LATER);
	ck_assert_int_eq(tell(0), CG_TELL_NOTHING);
}
END_TEST

static struct cg_site *late_place(void)
{
	struct cg_site *site = cg_track_site(1, true);
	atomic_store(&site->closed_late, 1);
	atomic_store(&cg_recorder_header()->count.late_closes, 1);
	happen(CG_EVENT_LATE_CLOSE, 1, 2);
	return site;
}

START_TEST(a_late_close_before_the_listeners_is_of_a_shutdown)
{
	track_start();
	struct cg_site *site = late_place();
	atomic_store(&cg_track_shutdown_ns, cg_track_clock());
	look(LATER);
	ck_assert_uint_eq(groups.end, 0);
	ck_assert_uint_eq(atomic_load(&site->closed_late), 0);
	ck_assert_uint_eq(atomic_load(&cg_recorder_header()->count.late_closes), 0);
	(void)late_place();
	track_open(FD + 1); /* the program goes on */
	ck_assert_uint_eq(atomic_load(&cg_track_shutdown_ns), 0);
	look(LATER);
	ck_assert_uint_eq(groups.end, 1);
}
END_TEST

START_TEST(a_late_close_just_before_the_end_is_of_a_shutdown)
{
	track_start();
	struct cg_site *site = late_place();
	sweep.final = sweep.ending = true;
	look(0);
	ck_assert_uint_eq(groups.end, 0);
	ck_assert_uint_eq(atomic_load(&site->closed_late), 0);
	site = late_place();
	look(LATER);
	sweep.final = sweep.ending = false;
	ck_assert_uint_eq(groups.end, 1);
	ck_assert_uint_eq(atomic_load(&site->closed_late), 1);
}
END_TEST

START_TEST(a_late_close_waits_for_what_follows)
{
	track_start();
	(void)late_place();
	look(500000000);
	ck_assert(sweep.waiting);
	ck_assert_uint_eq(groups.end, 0);
	look(LATER);
	ck_assert_uint_eq(groups.end, 1);
}
END_TEST

START_TEST(a_double_close_is_believed_a_moment_later)
{
	track_start();
	happen(CG_EVENT_DOUBLE_CLOSE, 1, 2);
	happen(CG_EVENT_USE_AFTER_CLOSE, 1, 2);
	sweep.now_ns = 0;
	look(0);
	ck_assert(sweep.waiting);
	ck_assert(cg_groups_pending());
	ck_assert_uint_eq(groups.end, 0);
	look(LATER);
	ck_assert(!sweep.waiting);
	ck_assert_uint_eq(groups.end, 2);
	ck_assert_uint_eq(groups.list[0]->kept->kind, CG_KIND_DOUBLE_CLOSE);
}
END_TEST

START_TEST(what_was_taken_back_is_no_finding)
{
	track_start();
	happen(CG_EVENT_DOUBLE_CLOSE, 1, 2);
	atomic_store(&cg_recorder_event(1, false)->kind, CG_EVENT_NONE);
	look(LATER);
	ck_assert(!cg_groups_pending());
	ck_assert_uint_eq(groups.end, 0);
}
END_TEST

START_TEST(exhaustion_is_one_whoever_opened)
{
	track_start();
	happen(CG_EVENT_FD_EXHAUSTED, 1, 2);
	look(LATER);
	ck_assert(cg_groups_exhausted(&groups));
	happen(CG_EVENT_FD_EXHAUSTED, 3, 2);
	look(LATER);
	ck_assert_uint_eq(groups.end, 1);
	ck_assert_uint_eq(groups.list[0]->mature, 2);
	happen(CG_EVENT_LATE_CLOSE, 1, 2);
	look(LATER);
	ck_assert(!cg_groups_exhausted(&groups));
}
END_TEST

START_TEST(exhaustion_is_told_when_it_is_due)
{
	track_start();
	sweep.exhausted = true;
	happen(CG_EVENT_FD_EXHAUSTED, 1, 2);
	look(LATER);
	ck_assert_int_eq(cg_group_decide(&sweep, &groups, 0), CG_TELL_FIRST);
	cg_group_told(groups.list[0]->kept, groups.list[0], CG_TELL_FIRST);
	sweep.exhausted = false;
	for (unsigned i = 0; i < 50; i++)
		happen(CG_EVENT_FD_EXHAUSTED, 1, 2);
	look(LATER);
	ck_assert_uint_eq(groups.list[0]->mature, 51);
	ck_assert_int_eq(cg_group_decide(&sweep, &groups, 0), CG_TELL_NOTHING);
	sweep.exhausted = true;
	ck_assert_int_eq(cg_group_decide(&sweep, &groups, 0), CG_TELL_AGAIN);
	ck_assert_uint_eq(atomic_load(&cg_recorder_header()->count.leaks_told), 0);
}
END_TEST

START_TEST(of_a_ring_that_ran_over_the_newest_are_told)
{
	track_start();
	for (unsigned i = 0; i < CG_MAX_EVENTS + 500; i++)
		happen(CG_EVENT_LATE_CLOSE, i < 500 ? 1 : 2, 3);
	look(LATER);
	ck_assert_uint_eq(groups.end, 1);
	ck_assert_uint_eq(groups.list[0]->kept->open_stack, 2);
	ck_assert_uint_eq(groups.list[0]->mature, CG_MAX_EVENTS);
	ck_assert(!cg_groups_pending());
}
END_TEST

START_TEST(mistakes_are_counted_for_the_exit_code)
{
	track_start();
	ck_assert_uint_eq(cg_groups_mistakes(), 0);
	track_open(FD);
	cg_track_retire(FD, CG_CALL_close, 1);
	fails(FD, EBADF);
	cg_track_close_row(FD, 2);
	cg_track_close_failed(FD, CG_CALL_close, 2);
	ck_assert_uint_eq(cg_groups_mistakes(), 2);
}
END_TEST

START_TEST(a_forked_child_begins_anew)
{
	track_start();
	happen(CG_EVENT_LATE_CLOSE, 1, 2);
	look(LATER);
	ck_assert_uint_eq(groups.end, 1);
	cg_recorder_after_fork();
	cg_groups_after_fork();
	core_start();
	ck_assert(!cg_groups_pending());
	look(LATER);
	ck_assert_uint_eq(groups.end, 0);
	happen(CG_EVENT_LATE_CLOSE, 5, 2);
	look(LATER);
	ck_assert_uint_eq(groups.end, 1);
	ck_assert_uint_eq(groups.list[0]->kept->open_stack, 5);
}
END_TEST

static void cases(TCase *tc)
{
	core_fixtures(tc);
	tcase_add_test(tc, events_of_one_place_add_up);
	tcase_add_test(tc, a_late_close_is_a_finding_of_its_connection);
	tcase_add_test(tc, a_late_close_before_the_listeners_is_of_a_shutdown);
	tcase_add_test(tc, a_late_close_just_before_the_end_is_of_a_shutdown);
	tcase_add_test(tc, a_late_close_waits_for_what_follows);
	tcase_add_test(tc, a_double_close_is_believed_a_moment_later);
	tcase_add_test(tc, what_was_taken_back_is_no_finding);
	tcase_add_test(tc, exhaustion_is_one_whoever_opened);
	tcase_add_test(tc, exhaustion_is_told_when_it_is_due);
	tcase_add_test(tc, of_a_ring_that_ran_over_the_newest_are_told);
	tcase_add_test(tc, mistakes_are_counted_for_the_exit_code);
	tcase_add_test(tc, a_forked_child_begins_anew);
}
