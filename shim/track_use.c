/* track_use.c: the stacks of uses, for connections that have become suspicious. */
#include "modules.h"
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

void cg_track_use_first(uintptr_t caller)
{
	uint64_t ip = caller;
	if (!atomic_load_explicit(&cg_guard.sealed, memory_order_relaxed))
		CG_EVENT((void)cg_guard_tid(); cg_modules_note(&ip, 1));
}

/* Where none may be taken there is none: the stack of an earlier use would mislead. */
void cg_track_use_stack(struct cg_slot *slot)
{
	uint32_t stack = 0;
	if (take_one())
		CG_EVENT(stack = cg_stack_here());
	if (atomic_load(&slot->kind) == CG_FD_CONN)
		atomic_store_explicit(&slot->use_stack, stack, memory_order_relaxed);
}
