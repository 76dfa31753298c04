/* test_group.c: what is one finding, and when it is told. */
#include "core_fixture.h"
#include "group.h"
#include "track_fixture.h"
#include "unit.h"

#define SECOND 1000000000ull
#define NOW (1000 * SECOND)

enum { SUSPECTS = 2 * CG_MAX_FINDINGS };

/* A sweep whose candidates are made by hand. */
struct scene {
	struct cg_sweep sweep;
	struct cg_groups groups;
	struct cg_suspect suspects[SUSPECTS];
};

static struct scene scene;

static void begin(uint64_t now)
{
	cg_arena_reset(&scene.sweep.arena);
	struct cg_arena arena = scene.sweep.arena;
	memset(&scene, 0, sizeof scene);
	scene.sweep.arena = arena;
	scene.sweep.now_ns = now;
	scene.sweep.warn_after_ns = CORE_WARN_AFTER;
}

/* An eof_ignored socket of the opening stack that was mature `age` ago; age 0: not yet. */
static struct cg_suspect *add(uint32_t stack, uint64_t age)
{
	ck_assert_uint_lt(scene.sweep.suspect_count, SUSPECTS);
	struct cg_suspect *c = &scene.suspects[scene.sweep.suspect_count++];
	c->next = scene.sweep.suspects;
	scene.sweep.suspects = c;
	c->facts.has_slot = true;
	c->facts.slot.open_stack = stack;
	c->facts.slot.eof_stack = 7;
	atomic_store(&c->facts.slot.flags, CG_SLOT_EOF);
	c->judgement.kind = CG_KIND_CLOSE_WAIT;
	c->judgement.cause = CG_CAUSE_EOF_IGNORED;
	c->judgement.verdict = CG_VERDICT_LEAK;
	c->judgement.confidence = 850;
	c->judgement.age_ns = age;
	c->judgement.mature = age != 0;
	return c;
}

static void build(void)
{
	cg_groups_build(&scene.sweep, &scene.groups);
}

static enum cg_tell decide(unsigned index)
{
	return cg_group_decide(&scene.sweep, &scene.groups, index);
}

static void told(unsigned index, enum cg_tell what)
{
	ck_assert_int_eq(decide(index), what);
	cg_group_told(cg_recorder_finding(index, false), scene.groups.list[index], what);
}

/* A sweep with so many mature sockets of one place. */
static enum cg_tell sweep_with(uint64_t now, unsigned mature, unsigned ripening)
{
	begin(now);
	for (unsigned i = 0; i < mature; i++)
		add(1, 10 * SECOND);
	for (unsigned i = 0; i < ripening; i++)
		add(1, 0);
	build();
	return decide(0);
}

START_TEST(kind_cause_stacks_and_last_use_make_a_group)
{
	core_start();
	begin(NOW);
	add(1, SECOND);
	add(1, 3 * SECOND);
	add(2, SECOND);
	add(1, SECOND)->judgement.cause = CG_CAUSE_FIN_UNREAD;
	add(1, SECOND)->judgement.kind = CG_KIND_DEAD_SOCKET;
	add(1, SECOND)->facts.slot.eof_stack = 8;
	atomic_store(&add(1, SECOND)->facts.slot.last_use, 99);
	add(1, SECOND)->judgement.kind = CG_KIND_NONE;
	build();
	ck_assert_uint_eq(scene.groups.end, 6);
	unsigned sockets = 0, pairs = 0;
	for (unsigned i = 0; i < 6; i++) {
		ck_assert_ptr_nonnull(scene.groups.list[i]);
		sockets += scene.groups.list[i]->mature;
		if (scene.groups.list[i]->mature != 2)
			continue;
		pairs++;
		ck_assert_uint_eq(scene.groups.list[i]->shown, 2);
		ck_assert_uint_eq(scene.groups.list[i]->oldest->judgement.age_ns, 3 * SECOND);
		ck_assert_uint_eq(scene.groups.list[i]->kept->open_stack, 1);
		ck_assert_uint_eq(scene.groups.list[i]->kept->eof_stack, 7);
	}
	ck_assert_uint_eq(sockets, 7);
	ck_assert_uint_eq(pairs, 1);
}
END_TEST

