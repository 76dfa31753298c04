/* glob.c: shell-like patterns, without recursion: what a star took is given back one character at a time. */
#include <stddef.h>

#include "policy.h"

/*
 * Does the set at `set` (behind its "[") hold c? *ret_end is behind its "]", or NULL where that is missing; the "["
 * then stands for itself. A "]" right at the beginning is one of the set.
 */
static bool in_set(const char *set, char c, const char **ret_end)
{
	bool negated = *set == '!', found = false;
	const char *at = set + negated;
	for (bool first = true; *at && (first || *at != ']'); first = false) {
		at += *at == '\\' && at[1];
		unsigned char low = (unsigned char)*at++, high = low;
		if (*at == '-' && at[1] && at[1] != ']') {
			at += 1 + (at[1] == '\\' && at[2]);
			high = (unsigned char)*at++;
		}
		found |= low <= (unsigned char)c && (unsigned char)c <= high;
	}
	*ret_end = *at ? at + 1 : NULL;
	return found != negated;
}

/* Matches one character, which is not the end, with what stands at `pattern`; NULL, or what comes after it there. */
static const char *match_one(const char *pattern, char c)
{
	const char *end;
	if (*pattern == '?')
		return pattern + 1;
	if (*pattern == '[') {
		bool found = in_set(pattern + 1, c, &end);
		if (end)
			return found ? end : NULL;
	}
	pattern += *pattern == '\\' && pattern[1];
	return *pattern == c ? pattern + 1 : NULL;
}

bool cg_policy_glob(const char *pattern, const char *text)
{
	const char *after_star = NULL, *taken = NULL;
	while (*text || *pattern) {
		if (*pattern == '*') {
			after_star = ++pattern;
			taken = text;
			continue;
		}
		const char *next = *text ? match_one(pattern, *text) : NULL;
		if (next) {
			pattern = next;
			text++;
		} else if (after_star && *taken) {
			pattern = after_star;
			text = ++taken;
		} else {
			return false;
		}
	}
	return true;
}
