/*
 * log_read.h: a log, line by line, into a merge.
 */
#ifndef CG_LOG_READ_H
#define CG_LOG_READ_H

#include "log_input.h"
#include "merge.h"

/*
 * Takes in all lines that can be understood and adds a warning for each way in which others could not. `show` is called
 * now and then, for progress. Returns 0, or -EINVAL where nothing at all was of closeguard, with one line that says so.
 */
int cg_log_read(struct cg_merge *merge, struct cg_input *input, void (*show)(const struct cg_input *input),
                char ret_why[CG_RECORDING_WHY]);

/* A saved report. Returns 0, or -errno with one line. */
int cg_log_read_report(struct cg_merge *merge, struct cg_input *input, char ret_why[CG_RECORDING_WHY]);

#endif
