/*
 * sweep_report.h: from groups to lines in the log. Sweep thread or exiting thread, one at a time.
 */
#ifndef CG_SWEEP_REPORT_H
#define CG_SWEEP_REPORT_H

#include "group.h"
#include "options.h"

/* Constructor. The options are kept by reference, the host's name is copied. */
void cg_sweep_report_init(const struct cg_options *options, const char *host);

/* In a forked child: nothing was told yet, and the log is set up for the new pid. */
void cg_sweep_report_after_fork(void);

/* A descriptor that may be given up while the log is opened in a process that has no other left. */
void cg_sweep_report_set_reserve(int fd);

/*
 * The process is about to change its user or its root: where it has connections to report of, a log that is a file
 * stays open from now on. A thread of the program's.
 */
void cg_sweep_report_keep_log(void);

/* One warning line at once: for wrong input of the user's. */
void cg_sweep_warn_now(const char *text);

/* One warning line beside the first finding: for troubles of our own, which are nobody's concern before. */
void cg_sweep_warn_later(const char *text);

/*
 * Tells what is new, has doubled or is resolved. may_load: the symbol annex may be loaded (not in a signal handler).
 * Returns how many findings were told.
 */
unsigned cg_sweep_tell(struct cg_sweep *sweep, const struct cg_groups *groups, bool may_load);

/* Tells what the policy decided since; `all`: also what is not due yet. */
void cg_sweep_tell_actions(struct cg_sweep *sweep, bool all, bool may_load);

/* Tells every group, with the counters. */
void cg_sweep_summarise(struct cg_sweep *sweep, const struct cg_groups *groups, const char *reason, bool may_load);

#endif
