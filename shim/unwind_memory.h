/*
 * unwind_memory.h: which words above a stack pointer may be read without a fault.
 *
 * Tables lead to words that are there; a guess by a frame pointer, or a table that is wrong about hand-written code,
 * may lead anywhere. The program's first stack is mapped up to its top. Of any other stack (a thread's, a signal's, a
 * coroutine's) the kernel is asked once for each page that a walk gets to, and the thread remembers how far up it was
 * allowed.
 */
#ifndef CG_UNWIND_MEMORY_H
#define CG_UNWIND_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

/* Notes where the program's first stack ends. Constructor. */
void cg_unwind_memory_init(void);

struct cg_stack_bounds {
	uintptr_t low, high; /* words in [low, high) may be read */
};

/* What is known without asking. Any context. */
struct cg_stack_bounds cg_unwind_memory_around(uintptr_t sp);

/*
 * True when the word at address may be read; widens the bounds up to it, page by page, by a system call for each that
 * was not asked for before (none in a sandbox: false). Any context.
 */
bool cg_unwind_memory_reach(struct cg_stack_bounds *bounds, uintptr_t address);

#endif
