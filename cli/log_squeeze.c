/*
 * log_squeeze.c: replaces the arrays of a line.
 */
#include "log_squeeze.h"

#include <stdio.h>
#include <string.h>

/* No number that takes an array's place is longer. */
enum { WORTHWHILE = 16 };

/* Behind the quote that ends the string whose first character is at `at`; NULL where it does not end. */
static const char *behind_string(const char *at, const char *end)
{
	while ((at = memchr(at, '"', (size_t)(end - at))) != NULL) {
		size_t slashes = 0;
		while (at[-1 - (ptrdiff_t)slashes] == '\\')
			slashes++;
		at++;
		if (slashes % 2 == 0)
			return at;
	}
	return NULL;
}

/* Behind the ']' of the array at `at`; NULL where it does not end. */
static const char *behind_array(const char *at, const char *end)
{
	unsigned depth = 0;
	while (at && at < end) {
		char c = *at++;
		if (c == '"') {
			at = behind_string(at, end);
		} else if (c == '[') {
			depth++;
		} else if (c == ']' && --depth == 0) {
			return at;
		}
	}
	return NULL;
}

static void put(struct cg_squeeze *squeeze, const char *from, const char *to)
{
	memcpy(squeeze->text + squeeze->size, from, (size_t)(to - from));
	squeeze->size += (size_t)(to - from);
}

static void put_number(struct cg_squeeze *squeeze, size_t number)
{
	char text[WORTHWHILE];
	int length = snprintf(text, sizeof text, "%zu", number);
	put(squeeze, text, text + length);
}

/* The name of the string at `at` is `name`, and an array follows: where that begins, else NULL. */
static const char *array_of(const char *at, const char *end, const char *name)
{
	size_t length = strlen(name);
	if ((size_t)(end - at) < length + 3 || memcmp(at, name, length) != 0 || at[length] != '"')
		return NULL;
	for (at += length + 1; at < end && (*at == ' ' || *at == ':'); at++)
		;
	return at < end && *at == '[' ? at : NULL;
}

/* False where the stack is damaged. */
static bool put_stack(struct cg_squeeze *squeeze, const char *array, const char *behind)
{
	int64_t number = cg_code_stack_number(&squeeze->merge->code, array, (size_t)(behind - array));
	if (number >= 0)
		put_number(squeeze, (size_t)number);
	else if (number == CG_STACK_NO_ROOM)
		put(squeeze, array, behind);
	return number != CG_STACK_DAMAGED;
}

static void put_sockets(struct cg_squeeze *squeeze, const char *array, const char *behind)
{
	struct cg_merge *merge = squeeze->merge;
	if (merge->raw_count == CG_MERGE_RAW) {
		put(squeeze, array, behind);
		return;
	}
	merge->raw[merge->raw_count] = (struct cg_merge_raw){array, (size_t)(behind - array)};
	put_number(squeeze, merge->raw_count++);
}

bool cg_log_squeeze(struct cg_squeeze *squeeze, const char *line, size_t size)
{
	const char *end = line + size, *done = line, *at = line;
	squeeze->size = 0;
	squeeze->merge->raw_count = 0;
	while ((at = memmem(at, (size_t)(end - at), "\"s", 2)) != NULL) {
		bool is_name = at > line && at[-1] != '\\';
		const char *stack = is_name ? array_of(at + 1, end, "stack") : NULL;
		const char *array = stack || !is_name ? stack : array_of(at + 1, end, "sockets");
		const char *behind = array ? behind_array(array, end) : NULL;
		at += 2;
		if (!behind || behind - array < WORTHWHILE)
			continue;
		put(squeeze, done, array);
		if (!stack)
			put_sockets(squeeze, array, behind);
		else if (!put_stack(squeeze, array, behind))
			return false;
		at = done = behind;
	}
	put(squeeze, done, end);
	return true;
}
