/*
 * top_lines.c: collects and breaks lines.
 */
#include "top_lines.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 2048, WIDTH_LEAST = 20 };

void cg_top_lines_clear(struct cg_top_lines *lines, unsigned width)
{
	for (unsigned i = 0; i < lines->count; i++)
		free(lines->list[i].text);
	lines->count = 0;
	lines->width = width > WIDTH_LEAST ? width : WIDTH_LEAST;
}

static void take(struct cg_top_lines *lines, enum cg_top_tone tone, const char *text)
{
	if (lines->count == lines->room) {
		unsigned room = lines->room ? 2 * lines->room : 64;
		struct cg_top_line *list = realloc(lines->list, room * sizeof *list);
		if (!list)
			return;
		lines->list = list;
		lines->room = room;
	}
	struct cg_top_line line = {tone, strdup(text)};
	if (line.text)
		lines->list[lines->count++] = line;
}

void cg_top_lines_add(struct cg_top_lines *lines, enum cg_top_tone tone, const char *format, ...)
{
	char text[LINE_BYTES];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	take(lines, tone, text);
}

/* How many bytes of the text go into one line: up to the last blank that fits, or as many as fit. */
static size_t bytes_that_fit(const char *text, unsigned width)
{
	size_t length = strlen(text), at = width;
	if (length <= width)
		return length;
	while (at > 0 && text[at] != ' ')
		at--;
	return at ? at : width;
}

void cg_top_lines_wrap(struct cg_top_lines *lines, enum cg_top_tone tone, unsigned indent, const char *text)
{
	unsigned before = 0;
	do {
		size_t n = bytes_that_fit(text, lines->width - before);
		cg_top_lines_add(lines, tone, "%*s%.*s", (int)before, "", (int)n, text);
		text += n;
		text += strspn(text, " ");
		before = indent;
	} while (*text);
}
