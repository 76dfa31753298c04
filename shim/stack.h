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

/* A stack as it was read: in the recorder it may change at any time. */
struct cg_stack_copy {
	uint16_t depth; /* at most CG_MAX_DEPTH */
	uint16_t flags;
	uint32_t generation;
	uint64_t ip[CG_MAX_DEPTH]; /* `depth` of them; the rest is as it was */
};

/* The stack of an id. False, and *ret is as it was, where there is none of a possible depth. Any context. */
bool cg_stack_read(uint32_t id, struct cg_stack_copy *ret);

/* Its flags, CG_STACK_…; 0 where there is none. Any context. */
unsigned cg_stack_flags(uint32_t id);

#endif
