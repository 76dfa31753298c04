/*
 * unwind_library.h: libunwind, brought in by dlopen and called in the way that suits the thread.
 */
#ifndef CG_UNWIND_LIBRARY_H
#define CG_UNWIND_LIBRARY_H

#include <stdbool.h>

/*
 * Loads libunwind, once; false where it is not installed. The caller sees to it that no second thread does the same and
 * that what it opens meanwhile is known as its own (cg_unwinding).
 */
bool cg_unwind_library_load(void);

/*
 * True when walks may begin. The first call prepares it: libunwind opens a pipe of its own here. The caller is marked
 * as inside it (cg_unwinding). Any context.
 */
bool cg_unwind_library_ready(void);

/* In a forked child: what another thread of the parent was preparing stays undone. */
void cg_unwind_library_after_fork(void);

/*
 * Fills ip[0..max) with return addresses, the innermost first, beginning with our own. Returns their number. Not a
 * cancellation point; no fork of another thread happens meanwhile. Any context, but not nested.
 */
unsigned cg_unwind_library_walk(void **ip, unsigned max);

#endif
