/* The suppressions that come with the library: what reads them in programs without a policy agrees with the parser. */
#include "unit.h"

#include "policy.h"

#define ENTRY "{ kind = \"close_wait\"; stack = [ \"lib*\" ]; max = 5; reason = \"a cache\"; }"

static struct cg_policy_suppression list[8];

static unsigned read_text(const char *text)
{
	return cg_policy_read_suppressions(text, strlen(text), list, 8);
}

START_TEST(an_entry_on_a_line)
{
	ck_assert_uint_eq(read_text("# a comment\nsuppress = (\n  " ENTRY ",\n" ENTRY), 2);
	ck_assert_str_eq(list[1].kind, "close_wait");
	ck_assert_str_eq(list[1].cause, "");
	ck_assert_uint_eq(list[1].glob_count, 1);
	ck_assert_str_eq(list[1].stack[0], "lib*");
	ck_assert_uint_eq(list[1].max, 5);
	ck_assert_str_eq(list[1].reason, "a cache");
	ck_assert_uint_eq(read_text("{kind=\"a\";stack=[\"b\",\"c\"];max=1;reason=\"d\";}"), 1);
	ck_assert_uint_eq(list[0].glob_count, 2);
	ck_assert_uint_eq(read_text("{\n  kind = \"a\";\n\tstack = [ \"b\" ];\n  max = 1;\n  reason = \"d\";\n}"), 1);
	ck_assert_uint_eq(read_text("# " ENTRY "\n" ENTRY), 1);
	ck_assert_uint_eq(read_text("{ kind = \"a\" " ENTRY), 1);
	ck_assert_uint_eq(cg_policy_read_suppressions(ENTRY "\n" ENTRY, strlen(ENTRY) * 2 + 1, list, 1), 1);
}
END_TEST

START_TEST(what_is_no_entry)
{
	static const char *const wrong[] = {
	    "",
	    "{",
	    "{ kind = \"close_wait\"; stack = [ \"a\" ]; reason = \"no max\"; }",
	    "{ kind = \"close_wait\"; stack = [ \"a\" ]; max = 5; }",
	    "{ kind = \"close_wait\"; max = 5; reason = \"no stack\"; }",
	    "{ stack = [ \"a\" ]; max = 5; reason = \"no kind\"; }",
	    "{ kind = \"close_wait\"; stack = [ \"a\" ]; max = 0; reason = \"none\"; }",
	    "{ kind = \"close_wait\"; stack = [ \"a\" ]; max = 99999999999; reason = \"too many\"; }",
	    "{ kind = \"close_wait\"; stack = [ \"a\" ]; max = 5; reason = \"cut",
	    "{ kind = \"close_wait\"; stack = [ \"a\" ]; max = 5; reason = \"an unknown word\"; peer = \"b\"; }",
	    "{ kind = \"a kind of more than twenty-three\"; stack = [ \"a\" ]; max = 5; reason = \"b\"; }"};
	for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++)
		ck_assert_msg(read_text(wrong[i]) == 0, "%s", wrong[i]);
}
END_TEST

static bool same(const struct cg_policy_suppression *a, const struct cg_policy_suppression *b)
{
	return strcmp(a->kind, b->kind) == 0 && strcmp(a->cause, b->cause) == 0 && a->max == b->max &&
	       a->glob_count == b->glob_count && memcmp(a->stack, b->stack, sizeof a->stack) == 0 &&
	       strcmp(a->reason, b->reason) == 0;
}

START_TEST(the_file)
{
	static struct cg_policy policy;
	static char errors[4][CG_POLICY_LINE], warnings[4][CG_POLICY_LINE], text[16384];
	unsigned warned;
	FILE *file = fopen("shim/suppressions.cfg", "r");
	ck_assert_ptr_nonnull(file);
	size_t size = fread(text, 1, sizeof text, file);
	fclose(file);
	ck_assert(size > 0 && size < sizeof text);
	int wrong = cg_policy_load("shim/suppressions.cfg", NULL, &policy, errors, 4, warnings, 4, &warned);
	ck_assert_msg(wrong == 0, "%s", errors[0]);
	ck_assert_uint_gt(policy.suppression_count, 0);
	ck_assert_uint_eq(cg_policy_read_suppressions(text, size, list, 8), policy.suppression_count);
	for (unsigned i = 0; i < policy.suppression_count; i++)
		ck_assert_msg(same(&list[i], &policy.suppressions[i]), "suppression %u", i + 1);
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_test(tc, an_entry_on_a_line);
	tcase_add_test(tc, what_is_no_entry);
	tcase_add_test(tc, the_file);
}
