/*
 * report_options.h: what a report is asked for.
 */
#ifndef CG_REPORT_OPTIONS_H
#define CG_REPORT_OPTIONS_H

#include "report_paper.h"

enum cg_report_format { CG_REPORT_TEXT, CG_REPORT_JSON, CG_REPORT_FOLDED, CG_REPORT_HTML };

struct cg_report_options {
	enum cg_report_format format;
	enum cg_colour colour;
	unsigned width;     /* 0: the terminal's */
	const char *output; /* NULL: standard output */
	const char *old;    /* NULL: no comparison */
	const char *place;  /* whose stacks are folded: "opened", "eof" or "last_use" */
	bool source;        /* lines of source around places are wanted in text and JSON too */
	const char *folder; /* where they are looked for; NULL: the current one */
	bool exit_zero;     /* a leak that was found does not show in the exit status */
	int first;          /* index of the first argument that is no option */
};

/*
 * Takes the options. Returns -1, or the exit code to end with: help was printed, or one line on what is wrong was.
 */
int cg_report_options(int argc, char **argv, struct cg_report_options *ret);

#endif
