/* track_use.c: the stacks of uses, for connections that have become suspicious. */
#include "stack.h"
#include "track.h"

static _Atomic unsigned left; /* so many may be taken until the next sweep */

void cg_track_use_renew(unsigned stacks)
{
	atomic_store_explicit(&left, stacks, memory_order_relaxed);
}

static bool take_one(void)
{
	unsigned n = atomic_load_explicit(&left, memory_order_relaxed);
	while (n && !atomic_compare_exchange_weak(&left, &n, n - 1))
		;
	return n > 0;
}

/* Where none may be taken there is none: the stack of an earlier use would mislead. */
static void take_stack(struct cg_slot *slot)
{
	uint32_t stack = 0;
	if (take_one())
		stack = cg_stack_here();
	if (atomic_load(&slot->kind) == CG_FD_CONN)
		atomic_store_explicit(&slot->use_stack, stack, memory_order_relaxed);
}

static void use_more(struct cg_slot *slot)
{
	if (!cg_tid && !atomic_load_explicit(&cg_guard.sealed, memory_order_relaxed))
		atomic_store_explicit(&slot->last_tid, cg_guard_tid(), memory_order_relaxed);
	if (cg_slot_is_watched(slot))
		take_stack(slot);
}

void cg_track_use_more(struct cg_slot *slot)
{
	CG_EVENT(use_more(slot));
}
