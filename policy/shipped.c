/* shipped.c: suppressions from a text, without libconfig: they hold in programs that have no policy. */
#include <string.h>

#include "policy.h"

struct text {
	const char *at, *end;
};

static void skip_blanks(struct text *text)
{
	while (text->at < text->end && strchr(" \t\n", *text->at) && *text->at)
		text->at++;
}

static bool skip(struct text *text, char c)
{
	skip_blanks(text);
	if (text->at == text->end || *text->at != c)
		return false;
	text->at++;
	return true;
}

static bool skip_word(struct text *text, const char *word)
{
	size_t n = strlen(word);
	skip_blanks(text);
	if ((size_t)(text->end - text->at) < n || memcmp(text->at, word, n) != 0)
		return false;
	text->at += n;
	return skip(text, '=');
}

/* Between quotes, without escapes. */
static bool read_string(struct text *text, char *ret, size_t room)
{
	if (!skip(text, '"'))
		return false;
	const char *from = text->at;
	while (text->at < text->end && *text->at != '"' && *text->at != '\\')
		text->at++;
	size_t n = (size_t)(text->at - from);
	if (n >= room || !skip(text, '"'))
		return false;
	memcpy(ret, from, n);
	ret[n] = '\0';
	return true;
}

static bool read_number(struct text *text, uint32_t *ret)
{
	uint64_t number = 0;
	skip_blanks(text);
	const char *from = text->at;
	for (; text->at < text->end && *text->at >= '0' && *text->at <= '9' && number < UINT32_MAX; text->at++)
		number = 10 * number + (uint64_t)(*text->at - '0');
	*ret = (uint32_t)number;
	return text->at > from && number > 0 && number < UINT32_MAX;
}

static bool read_stack(struct text *text, struct cg_policy_suppression *ret)
{
	if (!skip(text, '['))
		return false;
	do {
		if (ret->glob_count == CG_POLICY_GLOBS ||
		    !read_string(text, ret->stack[ret->glob_count], sizeof ret->stack[0]))
			return false;
		ret->glob_count++;
	} while (skip(text, ','));
	return skip(text, ']');
}

static bool read_entry(struct text *text, struct cg_policy_suppression *ret)
{
	if (skip_word(text, "kind"))
		return read_string(text, ret->kind, sizeof ret->kind);
	if (skip_word(text, "cause"))
		return read_string(text, ret->cause, sizeof ret->cause);
	if (skip_word(text, "stack"))
		return read_stack(text, ret);
	if (skip_word(text, "max"))
		return read_number(text, &ret->max);
	return skip_word(text, "reason") && read_string(text, ret->reason, sizeof ret->reason);
}

/* Moves on only where there is one. */
static bool read_suppression(struct text *text, struct cg_policy_suppression *ret)
{
	struct text here = *text;
	memset(ret, 0, sizeof *ret);
	if (!skip(&here, '{'))
		return false;
	while (!skip(&here, '}'))
		if (!read_entry(&here, ret) || !skip(&here, ';'))
			return false;
	*text = here;
	return ret->kind[0] && ret->glob_count && ret->max && ret->reason[0];
}

static void skip_comment(struct text *text)
{
	while (text->at < text->end && *text->at != '\n')
		text->at++;
}

unsigned cg_policy_read_suppressions(const char *text, size_t size, struct cg_policy_suppression *ret, unsigned max)
{
	struct text rest = {text, text + size};
	unsigned n = 0;
	while (rest.at < rest.end && n < max) {
		if (*rest.at == '#')
			skip_comment(&rest);
		else if (*rest.at == '{' && read_suppression(&rest, &ret[n]))
			n++;
		else
			rest.at++;
	}
	return n;
}
