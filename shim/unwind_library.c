/* unwind_library.c: frames by libunwind's cache where a thread stays, step by step where it may soon be gone. */
#include "unwind_library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "loader.h"
#include "sys.h"

/*
 * unw_backtrace is fast by a cache that each thread has for itself: 256 KiB, filled in at its first call and given back
 * at its end: 64 page faults. A thread that serves a single connection needs less than that for all else that it
 * does. So its first stacks are taken step by step, with the process's cache.
 */
enum { FIRST_ONES = 24 };

enum { CACHE_SIZE = 2048 }; /* frames that the process remembers; libunwind's own choice, 128, is little for a JVM */

static int (*backtrace_function)(void **, int);

/* The size of the cache is changed by one thread while no other is inside. */
enum { ABSENT, LOADED, PREPARING, READY };
static _Atomic int state = ABSENT;

#ifdef __x86_64__
/* As libunwind-x86_64.h lays them out; they are part of its ABI since version 8 of the library. */
enum { CURSOR_WORDS = 127, REGISTER_IP = 16 };
struct cursor {
	uint64_t words[CURSOR_WORDS];
};
struct context {
	uint64_t words[128]; /* ucontext_t: 121 words, without the shadow stack's */
} __attribute__((aligned(16)));

static int (*get_context)(struct context *);
static int (*init_local)(struct cursor *, struct context *);
static int (*step)(struct cursor *);
static int (*get_register)(struct cursor *, int, uintptr_t *);
static int (*set_cache_size)(void *, size_t, int);
static void **address_space;
static __thread uint8_t walks; /* of this thread */

static void find(void *library, const char *name, void *pointer)
{
	void *found = dlsym(library, name);
	memcpy(pointer, &found, sizeof found);
}

static void find_steps(void *library)
{
	find(library, "_ULx86_64_local_addr_space", &address_space);
	find(library, "_ULx86_64_set_cache_size", &set_cache_size);
	find(library, "_Ux86_64_getcontext", &get_context);
	find(library, "_ULx86_64_init_local", &init_local);
	find(library, "_ULx86_64_get_reg", &get_register);
	if (get_context && init_local && get_register)
		find(library, "_ULx86_64_step", &step);
}

static void enlarge_cache(void)
{
	if (address_space && set_cache_size)
		set_cache_size(*address_space, CACHE_SIZE, 0);
}

static unsigned walk(void **ip, unsigned max)
{
	struct context context;
	struct cursor cursor;
	uintptr_t address;
	unsigned n = 0;
	if (!step || walks >= FIRST_ONES)
		return 0;
	walks++;
	if (get_context(&context) < 0 || init_local(&cursor, &context) < 0)
		return 0;
	while (n < max && step(&cursor) > 0 && get_register(&cursor, REGISTER_IP, &address) >= 0)
		ip[n++] = (void *)address; // NOLINT(performance-no-int-to-ptr)
	return n;
}
#else
/* Its headers have named another register as the address on aarch64 from version to version. */
static void find_steps(void *library)
{
	(void)library;
}

static void enlarge_cache(void)
{
}

static unsigned walk(void **ip, unsigned max)
{
	(void)ip;
	(void)max;
	return 0;
}
#endif

/*
 * libunwind clears a cache at the end of each thread, and takes a mutex for it when ThreadSanitizer has left the thread
 * already, which crashes. libgcc's unwinder, which libc's function calls, keeps nothing.
 */
static bool found_for_tsan(void)
{
	void *found = dlsym(RTLD_DEFAULT, "__tsan_init") ? dlsym(RTLD_DEFAULT, "backtrace") : NULL;
	memcpy(&backtrace_function, &found, sizeof found);
	return found;
}

static bool load(void)
{
	static const char *const names[] = {"libunwind.so.8", "libunwind.so.1"};
	if (found_for_tsan())
		return true;
	for (unsigned i = 0; i < 2; i++) {
		void *library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
		void *found = library ? dlsym(library, "unw_backtrace") : NULL;
		if (found) {
			find_steps(library);
			memcpy(&backtrace_function, &found, sizeof found);
			return true;
		}
		if (library)
			dlclose(library); /* LLVM's library of that name has no such function */
	}
	return false;
}

bool cg_unwind_library_load(void)
{
	cg_loader_begin();
	bool loaded = load();
	cg_loader_end();
	atomic_store(&state, loaded ? LOADED : ABSENT);
	return loaded;
}

bool cg_unwind_library_ready(void)
{
	int loaded = LOADED;
	if (atomic_load_explicit(&state, memory_order_acquire) == READY)
		return true;
	if (atomic_compare_exchange_strong(&state, &loaded, PREPARING)) {
		cg_loader_begin();
		enlarge_cache();
		cg_loader_end();
		atomic_store(&state, READY);
	}
	/* Some microseconds, unless the one that prepares it has just been put aside: frame pointers serve then. */
	for (int i = 0; i < 1000 && atomic_load(&state) == PREPARING; i++)
		(void)CG_SYS3(SYS_sched_yield, 0, 0, 0);
	return atomic_load(&state) == READY;
}

void cg_unwind_library_after_fork(void)
{
	int preparing = PREPARING;
	atomic_compare_exchange_strong(&state, &preparing, ABSENT);
}

unsigned cg_unwind_library_walk(void **ip, unsigned max)
{
	int cancel;
	/* libunwind reads and writes a pipe now and then: that must not become the app's cancellation point. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	cg_loader_begin();
	unsigned found = walk(ip, max);
	int n = found ? (int)found : backtrace_function(ip, (int)max);
	cg_loader_end();
	pthread_setcancelstate(cancel, NULL);
	return n > 0 ? (unsigned)n : 0;
}
