/* guard.c: whose process, whose thread, whose call it is. */
#include "guard.h"

#include <sys/mman.h>

#include "arena.h"
#include "sys.h"

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18 /* Linux 4.14 */
#endif

__thread int cg_hidden;
__thread uint32_t cg_tid;
struct cg_self cg_self CG_LARGE;
struct cg_guard cg_guard;
void (*cg_guard_new_child)(void);

static bool wipes;

void cg_guard_own(void)
{
	if (!wipes)
		wipes = cg_sys_madvise(&cg_self, sizeof cg_self, MADV_WIPEONFORK) == 0;
	cg_tid = 0;
	atomic_store_explicit(&cg_self.pid, cg_sys_getpid(), memory_order_release);
}

/* The child of a raw clone: one of its threads sets it up, events of the others are left to the sweep's adoption. */
static bool enter_new_child(pid_t pid)
{
	pid_t none = 0;
	if (!atomic_compare_exchange_strong(&cg_self.pid, &none, -1))
		return none == pid;
	cg_tid = 0;
	if (cg_guard_new_child)
		cg_guard_new_child();
	atomic_store_explicit(&cg_self.pid, pid, memory_order_release);
	return true;
}

bool cg_guard_enter(void)
{
	if (cg_hidden || !atomic_load_explicit(&cg_guard.enabled, memory_order_relaxed))
		return false;
	pid_t own = atomic_load_explicit(&cg_self.pid, memory_order_acquire);
	if (atomic_load_explicit(&cg_guard.sealed, memory_order_relaxed))
		return own > 0;
	pid_t pid = cg_sys_getpid();
	if (own == pid)
		return true;
	return own == 0 && enter_new_child(pid);
}

uint32_t cg_guard_tid(void)
{
	if (!cg_tid && !atomic_load_explicit(&cg_guard.sealed, memory_order_relaxed))
		cg_tid = (uint32_t)cg_sys_gettid();
	return cg_tid;
}
