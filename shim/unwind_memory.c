/* unwind_memory.c: asks the kernel whether a page can be read, once. */
#include "unwind_memory.h"

#include <sys/resource.h>

#include "guard.h"
#include "sys.h"
#include "unwind_memcheck.h"

enum {
	PAGE_BITS = 12,
	PAGE = 1 << PAGE_BITS,
	COUNT_BITS = 12, /* 16 MiB */
	REACH = 4 << 20, /* no single frame is larger */
	RED_ZONE = 128
};

static uintptr_t stack_top, stack_size;
static __thread uint64_t known; /* of the stack that this thread was on last: its pages' number, and the first */

void cg_unwind_memory_init(void)
{
	extern char **environ;
	struct rlimit limit;
	bool limited = CG_SYS(SYS_prlimit64, 0, RLIMIT_STACK, 0, &limit, 0, 0) == 0 && limit.rlim_cur != RLIM_INFINITY;
	stack_size = limited ? limit.rlim_cur : 8 << 20;
	stack_top = (uintptr_t)environ; /* lies above main's frames */
}

static struct cg_stack_bounds known_bounds(void)
{
	uintptr_t low = known >> COUNT_BITS << PAGE_BITS, pages = known & ((1u << COUNT_BITS) - 1);
	return (struct cg_stack_bounds){low, low + (pages << PAGE_BITS)};
}

/* A stack of more pages than can be counted is asked for again. */
static void keep_bounds(const struct cg_stack_bounds *bounds)
{
	uintptr_t first = (bounds->low + RED_ZONE) >> PAGE_BITS, pages = (bounds->high >> PAGE_BITS) - first;
	if (pages < 1u << COUNT_BITS)
		known = first << COUNT_BITS | pages;
}

struct cg_stack_bounds cg_unwind_memory_around(uintptr_t sp)
{
	/* A function that is about to return has popped what its table says is still there; a signal left it alone. */
	uintptr_t low = sp - RED_ZONE;
	if (sp < stack_top && stack_top - sp < stack_size)
		return (struct cg_stack_bounds){low, stack_top};
	struct cg_stack_bounds last = known_bounds();
	if (sp >= last.low && sp < last.high)
		return (struct cg_stack_bounds){low, last.high};
	/* What holds frames is there, whatever stack it is. */
	return (struct cg_stack_bounds){low, (sp | (PAGE - 1)) + 1};
}

/*
 * The kernel copies the set before it looks at what is to be done with it, which is nothing that exists: EFAULT where
 * it cannot be read, else EINVAL.
 */
static bool is_readable(uintptr_t page)
{
	cg_memcheck_begin();
	long r = CG_SYS(SYS_rt_sigprocmask, ~0u, page, 0, 8, 0, 0);
	cg_memcheck_end();
	return r == -EINVAL;
}

bool cg_unwind_memory_reach(struct cg_stack_bounds *bounds, uintptr_t address)
{
	if (address < bounds->low || address > UINTPTR_MAX - REACH || address % sizeof(uintptr_t) != 0)
		return false;
	if (address + sizeof(uintptr_t) <= bounds->high)
		return true;
	if (bounds->high == stack_top || address - bounds->high > REACH ||
	    atomic_load_explicit(&cg_guard.sealed, memory_order_relaxed))
		return false;
	struct cg_stack_bounds last = known_bounds();
	while (bounds->high <= address) {
		if (bounds->high >= last.low && bounds->high < last.high)
			bounds->high = last.high;
		else if (is_readable(bounds->high))
			bounds->high += PAGE;
		else
			return false;
	}
	keep_bounds(bounds);
	return true;
}
