/*
 * sweep_state.h: what the sweep's files know of each other: the look that is under way, and what was asked for.
 */
#ifndef CG_SWEEP_STATE_H
#define CG_SWEEP_STATE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "options.h"
#include "suspects.h"

extern struct cg_sweep_state {
	const struct cg_options *options;
	struct cg_sweep sweep;
	_Atomic unsigned requests;    /* REQUEST_… of sweep.c, not answered yet */
	_Atomic unsigned wake_word;   /* changes with each reason to wake the thread */
	_Atomic unsigned drain_wakes; /* how many of those were only about drains */
	_Atomic unsigned done_word;   /* changes when the thread has answered */
	_Atomic bool main_left;
	unsigned quiet_rounds; /* looks in a row that saw nothing suspicious */
} cg_sweep_state;

/* Between two looks: short enough to see a socket before it is old enough to be told. */
uint64_t cg_sweep_interval(const struct cg_options *options);

/* Sleeps until the next look is due or something was asked for, and drains meanwhile. Sweep thread only. */
void cg_sweep_rest(unsigned seen);

#endif
