/*
 * top_options.h: what `closeguard top` was asked for.
 */
#ifndef CG_TOP_OPTIONS_H
#define CG_TOP_OPTIONS_H

#include "top_rows.h"
#include "top_watch.h"

struct cg_top_options {
	pid_t pid; /* 0: all */
	uint64_t interval_ns;
	unsigned long iterations; /* 0: without end */
	bool batch;
	struct cg_top_choice processes, findings;
	struct cg_top_filter filter;
	struct cg_top_watch *watch; /* refreshed once */
};

/* Reads arguments. Returns -1 to go on, or an exit code after everything has been said. */
int cg_top_options_parse(int argc, char **argv, struct cg_top_options *ret);

#endif