START_TEST(where_the_app_was_not_told_the_place_does_not_count)
{
	core_start();
	begin(NOW);
	for (uint32_t i = 0; i < 3; i++) {
		struct cg_suspect *c = add(1, SECOND);
		atomic_store(&c->facts.slot.flags, 0);
		c->facts.slot.eof_stack = 10 + i;
	}
	for (uint32_t i = 0; i < 3; i++) {
		struct cg_suspect *c = add(2, SECOND);
		c->facts.in_backlog = true;
		atomic_store(&c->facts.slot.last_use, i);
	}
	build();
	ck_assert_uint_eq(scene.groups.end, 2);
	ck_assert_uint_eq(scene.groups.list[0]->mature, 3);
	ck_assert_uint_eq(scene.groups.list[1]->mature, 3);
}
END_TEST

START_TEST(a_burst_is_told_whole)
{
	core_start();
	ck_assert_int_eq(sweep_with(NOW, 1, 9), CG_TELL_NOTHING);
	ck_assert_int_eq(sweep_with(NOW + 2 * SECOND, 6, 4), CG_TELL_NOTHING);
	ck_assert_int_eq(sweep_with(NOW + 3 * SECOND, 10, 0), CG_TELL_FIRST);
	told(0, CG_TELL_FIRST);
	ck_assert_uint_eq(cg_recorder_finding(0, false)->reported, 10);
	ck_assert_uint_eq(atomic_load(&cg_recorder_header()->spoken), 1);
	ck_assert_uint_eq(atomic_load(&cg_recorder_header()->count.findings), 1);
}
END_TEST

START_TEST(a_steady_stream_is_waited_for_no_longer_than_warn_after)
{
	core_start();
	ck_assert_int_eq(sweep_with(NOW, 1, 1), CG_TELL_NOTHING);
	ck_assert_int_eq(sweep_with(NOW + 5 * SECOND - 1, 5, 1), CG_TELL_NOTHING);
	ck_assert_int_eq(sweep_with(NOW + 5 * SECOND, 6, 1), CG_TELL_FIRST);
}
END_TEST

START_TEST(the_wait_is_short_for_a_short_warn_after_and_none_at_the_end)
{
	core_start();
	ck_assert_int_eq(sweep_with(NOW, 1, 1), CG_TELL_NOTHING);
	scene.sweep.warn_after_ns = SECOND;
	scene.sweep.now_ns += SECOND - 1;
	ck_assert_int_eq(decide(0), CG_TELL_NOTHING);
	scene.sweep.final = true;
	ck_assert_int_eq(decide(0), CG_TELL_FIRST);
	scene.sweep.final = false;
	scene.sweep.now_ns += 1;
	ck_assert_int_eq(decide(0), CG_TELL_FIRST);
	ck_assert_int_eq(sweep_with(NOW, 0, 5), CG_TELL_NOTHING); /* none is ripe */
	scene.sweep.final = true;
	ck_assert_int_eq(decide(0), CG_TELL_NOTHING);
}
END_TEST

START_TEST(afterwards_a_doubling_is_told)
{
	core_start();
	sweep_with(NOW, 3, 0);
	told(0, CG_TELL_FIRST);
	ck_assert_int_eq(sweep_with(NOW, 3, 0), CG_TELL_NOTHING);
	ck_assert_int_eq(sweep_with(NOW, 5, 0), CG_TELL_NOTHING);
	ck_assert_int_eq(sweep_with(NOW, 6, 1), CG_TELL_AGAIN);
	told(0, CG_TELL_AGAIN);
	ck_assert_int_eq(sweep_with(NOW, 11, 0), CG_TELL_NOTHING);
	ck_assert_int_eq(sweep_with(NOW, 12, 0), CG_TELL_AGAIN);
	ck_assert_uint_eq(atomic_load(&cg_recorder_header()->count.findings), 2);
}
END_TEST

START_TEST(one_that_is_gone_is_resolved_once)
{
	core_start();
	sweep_with(NOW, 2, 0);
	told(0, CG_TELL_FIRST);
	ck_assert_uint_eq(cg_groups_leaks(&scene.groups), 2);
	sweep_with(NOW, 0, 0);
	told(0, CG_TELL_RESOLVED);
	ck_assert_uint_eq(cg_recorder_finding(0, false)->count, 0);
	ck_assert_uint_eq(cg_groups_leaks(&scene.groups), 0);
	ck_assert_int_eq(sweep_with(NOW, 0, 0), CG_TELL_NOTHING);
	ck_assert_int_eq(sweep_with(NOW, 1, 0), CG_TELL_FIRST);
	/* One that went before it was told is not resolved either. */
	ck_assert_int_eq(sweep_with(NOW, 0, 0), CG_TELL_NOTHING);
}
END_TEST

