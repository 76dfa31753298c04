/* arena.c: a bump allocator over mapped blocks. */
#include "arena.h"

#include <stdint.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "sys.h"

enum { BLOCK = 256 << 10 }; /* one block does for a quiet process; a hundred leaks fit into it */

struct cg_arena_block {
	struct cg_arena_block *next;
	size_t size, used;
	size_t pad;
};

static struct cg_arena_block *new_block(size_t need)
{
	size_t size = need + sizeof(struct cg_arena_block);
	size = size < BLOCK ? BLOCK : (size + 4095) & ~(size_t)4095;
	struct cg_arena_block *block =
	    cg_sys_mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (cg_sys_failed(block))
		return NULL;
	block->size = size;
	block->used = sizeof *block;
	return block;
}

void *cg_arena_alloc(struct cg_arena *arena, size_t n)
{
	if (n > SIZE_MAX / 2)
		return NULL;
	n = (n + 15) & ~(size_t)15;
	if (!arena->last || arena->last->size - arena->last->used < n) {
		struct cg_arena_block *block = new_block(n);
		if (!block)
			return NULL;
		if (arena->last)
			arena->last->next = block;
		else
			arena->first = block;
		arena->last = block;
	}
	void *p = (char *)arena->last + arena->last->used;
	arena->last->used += n;
	return p;
}

/* Another thread may fork at any point of this, and the child goes on with what it finds: no block that is gone. */
void cg_arena_reset(struct cg_arena *arena)
{
	struct cg_arena_block *block = arena->first ? arena->first->next : NULL;
	arena->last = arena->first;
	if (arena->first) {
		arena->first->next = NULL;
		memset(arena->first + 1, 0, arena->first->used - sizeof *arena->first);
		arena->first->used = sizeof *arena->first;
	}
	atomic_signal_fence(memory_order_seq_cst); /* the kernel's own lock orders it with a fork */
	while (block) {
		struct cg_arena_block *next = block->next;
		cg_sys_munmap(block, block->size);
		block = next;
	}
}
