/* Which findings a policy bears. */
#include "unit.h"

#include "policy.h"

static struct cg_policy policy;

static const struct cg_policy_frame curl[] = {{"connect", "libc.so.6"},
                                              {"Curl_socket", "/usr/lib/libcurl.so.4"},
                                              {"Curl_connect", "/usr/lib/libcurl.so.4"},
                                              {"", "app"},
                                              {"main", "app"}};
static const struct cg_policy_frame other[] = {{"worker", "app"}, {"start_thread", "libc.so.6"}};

static int ask(const char *kind, const char *cause)
{
	const struct cg_policy_frame *stacks[] = {other, curl};
	unsigned counts[] = {2, 5};
	return cg_policy_suppressed(&policy, kind, cause, stacks, counts, 2);
}

static void suppress(const char *kind, const char *cause, const char *first, const char *second)
{
	struct cg_policy_suppression *one = &policy.suppressions[policy.suppression_count++];
	memset(one, 0, sizeof *one);
	strcpy(one->kind, kind);
	strcpy(one->cause, cause);
	if (first)
		strcpy(one->stack[one->glob_count++], first);
	if (second)
		strcpy(one->stack[one->glob_count++], second);
}

static bool fits(const char *kind, const char *cause, const char *first, const char *second)
{
	policy.suppression_count = 0;
	suppress(kind, cause, first, second);
	return ask("close_wait", "eof_ignored") == 0;
}

START_TEST(words)
{
	ck_assert_int_eq(ask("close_wait", "eof_ignored"), -1);
	ck_assert(fits("close_wait", "", NULL, NULL));
	ck_assert(fits("", "eof_ignored", NULL, NULL));
	ck_assert(fits("close_wait", "eof_ignored", NULL, NULL));
	ck_assert(!fits("close_wai", "", NULL, NULL));
	ck_assert(!fits("fin_wait2", "", NULL, NULL));
	ck_assert(!fits("close_wait", "shared", NULL, NULL));
}
END_TEST

START_TEST(globs_of_a_stack)
{
	ck_assert(fits("", "", "Curl_*", NULL));
	ck_assert(fits("", "", "worker", NULL));
	ck_assert(fits("", "", "libcurl.so*", NULL));           /* a module, without its folder */
	ck_assert(fits("", "", "/usr/lib/libcurl.so.4", NULL)); /* and with it */
	ck_assert(!fits("", "", "Curl_close", NULL));
	ck_assert(fits("", "", "Curl_socket", "main"));
	ck_assert(fits("", "", "Curl_*", "Curl_*")); /* two frames */
	ck_assert(!fits("", "", "Curl_socket", "Curl_socket"));
	ck_assert(!fits("", "", "main", "Curl_socket")); /* from the innermost outwards */
	ck_assert(!fits("", "", "worker", "main"));      /* of one stack */
	ck_assert(!fits("", "", "?unnamed?", NULL));
	ck_assert(fits("", "", "*", "start_thread"));
}
END_TEST

START_TEST(unknown_function)
{
	static const struct cg_policy_frame bare[] = {{"", "plugin"}};
	const struct cg_policy_frame *stacks[] = {bare};
	unsigned count = 1;
	suppress("", "", "[!a-z]", NULL);
	ck_assert_int_eq(cg_policy_suppressed(&policy, "", "", stacks, &count, 1), -1);
	suppress("", "", "plug*", NULL);
	ck_assert_int_eq(cg_policy_suppressed(&policy, "", "", stacks, &count, 1), 1);
	ck_assert_int_eq(cg_policy_suppressed(&policy, "", "", stacks, &count, 0), -1);
}
END_TEST

START_TEST(the_first_is_told)
{
	suppress("fin_wait1", "", NULL, NULL);
	suppress("", "", "main", NULL);
	suppress("close_wait", "", NULL, NULL);
	ck_assert_int_eq(ask("close_wait", ""), 1);
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_test(tc, words);
	tcase_add_test(tc, globs_of_a_stack);
	tcase_add_test(tc, unknown_function);
	tcase_add_test(tc, the_first_is_told);
}
