/*
 * sweep_names.h: the time for names. Sweep thread or exiting thread, one at a time.
 */
#ifndef CG_SWEEP_NAMES_H
#define CG_SWEEP_NAMES_H

#include <stdbool.h>

#include "report.h"

/* Begins a report with that much CPU time for names, or what is left of it in the process's last. */
void cg_sweep_names_begin(uint64_t budget_ns, bool may_load);

/* The process ends after what is told now: all of it has 200 ms of CPU time, and 150 ms by the clock. */
void cg_sweep_names_last(void);

/* Is the process's end told without some names, for want of time? */
bool cg_sweep_names_missing(void);

/*
 * Looks up the functions in a finding before its lines are written, the program's own first; sets names_pending where
 * some could not be looked up now and may be later.
 */
void cg_sweep_names_of(struct cg_finding *finding);

/*
 * Shall the telling of the finding at this index of the kept ones wait for its names? Not the first of a sweep, which
 * had all the time that there is, and none for longer than five seconds. `first` is the caller's, true at first.
 */
bool cg_sweep_names_wait(unsigned index, const struct cg_finding *finding, uint64_t now_ns, bool *first);

void cg_sweep_names_after_fork(void);

#endif
