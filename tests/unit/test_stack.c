/* test_stack.c: one id per distinct stack. */
#include "core_fixture.h"
#include "stack.h"
#include "unit.h"
#include "unwind.h"

#include <pthread.h>

enum { THREADS = 4, STACKS = 1000 };

/* The stack number n of a family: addresses that no module has, so that nothing but the content counts. */
static unsigned make_stack(unsigned n, uint64_t ip[CG_MAX_DEPTH])
{
	unsigned depth = 1 + n % 40;
	for (unsigned i = 0; i < depth; i++)
		ip[i] = 0x10000 + (uint64_t)n * 64 + i;
	return depth;
}

static uint32_t intern(unsigned n)
{
	uint64_t ip[CG_MAX_DEPTH];
	unsigned depth = make_stack(n, ip);
	return cg_stack_intern(ip, depth, 0);
}

static void holds(uint32_t id, unsigned n)
{
	uint64_t ip[CG_MAX_DEPTH];
	unsigned depth = make_stack(n, ip);
	const struct cg_stack_copy *stack = core_stack(id);
	ck_assert_ptr_nonnull(stack);
	ck_assert_uint_eq(stack->depth, depth);
	ck_assert_mem_eq(stack->ip, ip, depth * sizeof *ip);
}

static void lies_in_one_chunk(uint32_t id)
{
	uint64_t at = (uint64_t)(id - 1) * 8 % CG_CHUNK_SIZE;
	ck_assert_uint_le(at + sizeof(struct cg_stack) + core_stack(id)->depth * sizeof(uint64_t), CG_CHUNK_SIZE);
}

START_TEST(the_same_stack_has_one_id_and_others_have_others)
{
	core_start();
	uint32_t ids[STACKS];
	for (unsigned i = 0; i < STACKS; i++) {
		ids[i] = intern(i);
		ck_assert_uint_ne(ids[i], 0);
		for (unsigned j = 0; j < i; j++)
			if (ids[i] == ids[j])
				ck_abort_msg("two stacks have one id");
	}
	for (unsigned i = 0; i < STACKS; i++) {
		ck_assert_uint_eq(intern(i), ids[i]);
		holds(ids[i], i);
		lies_in_one_chunk(ids[i]);
	}
}
END_TEST

START_TEST(every_frame_counts)
{
	core_start();
	uint64_t a[] = {1 << 20, 2 << 20, 3 << 20}, b[] = {1 << 20, 2 << 20, 4 << 20},
	         c[] = {2 << 20, 1 << 20, 3 << 20};
	uint32_t id = cg_stack_intern(a, 3, CG_STACK_TRUNCATED | CG_STACK_FROM_FP);
	ck_assert_uint_ne(id, cg_stack_intern(b, 3, 0));
	ck_assert_uint_ne(id, cg_stack_intern(c, 3, 0));
	ck_assert_uint_ne(id, cg_stack_intern(a, 2, 0));
	ck_assert_uint_eq(id, cg_stack_intern(a, 3, 0));
	ck_assert_uint_eq(core_stack(id)->flags, CG_STACK_TRUNCATED | CG_STACK_FROM_FP);
}
END_TEST

START_TEST(too_deep_and_empty_ones_are_refused)
{
	struct cg_header *h = core_start();
	uint64_t ip[CG_MAX_DEPTH + 1];
	for (unsigned i = 0; i <= CG_MAX_DEPTH; i++)
		ip[i] = 4096 + i;
	ck_assert_uint_eq(cg_stack_intern(ip, 0, 0), 0);
	ck_assert_uint_eq(cg_stack_intern(ip, CG_MAX_DEPTH + 1, 0), 0);
	uint32_t id = cg_stack_intern(ip, CG_MAX_DEPTH, 0);
	ck_assert_uint_ne(id, 0);
	ck_assert_uint_eq(core_stack(id)->depth, CG_MAX_DEPTH);
	ck_assert_uint_eq(atomic_load(&h->count.stack_overflows), 0);
}
END_TEST

START_TEST(without_a_recorder_there_are_none)
{
	ck_assert_uint_eq(intern(1), 0);
	ck_assert_ptr_null(core_stack(1));
}
END_TEST

START_TEST(ids_out_of_range_name_nothing)
{
	core_start();
	ck_assert_uint_ne(intern(1), 0);
	ck_assert_ptr_nonnull(cg_recorder_event(1, true)); /* what lies behind the stacks is mapped */
	ck_assert_ptr_null(core_stack(0));
	ck_assert_ptr_null(core_stack(CG_STACK_ARENA / 8)); /* the last chunk, which is not there yet */
	ck_assert_ptr_null(core_stack(CG_STACK_ARENA / 8 + 1));
	ck_assert_ptr_null(core_stack(UINT32_MAX));
}
END_TEST

