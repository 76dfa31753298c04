/*
 * report_output.h: a file that is there whole or not at all.
 */
#ifndef CG_REPORT_OUTPUT_H
#define CG_REPORT_OUTPUT_H

#include <limits.h>
#include <stdio.h>

struct cg_output {
	FILE *file;
	char path[PATH_MAX];      /* "" standard output */
	char temporary[PATH_MAX]; /* what is written until the end; "" it is path itself, which is no regular file */
};

/* Opens a temporary file beside `path`; NULL or "-" is standard output. Returns 0 or -errno. */
int cg_output_open(const char *path, struct cg_output *ret);

/* Puts the whole file in its place. Returns 0, or -errno, and then what was at the path is as it was. */
int cg_output_finish(struct cg_output *output);

/* Leaves everything as it was. */
void cg_output_abandon(struct cg_output *output);

#endif
