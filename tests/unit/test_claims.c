/* test_claims.c: of processes that share a listener one has its backlog. */
#include "unit.h"

#include <sys/wait.h>

#include "track_claims.h"

static const uint64_t second = 1000000000u, stale = 15000000000u;

static enum cg_claim take(uint64_t inode, uint64_t at_s, bool opener, bool urgent)
{
	return cg_claims_take(inode, at_s * second, stale, opener, urgent);
}

/* What a forked child is answered. */
static enum cg_claim child_takes(uint64_t inode, uint64_t at_s, bool urgent)
{
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		cg_claims_fork_child();
		_exit((int)take(inode, at_s, false, urgent));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return (enum cg_claim)WEXITSTATUS(status);
}

START_TEST(without_a_page_nothing_is_known)
{
	ck_assert_int_eq(take(7, 100, true, false), CG_CLAIM_UNKNOWN);
	cg_claims_before_fork();
	ck_assert_int_eq(take(0, 100, true, false), CG_CLAIM_UNKNOWN);
	ck_assert_int_eq(take(7, 100, true, false), CG_CLAIM_MINE);
}
END_TEST

START_TEST(the_opener_has_it_at_once)
{
	cg_claims_before_fork();
	ck_assert_int_eq(take(7, 100, true, false), CG_CLAIM_MINE);
	ck_assert_int_eq(child_takes(7, 100, false), CG_CLAIM_OTHERS);
	ck_assert_int_eq(child_takes(7, 114, true), CG_CLAIM_OTHERS);
	ck_assert_int_eq(take(7, 114, true, false), CG_CLAIM_MINE);
	ck_assert_int_eq(child_takes(7, 128, false), CG_CLAIM_OTHERS);
}
END_TEST

START_TEST(one_that_is_not_renewed_is_free)
{
	cg_claims_before_fork();
	ck_assert_int_eq(take(7, 100, true, false), CG_CLAIM_MINE);
	ck_assert_int_eq(child_takes(7, 116, false), CG_CLAIM_MINE);
	ck_assert_int_eq(child_takes(7, 117, false), CG_CLAIM_OTHERS);
	ck_assert_int_eq(take(7, 118, true, false), CG_CLAIM_OTHERS);
	ck_assert_int_eq(take(7, 119, true, true), CG_CLAIM_MINE);
}
END_TEST

START_TEST(a_child_leaves_it_to_the_opener_for_a_moment)
{
	cg_claims_before_fork();
	ck_assert_int_eq(child_takes(7, 100, false), CG_CLAIM_SOON);
	ck_assert_int_eq(child_takes(7, 101, false), CG_CLAIM_SOON);
	ck_assert_int_eq(child_takes(7, 103, false), CG_CLAIM_MINE);
	ck_assert_int_eq(take(7, 104, true, false), CG_CLAIM_OTHERS);
	ck_assert_int_eq(child_takes(8, 104, true), CG_CLAIM_MINE);
}
END_TEST

START_TEST(there_is_an_end_of_room)
{
	uint64_t taken = 0;
	cg_claims_before_fork();
	for (uint64_t inode = 1; inode < 1000; inode++)
		taken += take(inode, 100, true, false) == CG_CLAIM_MINE;
	ck_assert_uint_ge(taken, 100);
	ck_assert_int_eq(take(999, 100, true, false), CG_CLAIM_UNKNOWN);
	ck_assert_int_eq(take(1, 100, true, false), CG_CLAIM_MINE);
}
END_TEST

/* Each begins without the page: Check runs every test in a process of its own. */
static void cases(TCase *tc)
{
	tcase_add_test(tc, without_a_page_nothing_is_known);
	tcase_add_test(tc, the_opener_has_it_at_once);
	tcase_add_test(tc, one_that_is_not_renewed_is_free);
	tcase_add_test(tc, a_child_leaves_it_to_the_opener_for_a_moment);
	tcase_add_test(tc, there_is_an_end_of_room);
}
