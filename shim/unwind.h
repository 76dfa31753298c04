/*
 * unwind.h: the return addresses above us, by unwind tables or by frame pointers.
 */
#ifndef CG_UNWIND_H
#define CG_UNWIND_H

#include <stdbool.h>
#include <stdint.h>

#include "options.h"

/*
 * Above 0: this thread is walking its stack. Descriptors that libunwind opens now are moved to high numbers, a second
 * walk (from a signal handler) is refused.
 */
extern __thread uint16_t cg_unwinding;

/*
 * Chooses how stacks are taken. Constructor. `load_now` false: the program does not look as if it would ever open a
 * socket, and the 0.3 ms of loading libunwind are left to cg_unwind_prepare.
 */
void cg_unwind_init(enum cg_stacks mode, bool load_now);

/* At the first TCP socket: loads libunwind if that was put off, unless a fork could leave the loader locked for it. */
void cg_unwind_prepare(void);

/* Our own code, whose frames are cut off the top. Constructor. */
void cg_unwind_set_own_range(uintptr_t start, uintptr_t end);

/* The code of a sanitizer's runtime: its wrappers stand between the program's call and ours, and are cut off too. */
void cg_unwind_set_runtime_range(uintptr_t start, uintptr_t end);

/*
 * Fills ip[0..max) with return addresses, the innermost first, without closeguard's own. Returns their number;
 * *ret_flags gets CG_STACK_TRUNCATED, CG_STACK_FROM_FP, CG_STACK_IN_SIGNAL. No lock of ours, no allocation; not a
 * cancellation point. Any context; 0 when this thread is unwinding already.
 */
unsigned cg_unwind(uint64_t *ip, unsigned max, uint16_t *ret_flags);

/*
 * The program has signal stacks: from here on each walk asks whether it is on one, and whether there is room on it.
 * Any context.
 */
void cg_unwind_expect_signal_stacks(void);

/* On a signal stack that has little room left, where nothing large may be begun. Any context. */
bool cg_unwind_is_cramped(void);

/* libunwind is not to be asked any more: the app has closed or replaced one of its descriptors. */
void cg_unwind_give_up(void);

/* One line on why stacks are not what was asked for, or NULL. */
const char *cg_unwind_trouble(void);

/* In a forked child: the walk that the fork may have come from is over. */
void cg_unwind_after_fork(void);

#endif