START_TEST(what_is_kept_can_be_told_again)
{
	core_start();
	begin(NOW);
	struct cg_suspect *young = add(1, SECOND), *old = add(1, 9 * SECOND);
	young->judgement.confidence = 1;
	old->facts.slot.origin = CG_ORIGIN_INHERITED;
	old->facts.slot.open_call = CG_CALL_accept4;
	old->facts.slot.eof_call = CG_CALL_recv;
	build();
	ck_assert_int_eq(decide(0), CG_TELL_FIRST);
	const struct cg_kept_finding *kept = cg_recorder_finding(0, false);
	ck_assert_uint_eq(atomic_load(&kept->gen) % 2, 0);
	ck_assert_uint_eq(kept->kind, CG_KIND_CLOSE_WAIT);
	ck_assert_uint_eq(kept->cause, CG_CAUSE_EOF_IGNORED);
	ck_assert_uint_eq(kept->verdict, CG_VERDICT_LEAK);
	ck_assert_uint_eq(kept->confidence, 850);
	ck_assert_uint_eq(kept->count, 2);
	ck_assert_uint_eq(kept->oldest_ns, 9 * SECOND);
	ck_assert_uint_eq(kept->last_seen_ns, NOW);
	ck_assert_uint_eq(kept->origin, CG_ORIGIN_INHERITED);
	ck_assert_uint_eq(kept->open_call, CG_CALL_accept4);
	ck_assert_uint_eq(kept->eof_call, CG_CALL_recv);
}
END_TEST

START_TEST(quiet_ones_are_only_kept)
{
	core_start();
	begin(NOW);
	add(1, SECOND)->judgement.quiet = true;
	add(1, SECOND)->judgement.quiet = true;
	build();
	ck_assert(scene.groups.list[0]->quiet);
	ck_assert_int_eq(decide(0), CG_TELL_NOTHING);
	ck_assert_uint_eq(cg_recorder_finding(0, false)->count, 2);
	begin(NOW);
	add(1, SECOND)->judgement.quiet = true;
	add(1, SECOND);
	build();
	ck_assert_int_eq(decide(0), CG_TELL_FIRST);
}
END_TEST

START_TEST(a_full_table_does_no_harm)
{
	core_start();
	begin(NOW);
	for (uint32_t i = 0; i < CG_MAX_FINDINGS; i++)
		add(100 + i, SECOND);
	build();
	for (unsigned i = 0; i < CG_MAX_FINDINGS; i++)
		told(i, CG_TELL_FIRST);
	begin(NOW);
	for (uint32_t i = 0; i < CG_MAX_FINDINGS + 100; i++)
		add(100 + i, SECOND);
	build();
	ck_assert_uint_eq(scene.groups.end, CG_MAX_FINDINGS);
	unsigned sockets = 0;
	for (unsigned i = 0; i < CG_MAX_FINDINGS; i++)
		sockets += scene.groups.list[i]->mature;
	ck_assert_uint_eq(sockets, CG_MAX_FINDINGS);
	/* All but one go on, and the one that was resolved makes room. */
	begin(NOW);
	for (uint32_t i = 1; i < CG_MAX_FINDINGS; i++)
		add(100 + i, SECOND);
	build();
	unsigned resolved = 0, n = 0;
	for (unsigned i = 0; i < CG_MAX_FINDINGS; i++)
		if (decide(i) == CG_TELL_RESOLVED) {
			told(i, CG_TELL_RESOLVED);
			resolved = i;
			n++;
		}
	ck_assert_uint_eq(n, 1);
	begin(NOW);
	add(5000, SECOND);
	build();
	ck_assert_ptr_nonnull(scene.groups.list[resolved]);
	ck_assert_uint_eq(cg_recorder_finding(resolved, false)->open_stack, 5000);
	ck_assert_int_eq(decide(resolved), CG_TELL_FIRST);
}
END_TEST

static void cases(TCase *tc)
{
	core_fixtures(tc);
	tcase_add_test(tc, kind_cause_stacks_and_last_use_make_a_group);
	tcase_add_test(tc, where_the_app_was_not_told_the_place_does_not_count);
	tcase_add_test(tc, a_burst_is_told_whole);
	tcase_add_test(tc, a_steady_stream_is_waited_for_no_longer_than_warn_after);
	tcase_add_test(tc, the_wait_is_short_for_a_short_warn_after_and_none_at_the_end);
	tcase_add_test(tc, afterwards_a_doubling_is_told);
	tcase_add_test(tc, one_that_is_gone_is_resolved_once);
	tcase_add_test(tc, what_is_kept_can_be_told_again);
	tcase_add_test(tc, quiet_ones_are_only_kept);
	tcase_add_test(tc, a_full_table_does_no_harm);
}
