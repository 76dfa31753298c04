/* test_crossings.c: what one key, thread or process does must not be taken for another's. */
#include <pthread.h>

#include "core_fixture.h"
#include "group.h"
#include "track_fixture.h"
#include "unit.h"

/* with a full table a place that another key of the same sweep took is given away again */
START_TEST(keys_of_one_sweep_do_not_take_each_others_place)
{
	static struct cg_suspect suspects[CG_MAX_FINDINGS + 100];
	static struct cg_groups groups;
	struct cg_sweep sweep = {.now_ns = 1000000000000ull, .warn_after_ns = CORE_WARN_AFTER};
	core_start();
	for (uint32_t i = 0; i < CG_MAX_FINDINGS + 100; i++) {
		struct cg_suspect *c = &suspects[i];
		c->facts.slot.open_stack = 100 + i;
		c->judgement = (struct cg_judgement){.kind = CG_KIND_CLOSE_WAIT, .mature = true, .age_ns = 1};
		c->next = sweep.suspects;
		sweep.suspects = c;
	}
	cg_groups_build(&sweep, &groups);
	for (unsigned i = 0; i < CG_MAX_FINDINGS; i++)
		for (unsigned s = 0; s < groups.list[i]->shown; s++)
			ck_assert_uint_eq(groups.list[i]->sockets[s]->facts.slot.open_stack,
			                  groups.list[i]->kept->open_stack);
}
END_TEST

START_TEST(a_double_close_of_the_parents_is_not_taken_back_in_the_child)
{
	track_start();
	track_open(FD);
	cg_track_close_row(FD, 1);
	cg_track_retire(FD, CG_CALL_close, 1);
	cg_track_close_row(FD, 2);
	cg_track_close_failed(FD, CG_CALL_close, 2);
	cg_recorder_after_fork(); /* as cg_fork_child does */
	cg_track_close_after_fork();
	struct cg_header *h = core_start();
	cg_track_close_row(FD + 1, 2);
	ck_assert_uint_eq(atomic_load(&h->count.double_closes), 0);
	ck_assert_uint_eq(cg_groups_mistakes(), 0);
}
END_TEST

static void *other_thread(void *argument)
{
	struct cg_slot slot = {0};
	(void)argument;
	for (unsigned i = 0; i < 200000; i++)
		cg_track_event(CG_EVENT_LATE_CLOSE, 9, 0, CG_CALL_close, 0, &slot);
	return NULL;
}

/* another thread's event between the reading of event_seq and the own event */
START_TEST(only_the_own_event_is_taken_back)
{
	pthread_t thread;
	struct cg_header *h = track_start();
	unsigned wrong = 0;
	cg_unwind_init(CG_STACKS_OFF, false);
	track_open(FD);
	cg_track_retire(FD, CG_CALL_close, 1);
	pthread_create(&thread, NULL, other_thread, NULL);
	while (events() < 190000) {
		uint64_t before = atomic_load(&h->count.event_seq);
		cg_track_close_row(FD, 2);
		cg_track_close_failed(FD, CG_CALL_close, 2);
		cg_track_close_row(FD + 1, 2);
		cg_track_close_row(FD + 100, 2);
		uint64_t after = atomic_load(&h->count.event_seq);
		for (uint64_t seq = before; seq < after && after - before < 500; seq++) {
			struct cg_event *event = cg_recorder_event(seq, false);
			wrong += event && atomic_load(&event->seq) == seq && event->fd == 9 &&
			         atomic_load(&event->kind) == CG_EVENT_NONE;
		}
	}
	pthread_join(thread, NULL);
	ck_assert_msg(!wrong, "%u late closes of another thread were taken back", wrong);
}
END_TEST

static void cases(TCase *tc)
{
	core_fixtures(tc);
	tcase_add_test(tc, keys_of_one_sweep_do_not_take_each_others_place);
	tcase_add_test(tc, a_double_close_of_the_parents_is_not_taken_back_in_the_child);
	tcase_add_test(tc, only_the_own_event_is_taken_back);
}
