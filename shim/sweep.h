/*
 * sweep.h: the thread that looks, and everything else that makes a look happen: exit, the dump signal,
 * closeguard_check.
 */
#ifndef CG_SWEEP_H
#define CG_SWEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "options.h"

/* Constructor: nothing is started yet. The options are kept by reference. */
void cg_sweep_init(const struct cg_options *options);

/*
 * Wakes the thread, or starts it. in_signal: a thread cannot be made now (pthread_create allocates), a later event
 * will. Any context.
 */
void cg_sweep_wake(bool in_signal);

/*
 * The last look of this process, with a summary if anything was or is to be said; waits for the thread up to half a
 * second. `how` is "exit", "_exit", … ; only after "exit" may the caller's own stack be used for loading libraries.
 */
void cg_sweep_last(const char *how);

/* For cg_sweep_check: what the program was told the end of counts at any age, the rest after warn_after. */
#define CG_CHECK_STRICT UINT64_MAX

/*
 * Looks now; returns the sockets in findings with verdict leak: those closable for `age_ns`, or CG_CHECK_STRICT. Not in
 * signal handlers.
 */
unsigned cg_sweep_check(uint64_t age_ns);

/* Findings outstanding as of the last look, leaks that were told before, and mistakes: for CLOSEGUARD_EXITCODE. */
unsigned cg_sweep_outstanding(void);

/*
 * The program is about to close what it has left: where an exit code depends on it, that is looked at while it is still
 * open. Waits up to ten seconds. Any thread of the app's.
 */
void cg_sweep_ending(void);

/* Asks for a summary; the handler of the dump signal. Any context. */
void cg_sweep_request_dump(void);

/* A sandbox is about to close around this process: the thread ends first, since a filter may be for every thread. */
void cg_sweep_seal(void);

/* The main thread is about to end by itself: the program is over when no thread but ours is left. */
void cg_sweep_main_left(void);

/* The process is about to change its user, or its `root`. Any thread of the program's. */
void cg_sweep_giving_up(bool root);

/* In the child of a fork: there is no thread, and the parent's descriptors are not ours. */
void cg_sweep_after_fork(void);

#endif
