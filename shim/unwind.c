/* unwind.c: walks the stack. */
#include "unwind.h"

#include <signal.h>
#include <stdatomic.h>

#include "guard.h"
#include "loader.h"
#include "object.h"
#include "record.h"
#include "sys.h"
#include "unwind_library.h"
#include "unwind_memory.h"
#include "unwind_walk.h"

enum { OWN_FRAMES = 10 }; /* more than wrappers and events are ever deep */

__thread uint16_t cg_unwinding;

static _Atomic int mode = CG_STACKS_OFF;
static uintptr_t own_start, own_end, restorer;
static uintptr_t runtime_start, runtime_end; /* a sanitizer's, whose wrappers call ours */
static _Atomic bool load_begun;
static _Atomic bool signal_stacks;
static _Atomic bool was_cut; /* some walk has come to code that it cannot get through */

void cg_unwind_set_own_range(uintptr_t start, uintptr_t end)
{
	own_start = start;
	own_end = end;
}

void cg_unwind_set_runtime_range(uintptr_t start, uintptr_t end)
{
	runtime_start = start;
	runtime_end = end;
}

const char *cg_unwind_trouble(void)
{
	return atomic_load(&was_cut) && !cg_unwind_library_is_there()
	           ? "some stacks end early: libunwind.so.8, which knows the way through unusual code, is not there"
	           : NULL;
}

void cg_unwind_give_up(void)
{
	cg_unwind_library_forget();
}

/*
 * Where signal handlers return to, which tells that a stack was captured inside one. The kernel gives it back as the
 * handler's sa_restorer; SIGURG is ignored by default, so a stray one in this moment is lost on nobody.
 */
#ifdef __x86_64__
static void ignore(int number)
{
	(void)number;
}

static void find_restorer(void)
{
	struct {
		void *handler;
		unsigned long flags;
		uintptr_t restorer;
		uint64_t mask;
	} kernel;
	struct sigaction mine = {.sa_handler = ignore}, before;
	if (sigaction(SIGURG, &mine, &before) < 0)
		return;
	if (CG_SYS(SYS_rt_sigaction, SIGURG, 0, &kernel, 8, 0, 0) == 0)
		restorer = kernel.restorer;
	sigaction(SIGURG, &before, NULL);
}
#else
static void find_restorer(void)
{
	/* On aarch64 handlers return through the vdso, which the kernel does not name here. */
}
#endif

static void load_once(void)
{
	bool loading = false;
	if (!atomic_compare_exchange_strong(&load_begun, &loading, true))
		return;
	cg_hidden++;
	cg_unwinding++;
	int saved_errno = errno;
	(void)cg_unwind_library_load();
	errno = saved_errno;
	cg_unwinding--;
	cg_hidden--;
}

void cg_unwind_init(enum cg_stacks wanted, bool load_now)
{
	cg_object_init();
	cg_unwind_memory_init();
	if (wanted == CG_STACKS_OFF)
		return;
	find_restorer();
	atomic_store(&mode, wanted);
	if (wanted == CG_STACKS_FULL && load_now)
		load_once();
}

void cg_unwind_prepare(void)
{
	if (atomic_load(&mode) == CG_STACKS_FULL && !atomic_load(&load_begun) && cg_loader_is_alone())
		load_once();
}

void cg_unwind_after_fork(void)
{
	cg_unwinding = 0;
}

void cg_unwind_expect_signal_stacks(void)
{
	atomic_store(&signal_stacks, true);
}

/* Is it a signal stack that we are on? One system call, and only in programs that have such stacks. */
static bool on_signal_stack(stack_t *ret)
{
	return atomic_load_explicit(&signal_stacks, memory_order_relaxed) &&
	       !atomic_load_explicit(&cg_guard.sealed, memory_order_relaxed) &&
	       CG_SYS3(SYS_sigaltstack, NULL, ret, 0) == 0 && (ret->ss_flags & SS_ONSTACK);
}

/* libunwind and our own frames above it take 6.5 KiB; SIGSTKSZ is 8, of which the kernel has taken 3 for the signal. */
bool cg_unwind_is_cramped(void)
{
	enum { ROOM = 16 << 10 };
	stack_t stack;
	return on_signal_stack(&stack) && (uintptr_t)__builtin_frame_address(0) - (uintptr_t)stack.ss_sp < ROOM;
}

/*
 * libunwind knows a little more than our own walk does. It makes system calls and takes locks, its own and the
 * loader's: a thread that forks meanwhile would leave them to its child as they are.
 */
static unsigned ask_library(void **ip, unsigned max)
{
	if (atomic_load_explicit(&cg_guard.sealed, memory_order_relaxed) || cg_unwind_is_cramped() ||
	    !cg_unwind_library_is_there() || !cg_loader_is_alone()) {
		atomic_store_explicit(&was_cut, true, memory_order_relaxed);
		return 0;
	}
	return cg_unwind_library_walk(ip, max);
}

static unsigned capture(void **ip, unsigned max, uint16_t *flags)
{
	bool cut;
	if (atomic_load_explicit(&mode, memory_order_relaxed) == CG_STACKS_FP) {
		*flags |= CG_STACK_FROM_FP;
		return cg_unwind_walk_fp(ip, max);
	}
	unsigned n = cg_unwind_walk(ip, max, &cut);
	if (!cut)
		return n;
	unsigned more = ask_library(ip, max);
	return more > n ? more : cg_unwind_walk(ip, max, &cut);
}

static unsigned without_own(void *const *raw, unsigned n, uint64_t *ip, unsigned max, uint16_t *flags)
{
	unsigned from = 0, kept = 0;
	for (unsigned i = 0; i < n && i < OWN_FRAMES; i++)
		if ((uintptr_t)raw[i] >= own_start && (uintptr_t)raw[i] < own_end)
			from = i + 1;
	while (from < n && (uintptr_t)raw[from] >= runtime_start && (uintptr_t)raw[from] < runtime_end)
		from++;
	for (unsigned i = from; i < n && kept < max; i++) {
		if (restorer && (uintptr_t)raw[i] == restorer)
			*flags |= CG_STACK_IN_SIGNAL;
		if (raw[i])
			ip[kept++] = (uintptr_t)raw[i];
	}
	if (n - from > max)
		*flags |= CG_STACK_TRUNCATED;
	return kept;
}

unsigned cg_unwind(uint64_t *ip, unsigned max, uint16_t *ret_flags)
{
	void *raw[CG_MAX_DEPTH + OWN_FRAMES + 1];
	uint16_t flags = 0;
	if (cg_unwinding || max > CG_MAX_DEPTH || atomic_load_explicit(&mode, memory_order_relaxed) == CG_STACKS_OFF)
		return 0;
	cg_unwinding++;
	cg_hidden++;
	unsigned n = capture(raw, max + OWN_FRAMES + 1, &flags);
	cg_hidden--;
	cg_unwinding--;
	n = without_own(raw, n, ip, max, &flags);
	*ret_flags = flags;
	return n;
}
