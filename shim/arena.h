/*
 * arena.h: memory for one sweep, without malloc: the app's allocator may be locked by a thread that waits for us.
 */
#ifndef CG_ARENA_H
#define CG_ARENA_H

#include <stddef.h>

/*
 * For static memory of some hundred bytes and more: it stands behind all that is small, so that a program without
 * sockets touches few of our pages when it starts. Each costs a page fault. (The linker sorts by name.)
 */
#define CG_LARGE __attribute__((section(".bss.large")))

struct cg_arena_block;

struct cg_arena {
	struct cg_arena_block *first; /* kept over a reset */
	struct cg_arena_block *last;
};

/* n zeroed bytes, aligned to 16, valid until the reset; NULL when the kernel has no more. One thread at a time. */
void *cg_arena_alloc(struct cg_arena *arena, size_t n);

/* Gives everything back; one block is kept for the next time. */
void cg_arena_reset(struct cg_arena *arena);

#endif
