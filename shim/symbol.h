/*
 * symbol.h: names for addresses inside the watched process: finds the module, asks the annex, remembers the answer.
 *
 * Sweep thread, or the exiting thread. The annex (libcloseguard-dw.so, beside this library) is loaded at the first
 * question; where it or libdw is missing, frames carry module, offset and build-id only and one warning says so. Of
 * two threads (or a signal handler) that ask at the same time, one gets module and offset only.
 */
#ifndef CG_SYMBOL_H
#define CG_SYMBOL_H

#include <sys/types.h>

#include "report.h"

/*
 * Begins a report: the annex may spend budget_ns of this thread's CPU time on all questions until the next begin, and
 * some times that on the wall; what is over that is answered with module and offset (and asked again in a later
 * report). may_load false: only what is remembered already, the annex is not asked (a signal handler; a sealed
 * process). Both hold for the calling thread.
 */
void cg_symbol_begin(uint64_t budget_ns, bool may_load);

/* The same where somebody waits: cpu_ns, but no more than wall_ns by the clock. */
void cg_symbol_begin_within(uint64_t cpu_ns, uint64_t wall_ns, bool may_load);

/* From now on nothing more is looked up, in any thread: the process ends. Any context. */
void cg_symbol_hurry(void);

/* Was anything left without its names since the last begin, for want of time? */
bool cg_symbol_cut(void);

/*
 * How many questions were left without an answer that a later one may get: there was no time for it, or it could not be
 * asked. Counts up; whoever wants to know of one report compares.
 */
unsigned cg_symbol_left(void);

/*
 * Ends a report: the annex gives back the memory of the files that it read (some MiB with debug information); the
 * answers stay remembered.
 */
void cg_symbol_end(void);

/* A cg_resolve for struct cg_report; context is not used. */
unsigned cg_symbol_resolve(void *context, uint64_t ip, uint32_t generation, struct cg_frame *frames, unsigned max);

/* The same for an address in a module that the caller knows (NULL: none): a reader of another process's recorder. */
unsigned cg_symbol_name(const struct cg_module *module, uint64_t ip, struct cg_frame *frames, unsigned max);

/*
 * Why the annex cannot be used, or the functions of a module cannot be named, for one warning line; NULL while all is
 * fine or was not needed yet.
 */
const char *cg_symbol_trouble(void);

/* The directory of libcloseguard.so itself, without a trailing slash; "" if unknown. Any context after start. */
const char *cg_symbol_own_dir(void);

/* Looks for the annex there instead: the command is not installed beside it. Before the first question. */
void cg_symbol_set_dir(const char *directory);

/* Whose modules are asked about from now on: 0, this process's own, as at the start; -1, those of one that is gone. */
void cg_symbol_set_process(pid_t pid);

/* How many bytes the annex may take for files, where this process is our own. Before the first question. */
void cg_symbol_set_memory(uint64_t bytes);

/* Runs something in a thread of our own that nobody waits for; false where none can be made. Set by the sweep. */
extern bool (*cg_symbol_in_thread)(void (*work)(void));

/* In a forked child: the annex's memory was the parent's; forget the loaded state's budget, keep the cache. */
void cg_symbol_after_fork(void);

#endif
