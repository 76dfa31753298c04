/*
 * top_lines.h: lines of text that are scrolled through: an opened finding, the help.
 */
#ifndef CG_TOP_LINES_H
#define CG_TOP_LINES_H

#include "top_columns.h"

struct cg_top_line {
	enum cg_top_tone tone;
	char *text;
};

struct cg_top_lines {
	struct cg_top_line *list;
	unsigned count, room;
	unsigned width; /* of the screen; lines are made for it */
};

void cg_top_lines_clear(struct cg_top_lines *lines, unsigned width);

/* One line as it is. Without memory it is left out. */
void cg_top_lines_add(struct cg_top_lines *lines, enum cg_top_tone tone, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As many lines as the width asks for, broken between words; those after the first begin with `indent` blanks. */
void cg_top_lines_wrap(struct cg_top_lines *lines, enum cg_top_tone tone, unsigned indent, const char *text);

#endif
