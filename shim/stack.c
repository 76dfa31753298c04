/* stack.c: interns stacks without a lock. */
#include "stack.h"

#include <string.h>

#include "modules.h"
#include "recorder.h"
#include "unwind.h"

enum { PROBES = 32 };

static unsigned kept_depth = 32;

void cg_stack_set_depth(unsigned depth)
{
	kept_depth = depth;
}

static uint32_t hash_of(const uint64_t *ip, unsigned depth)
{
	uint64_t h = 0x9e3779b97f4a7c15u + depth;
	for (unsigned i = 0; i < depth; i++) {
		h ^= ip[i];
		h *= 0xff51afd7ed558ccdu;
		h ^= h >> 32;
	}
	return (uint32_t)h ? (uint32_t)h : 1;
}

static size_t size_of(unsigned depth)
{
	return sizeof(struct cg_stack) + depth * sizeof(uint64_t);
}

/* The entry of an id, if one of `depth` frames can stand there: none crosses the end of a chunk. */
static struct cg_stack *entry_of(uint32_t id, unsigned depth)
{
	uint64_t offset = (id - 1ull) * 8;
	if (!id || offset >= CG_STACK_ARENA || offset % CG_CHUNK_SIZE + size_of(depth) > CG_CHUNK_SIZE)
		return NULL;
	return cg_recorder_at(CG_OFF_STACK_ARENA + offset, false);
}

/* Read once: what was checked is what is used. */
static unsigned depth_of(const struct cg_stack *stack)
{
	return *(const volatile uint16_t *)&stack->depth;
}

bool cg_stack_read(uint32_t id, struct cg_stack_copy *ret)
{
	const struct cg_stack *stack = entry_of(id, 0);
	unsigned depth = stack ? depth_of(stack) : 0;
	if (!depth || depth > CG_MAX_DEPTH || !entry_of(id, depth))
		return false;
	ret->depth = (uint16_t)depth;
	ret->flags = stack->flags;
	ret->generation = stack->generation;
	memcpy(ret->ip, stack->ip, depth * sizeof ret->ip[0]);
	return true;
}

unsigned cg_stack_flags(uint32_t id)
{
	const struct cg_stack *stack = entry_of(id, 0);
	return stack ? stack->flags : 0;
}

static bool same(uint32_t id, uint32_t hash, const uint64_t *ip, unsigned depth)
{
	const struct cg_stack *stack = entry_of(id, depth);
	return stack && stack->hash == hash && depth_of(stack) == depth &&
	       memcmp(stack->ip, ip, depth * sizeof *ip) == 0;
}

/* Takes room from the arena. An entry never crosses a chunk's end: what is left of the chunk is given up. */
static uint32_t take_room(struct cg_header *h, uint32_t size, struct cg_stack **ret)
{
	for (;;) {
		uint32_t used = atomic_load(&h->stack_used), at = used;
		if (used > CG_STACK_ARENA || used % 8)
			return 0; /* not our doing */
		if ((at & (CG_CHUNK_SIZE - 1)) + size > CG_CHUNK_SIZE)
			at = (at | (CG_CHUNK_SIZE - 1)) + 1;
		if (at + size > CG_STACK_ARENA)
			return 0;
		if (!atomic_compare_exchange_weak(&h->stack_used, &used, at + size))
			continue;
		*ret = cg_recorder_at(CG_OFF_STACK_ARENA + at, true);
		return *ret ? at / 8 + 1 : 0;
	}
}

static uint32_t append(struct cg_header *h, uint32_t hash, const uint64_t *ip, unsigned depth, unsigned flags)
{
	struct cg_stack *stack;
	uint32_t id = take_room(h, (uint32_t)size_of(depth), &stack);
	if (!id)
		return 0;
	cg_modules_note(ip, depth);
	stack->hash = hash;
	stack->depth = (uint16_t)depth;
	stack->flags = (uint16_t)flags;
	stack->generation = atomic_load(&h->module_generation);
	memcpy(stack->ip, ip, depth * sizeof *ip);
	return id;
}

static uint32_t overflow(struct cg_header *h)
{
	atomic_fetch_add(&h->count.stack_overflows, 1);
	return 0;
}

uint32_t cg_stack_intern(const uint64_t *ip, unsigned depth, unsigned flags)
{
	struct cg_header *h = cg_recorder_header();
	uint32_t hash = hash_of(ip, depth), made = 0;
	if (!h || !depth || depth > CG_MAX_DEPTH)
		return 0;
	for (unsigned i = 0; i < PROBES; i++) {
		uint64_t place = (hash + i) % CG_MAX_STACKS;
		_Atomic uint32_t *index = cg_recorder_at(CG_OFF_STACK_INDEX + place * sizeof *index, true);
		if (!index)
			return overflow(h);
		uint32_t id = atomic_load_explicit(index, memory_order_acquire);
		if (!id) {
			if (!made)
				made = append(h, hash, ip, depth, flags);
			if (!made)
				return overflow(h);
			if (atomic_compare_exchange_strong_explicit(index, &id, made, memory_order_acq_rel,
			                                            memory_order_acquire))
				return made;
		}
		if (same(id, hash, ip, depth))
			return id; /* ours, if we made one, is lost room: the price of having no lock */
	}
	return overflow(h);
}

uint32_t cg_stack_here(void)
{
	uint64_t ip[CG_MAX_DEPTH];
	uint16_t flags;
	unsigned depth = cg_unwind(ip, kept_depth, &flags);
	return depth ? cg_stack_intern(ip, depth, flags) : 0;
}
