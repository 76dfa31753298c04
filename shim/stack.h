/*
 * stack.h: one id per distinct stack. Stacks are content-hashed into an append-only table in the recorder.
 */
#ifndef CG_STACK_H
#define CG_STACK_H

#include "record.h"

/* How many frames are kept, 1 to CG_MAX_DEPTH. Constructor. */
void cg_stack_set_depth(unsigned depth);

/*
 * Captures the caller's stack and interns it. Returns its id; 0 when stacks are off, the table is full (counted), or
 * this thread is unwinding already. Any context.
 */
uint32_t cg_stack_here(void);

/* Interns given addresses; see cg_stack_here. For one return address, and for what a forked child takes over. */
uint32_t cg_stack_intern(const uint64_t *ip, unsigned depth, unsigned flags);

/* The stack of an id, or NULL. Any context. */
const struct cg_stack *cg_stack_get(uint32_t id);

#endif
