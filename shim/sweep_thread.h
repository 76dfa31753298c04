/*
 * sweep_thread.h: the thread itself, and the small services of the system that a sweep needs.
 */
#ifndef CG_SWEEP_THREAD_H
#define CG_SWEEP_THREAD_H

#include <stdbool.h>
#include <stdint.h>

#include "options.h"

/* Finds the functions for making a thread; they are in another library before glibc 2.34. Constructor. */
void cg_sweep_thread_init(void);

/* Makes the thread, all signals blocked. Not in signal handlers. A failure is told with the first finding. */
void cg_sweep_thread_start(void);
bool cg_sweep_thread_runs(void);

/* Makes another one in its place, which begins once the first has ended. */
void cg_sweep_thread_replace(void);

/* It runs, or may be started yet. Any context. */
bool cg_sweep_thread_possible(void);

/* From the thread itself, which is about to end by its own will: nobody joins it, and another may be made. */
void cg_sweep_thread_leave(void);

/* Waits until the thread, which was asked to end, is gone for the kernel too. None is made afterwards. */
void cg_sweep_thread_join(void);
void cg_sweep_thread_forget(void);

/* The thread's body, in sweep.c. */
void cg_sweep_loop(void);

/* True when every other thread has ended, the main one included (it stays as a zombie until then). */
bool cg_sweep_alone(void);

/* A descriptor to give up when the log must be opened and there is no other left. */
int cg_sweep_open_reserve(void);

uint64_t cg_sweep_cpu_ns(void);

/* Takes the dump signal if the app leaves it alone. Constructor. */
void cg_sweep_take_signal(const struct cg_options *options);

/* Warns once when the app has taken the signal over. */
void cg_sweep_watch_signal(const struct cg_options *options);

#endif