static uint32_t intern_deep(unsigned n)
{
	uint64_t ip[CG_MAX_DEPTH];
	for (unsigned i = 0; i < CG_MAX_DEPTH; i++)
		ip[i] = 0x40000000 + (uint64_t)n * CG_MAX_DEPTH + i;
	return cg_stack_intern(ip, CG_MAX_DEPTH, 0);
}

START_TEST(a_full_arena_gives_0_and_counts)
{
	enum { ROOM = CG_STACK_ARENA / CG_CHUNK_SIZE * (CG_CHUNK_SIZE / (16 + CG_MAX_DEPTH * 8)), MORE = 50 };
	struct cg_header *h = core_start();
	static uint32_t ids[ROOM];
	for (unsigned i = 0; i < ROOM; i++) {
		ids[i] = intern_deep(i);
		ck_assert_uint_ne(ids[i], 0);
		lies_in_one_chunk(ids[i]);
	}
	ck_assert_uint_eq(atomic_load(&h->count.stack_overflows), 0);
	for (unsigned i = 0; i < MORE; i++)
		ck_assert_uint_eq(intern_deep(ROOM + i), 0);
	ck_assert_uint_eq(atomic_load(&h->count.stack_overflows), MORE);
	for (unsigned i = 0; i < ROOM; i++)
		ck_assert_uint_eq(intern_deep(i), ids[i]);
	ck_assert_uint_le(atomic_load(&h->stack_used), CG_STACK_ARENA);
}
END_TEST

START_TEST(a_full_index_gives_0_and_counts)
{
	struct cg_header *h = core_start();
	uint64_t refused = 0;
	static uint32_t ids[2 * CG_MAX_STACKS];
	for (unsigned i = 0; i < 2 * CG_MAX_STACKS; i++) {
		uint64_t ip = 0x10000 + i;
		ids[i] = cg_stack_intern(&ip, 1, 0);
		refused += !ids[i];
	}
	ck_assert_uint_ge(refused, CG_MAX_STACKS);
	ck_assert_uint_lt(refused, CG_MAX_STACKS + CG_MAX_STACKS / 8);
	ck_assert_uint_eq(atomic_load(&h->count.stack_overflows), refused);
	for (unsigned i = 0; i < 2 * CG_MAX_STACKS; i++)
		if (ids[i])
			ck_assert_uint_eq(core_stack(ids[i])->ip[0], 0x10000 + i);
}
END_TEST

static pthread_barrier_t start_line;

static void *intern_all(void *argument)
{
	uint32_t *ids = argument;
	pthread_barrier_wait(&start_line);
	for (unsigned i = 0; i < STACKS; i++)
		ids[i] = intern(i);
	return NULL;
}

START_TEST(threads_that_race_agree_on_ids)
{
	core_start();
	static uint32_t ids[THREADS][STACKS];
	pthread_t threads[THREADS];
	unsigned in_index = 0;
	pthread_barrier_init(&start_line, NULL, THREADS);
	for (unsigned i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, intern_all, ids[i]), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (unsigned i = 0; i < STACKS; i++) {
		for (unsigned t = 1; t < THREADS; t++)
			ck_assert_uint_eq(ids[t][i], ids[0][i]);
		holds(ids[0][i], i);
	}
	for (unsigned i = 0; i < CG_MAX_STACKS; i++) {
		uint32_t *place = cg_recorder_at(CG_OFF_STACK_INDEX + i * sizeof(uint32_t), false);
		in_index += place && *place;
	}
	ck_assert_uint_eq(in_index, STACKS);
}
END_TEST

START_TEST(the_stack_here_is_cut_at_the_depth_that_was_set)
{
	core_start();
	ck_assert_uint_eq(cg_stack_here(), 0); /* stacks are off */
	cg_unwind_init(CG_STACKS_FP, false);
	cg_stack_set_depth(2);
	uint32_t id = cg_stack_here();
	ck_assert_uint_ne(id, 0);
	ck_assert_uint_eq(core_stack(id)->depth, 2);
	ck_assert_uint_ne(core_stack(id)->flags & CG_STACK_FROM_FP, 0);
	ck_assert_uint_ge(core_stack(id)->generation, 1);
	cg_stack_set_depth(1);
	ck_assert_uint_eq(core_stack(cg_stack_here())->depth, 1);
}
END_TEST

static void cases(TCase *tc)
{
	core_fixtures(tc);
	tcase_add_test(tc, the_same_stack_has_one_id_and_others_have_others);
	tcase_add_test(tc, every_frame_counts);
	tcase_add_test(tc, too_deep_and_empty_ones_are_refused);
	tcase_add_test(tc, without_a_recorder_there_are_none);
	tcase_add_test(tc, ids_out_of_range_name_nothing);
	tcase_add_test(tc, a_full_arena_gives_0_and_counts);
	tcase_add_test(tc, a_full_index_gives_0_and_counts);
	tcase_add_test(tc, threads_that_race_agree_on_ids);
	tcase_add_test(tc, the_stack_here_is_cut_at_the_depth_that_was_set);
}
