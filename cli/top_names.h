/*
 * top_names.h: names for places in the code, found by a thread of their own, so that a program with a gigabyte of debug
 * information never holds up the screen.
 */
#ifndef CG_TOP_NAMES_H
#define CG_TOP_NAMES_H

#include "record.h"
#include "report.h"

/* Starts the thread; `ready` is called by it whenever it has found names. Returns 0 or -errno: nothing is named then.
 */
int cg_top_names_begin(void (*ready)(void *context), void *context);

/*
 * Asks the thread to end. False where it was in the middle of a file and still is a moment later: the process has to go
 * without the work of exit() then, which would take the libraries from under it.
 */
bool cg_top_names_end(void);

/*
 * The frames of a return address, as cg_symbol_name: module and offset alone until the thread has found the names,
 * which this asks for. Never waits. module may be NULL.
 */
unsigned cg_top_names_get(const struct cg_module *module, uint64_t ip, struct cg_frame *frames, unsigned max);

/* Grows with every answer: what was shown without it can be shown with it now. */
unsigned cg_top_names_version(void);

/* Waits until all that was asked for is answered, at most that long. */
void cg_top_names_wait(unsigned milliseconds);

#endif
