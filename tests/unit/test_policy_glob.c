/* Patterns: what they match, what they do not, and that none takes long. */
#include "unit.h"

#include "policy.h"

#include <time.h>

START_TEST(matches)
{
	static const struct {
		const char *pattern, *text;
		bool fits;
	} table[] = {
	    {"", "", true},
	    {"", "a", false},
	    {"a", "", false},
	    {"abc", "abc", true},
	    {"abc", "abcd", false},
	    {"abc", "ab", false},
	    {"abc", "ABC", false},
	    {"*", "", true},
	    {"*", "anything/at all", true},
	    {"**", "", true},
	    {"?", "", false},
	    {"?", "a", true},
	    {"?", "ab", false},
	    {"a*", "a", true},
	    {"a*", "ba", false},
	    {"*a", "bca", true},
	    {"*a", "bcab", false},
	    {"*ab*", "xaabx", true},
	    {"a*b*c", "a1b2b3c", true},
	    {"a*b*c", "a1c2b", false},
	    {"*?a", "a", false},
	    {"[abc]", "b", true},
	    {"[abc]", "d", false},
	    {"[a-c]x", "bx", true},
	    {"[a-c]x", "dx", false},
	    {"[!a-c]", "d", true},
	    {"[!a-c]", "b", false},
	    {"[!a-c]", "", false},
	    {"[]]", "]", true},
	    {"[!]]", "]", false},
	    {"[!]]", "x", true},
	    {"[a-]", "-", true},
	    {"[-a]", "-", true},
	    {"[a\\]b]", "]", true},
	    {"[\\!a]", "!", true},
	    {"[a-\\z]", "q", true},
	    {"[*]", "*", true},
	    {"[*]", "x", false},
	    {"\\*", "*", true},
	    {"\\*", "x", false},
	    {"\\\\", "\\", true},
	    {"\\a", "a", true},
	    {"a\\", "a\\", true},
	    {"a[b", "a[b", true},
	    {"a[b", "ab", false},
	    {"[\xc0-\xff]", "\xe4", true},
	    {"operator[[]]", "operator[]", true},
	    {"std::*<*>::open", "std::vector<int>::open", true},
	};
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		ck_assert_msg(cg_policy_glob(table[i].pattern, table[i].text) == table[i].fits, "%s and %s",
		              table[i].pattern, table[i].text);
}
END_TEST

/* A backtracking matcher would need longer than the universe has been there. */
START_TEST(many_stars)
{
	static char text[100001], pattern[CG_POLICY_GLOB];
	memset(text, 'a', sizeof text - 1);
	for (size_t i = 0; i + 2 < sizeof pattern; i += 2)
		memcpy(pattern + i, "*a", 2);
	pattern[sizeof pattern - 2] = 'b';
	clock_t before = clock();
	ck_assert(!cg_policy_glob(pattern, text));
	ck_assert_int_lt(clock() - before, 5 * CLOCKS_PER_SEC);
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_test(tc, matches);
	tcase_add_test(tc, many_stars);
}
