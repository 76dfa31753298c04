/*
 * unwind_library.h: libunwind, which gets through code that our own walk does not.
 */
#ifndef CG_UNWIND_LIBRARY_H
#define CG_UNWIND_LIBRARY_H

#include <stdbool.h>

/*
 * Loads libunwind, once; false where it is not installed, or where a sanitizer's runtime bears no other library's
 * locks. The caller sees to it that no second thread does the same and that what it opens meanwhile is known as its own
 * (cg_unwinding), and is alone: the loader's lock is taken.
 */
bool cg_unwind_library_load(void);

/* Any context. */
bool cg_unwind_library_is_there(void);

/* It is not to be asked again. Any context. */
void cg_unwind_library_forget(void);

/*
 * Fills ip[0..max) with return addresses, the innermost first, beginning with our own. Returns their number. Not a
 * cancellation point. It leaves nothing in the thread: only unw_backtrace has a cache there, whose destructor runs at
 * the thread's end. For a process's only thread, outside of sandboxes; not nested.
 */
unsigned cg_unwind_library_walk(void **ip, unsigned max);

#endif
