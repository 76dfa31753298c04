/*
 * unwind_walk.h: walks up the calling thread's stack by the modules' unwind tables.
 *
 * No lock of anybody's, no allocation, nothing left behind in the thread: the same in a signal handler, in the child of
 * a fork of many threads and below a sanitizer.
 */
#ifndef CG_UNWIND_WALK_H
#define CG_UNWIND_WALK_H

#include <stdbool.h>

/*
 * Fills ip[0..max) with return addresses, the innermost first, beginning with the caller's own. Where a frame has no
 * table (generated code) its frame pointer is followed, if it looks like one. *ret_cut tells that there are more frames
 * which it cannot get to. Any context.
 */
unsigned cg_unwind_walk(void **ip, unsigned max, bool *ret_cut);

/* The same by frame pointers alone. */
unsigned cg_unwind_walk_fp(void **ip, unsigned max);

#endif
