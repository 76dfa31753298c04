/*
 * report_paper.h: text as the place where it goes can show it: so wide, in its characters, with colour or without.
 */
#ifndef CG_REPORT_PAPER_H
#define CG_REPORT_PAPER_H

#include <stdbool.h>
#include <stdio.h>

enum cg_colour { CG_COLOUR_AUTO, CG_COLOUR_ALWAYS, CG_COLOUR_NEVER };

struct cg_paper {
	FILE *out;
	unsigned width; /* columns; 0: lines are as long as they are */
	bool colour, utf8;
};

/*
 * What `out` is: a terminal's width (0 for anything else) unless `width` is given, colour only on a terminal, and there
 * not with NO_COLOR or TERM=dumb, unless `colour` says otherwise.
 */
struct cg_paper cg_paper_of(FILE *out, enum cg_colour colour, unsigned width);

/*
 * Writes whole lines. Longer ones go on below, indented. A line that begins with "closeguard: " is a headline and
 * coloured by the verdict in it.
 */
void cg_paper_write(const struct cg_paper *paper, const char *text);

#endif
