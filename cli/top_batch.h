/*
 * top_batch.h: `closeguard top` without a terminal: lines that a script can grep.
 */
#ifndef CG_TOP_BATCH_H
#define CG_TOP_BATCH_H

#include "top_options.h"

/* Writes the lines of each interval until it has done so `iterations` times. Returns an exit code. */
int cg_top_batch_run(const struct cg_top_options *options);

#endif
