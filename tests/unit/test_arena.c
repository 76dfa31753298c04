/* test_arena.c: memory for one sweep. */
#include "arena.h"
#include "unit.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>

enum { BLOCK = 256 << 10, PAGE = 4096 };

static void *page_of(const void *p)
{
	return (void *)((uintptr_t)p & ~(uintptr_t)(PAGE - 1)); // NOLINT(performance-no-int-to-ptr)
}

static bool is_mapped(const void *p)
{
	unsigned char resident;
	return mincore(page_of(p), 1, &resident) == 0;
}

static bool is_all(unsigned char byte, const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != byte)
			return false;
	return true;
}

static bool is_zero(const unsigned char *p, size_t n)
{
	return is_all(0, p, n);
}

START_TEST(pieces_are_aligned_zeroed_and_apart)
{
	struct cg_arena arena = {0};
	unsigned char *before = NULL;
	for (size_t n = 1; n < 600; n += 7) {
		unsigned char *p = cg_arena_alloc(&arena, n);
		ck_assert_ptr_nonnull(p);
		ck_assert_uint_eq((uintptr_t)p % 16, 0);
		ck_assert(is_zero(p, n));
		if (before)
			ck_assert(before + n - 7 <= p);
		memset(p, 0xff, n);
		before = p;
	}
}
END_TEST

START_TEST(a_second_block_is_taken_when_the_first_is_full)
{
	struct cg_arena arena = {0};
	unsigned char *pieces[300];
	for (unsigned i = 0; i < 300; i++) {
		pieces[i] = cg_arena_alloc(&arena, 1024);
		ck_assert_ptr_nonnull(pieces[i]);
		ck_assert(is_zero(pieces[i], 1024));
		memset(pieces[i], (int)i, 1024);
	}
	ck_assert_ptr_ne(arena.first, arena.last);
	for (unsigned i = 0; i < 300; i++)
		ck_assert(is_all((unsigned char)i, pieces[i], 1024));
}
END_TEST

START_TEST(a_piece_may_be_larger_than_a_block)
{
	struct cg_arena arena = {0};
	size_t n = 5 * BLOCK + 1;
	unsigned char *p = cg_arena_alloc(&arena, n), *next;
	ck_assert_ptr_nonnull(p);
	memset(p, 1, n);
	next = cg_arena_alloc(&arena, n);
	ck_assert_ptr_nonnull(next);
	ck_assert(is_zero(next, n));
	ck_assert(next >= p + n || next + n <= p);
}
END_TEST

START_TEST(a_reset_keeps_one_block_and_gives_the_rest_back)
{
	struct cg_arena arena = {0};
	unsigned char *first = cg_arena_alloc(&arena, 100), *again;
	memset(first, 0xff, 100);
	unsigned char *second = cg_arena_alloc(&arena, BLOCK), *third = cg_arena_alloc(&arena, BLOCK);
	ck_assert(is_mapped(second) && is_mapped(third));
	cg_arena_reset(&arena);
	ck_assert(!is_mapped(second) && !is_mapped(third));
	cg_arena_reset(&arena); /* nothing is given back twice */
	again = cg_arena_alloc(&arena, 100);
	ck_assert_ptr_eq(again, first);
	ck_assert(is_zero(again, 100));
	/* The kept block is the last one too: what comes next is chained to it. */
	second = cg_arena_alloc(&arena, BLOCK);
	ck_assert_ptr_nonnull(second);
	cg_arena_reset(&arena);
	ck_assert(!is_mapped(second));
	ck_assert_ptr_eq(cg_arena_alloc(&arena, 100), first);
}
END_TEST

START_TEST(an_unused_arena_may_be_reset)
{
	struct cg_arena arena = {0};
	cg_arena_reset(&arena);
	ck_assert_ptr_null(arena.first);
	ck_assert_ptr_nonnull(cg_arena_alloc(&arena, 0));
}
END_TEST

START_TEST(too_much_is_refused_and_does_no_harm)
{
	struct cg_arena arena = {0};
	struct rlimit before, none;
	unsigned char *p = cg_arena_alloc(&arena, 64);
	ck_assert_ptr_null(cg_arena_alloc(&arena, SIZE_MAX));
	ck_assert_ptr_null(cg_arena_alloc(&arena, SIZE_MAX - 15));
	ck_assert_ptr_null(cg_arena_alloc(&arena, SIZE_MAX / 2));
	ck_assert_int_eq(getrlimit(RLIMIT_AS, &before), 0);
	none = (struct rlimit){PAGE, before.rlim_max};
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &none), 0);
	void *refused = cg_arena_alloc(&arena, BLOCK), *small = cg_arena_alloc(&arena, 64);
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &before), 0);
	ck_assert_ptr_null(refused);
	ck_assert_ptr_eq(small, p + 64);
	ck_assert_ptr_nonnull(cg_arena_alloc(&arena, BLOCK));
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_test(tc, pieces_are_aligned_zeroed_and_apart);
	tcase_add_test(tc, a_second_block_is_taken_when_the_first_is_full);
	tcase_add_test(tc, a_piece_may_be_larger_than_a_block);
	tcase_add_test(tc, a_reset_keeps_one_block_and_gives_the_rest_back);
	tcase_add_test(tc, an_unused_arena_may_be_reset);
	tcase_add_test(tc, too_much_is_refused_and_does_no_harm);
}
