/* unwind.c: walks the stack. */
#include "unwind.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>

#include "guard.h"
#include "record.h"
#include "sys.h"
#include "unwind_library.h"

enum { OWN_FRAMES = 10 }; /* more than wrappers and events are ever deep */

__thread uint16_t cg_unwinding;

static _Atomic int mode = CG_STACKS_OFF;
static uintptr_t own_start, own_end, restorer, stack_top, stack_size;
static uintptr_t runtime_start, runtime_end; /* a sanitizer's, whose wrappers call ours */
static const char *trouble;
static bool wants_full;
static _Atomic bool load_begun;
static _Atomic bool signal_stacks;

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
	return trouble;
}

void cg_unwind_give_up(void)
{
	int full = CG_STACKS_FULL;
	if (atomic_compare_exchange_strong(&mode, &full, CG_STACKS_FP))
		trouble =
		    "the program took over a descriptor of libunwind's: stacks come from frame pointers from here on";
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

static void find_stack(void)
{
	extern char **environ;
	struct rlimit limit;
	bool known = CG_SYS(SYS_prlimit64, 0, RLIMIT_STACK, 0, &limit, 0, 0) == 0 && limit.rlim_cur != RLIM_INFINITY;
	stack_size = known ? limit.rlim_cur : 8 << 20;
	stack_top = (uintptr_t)environ; /* lies above main's frames */
}

static void load_or_fall_back(void)
{
	bool loading = false;
	if (!atomic_compare_exchange_strong(&load_begun, &loading, true))
		return;
	cg_hidden++;
	cg_unwinding++;
	int saved_errno = errno;
	if (cg_unwind_library_load()) {
		atomic_store(&mode, CG_STACKS_FULL);
	} else {
		trouble = "libunwind.so.8 is not installed: stacks come from frame pointers, which most programs are "
		          "built without";
		atomic_store(&mode, CG_STACKS_FP);
	}
	errno = saved_errno;
	cg_unwinding--;
	cg_hidden--;
}

void cg_unwind_init(enum cg_stacks wanted, bool load_now)
{
	find_stack();
	if (wanted == CG_STACKS_OFF)
		return;
	find_restorer();
	atomic_store(&mode, CG_STACKS_FP);
	wants_full = wanted == CG_STACKS_FULL;
	if (wants_full && load_now)
		load_or_fall_back();
}

void cg_unwind_prepare(void)
{
	uint64_t ip[4];
	uint16_t flags;
	if (wants_full)
		load_or_fall_back();
	(void)cg_unwind(ip, 4, &flags);
}

void cg_unwind_after_fork(void)
{
	cg_unwinding = 0;
	cg_unwind_library_after_fork();
}

/* Where the thread's control block is. GCC has a builtin for it since 11; %fs:0 is the same by the ABI of TLS. */
static uintptr_t thread_pointer(void)
{
#ifdef __x86_64__
	uintptr_t self;
	__asm__("mov %%fs:0, %0" : "=r"(self));
	return self;
#else
	return (uintptr_t)__builtin_thread_pointer();
#endif
}

/*
 * The bounds within which a frame pointer may be followed: from here up to the top of the main stack, or up to the
 * thread's control block, which glibc puts at the top of its stack. On a stack of another making (a coroutine's, a
 * signal's) neither is near, and nothing is followed.
 */
static uintptr_t frames_end(uintptr_t here)
{
	uintptr_t control = thread_pointer();
	if (here < stack_top && stack_top - here < stack_size)
		return stack_top;
	if (here < control && control - here < 64 << 20)
		return control;
	return 0;
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

static __attribute__((noinline)) unsigned walk_frame_pointers(void **ip, unsigned max)
{
	stack_t stack;
	uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
	uintptr_t end = on_signal_stack(&stack) ? (uintptr_t)stack.ss_sp + stack.ss_size : frames_end(frame);
	unsigned n = 0;
	while (n < max && end && frame + 16 <= end && frame % sizeof(uintptr_t) == 0) {
		const uintptr_t *words = (const uintptr_t *)frame; // NOLINT(performance-no-int-to-ptr)
		if (words[1] < 4096)
			break;
		ip[n++] = (void *)words[1]; // NOLINT(performance-no-int-to-ptr)
		if (words[0] <= frame || words[0] - frame > 1 << 20)
			break;
		frame = words[0];
	}
	return n;
}

static unsigned capture(void **ip, unsigned max, uint16_t *flags)
{
	/* libunwind blocks signals around its slow path: a system call, which a sandbox may kill for. */
	if (atomic_load_explicit(&mode, memory_order_relaxed) == CG_STACKS_FP ||
	    atomic_load_explicit(&cg_guard.sealed, memory_order_relaxed) || cg_unwind_is_cramped() ||
	    !cg_unwind_library_ready()) {
		*flags |= CG_STACK_FROM_FP;
		return walk_frame_pointers(ip, max);
	}
	return cg_unwind_library_walk(ip, max);
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
