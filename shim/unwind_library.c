/* unwind_library.c: brings libunwind in by dlopen, and takes its steps. */
#include "unwind_library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "sanitizer.h"

static _Atomic bool usable;

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

static bool find(void *library, const char *name, void *pointer)
{
	void *found = dlsym(library, name);
	memcpy(pointer, &found, sizeof found);
	return found;
}

static bool find_steps(void *library)
{
	return find(library, "_Ux86_64_getcontext", &get_context) &&
	       find(library, "_ULx86_64_init_local", &init_local) &&
	       find(library, "_ULx86_64_get_reg", &get_register) && find(library, "_ULx86_64_step", &step);
}

static unsigned walk(void **ip, unsigned max)
{
	struct context context;
	struct cursor cursor;
	uintptr_t address;
	unsigned n = 0;
	if (get_context(&context) < 0 || init_local(&cursor, &context) < 0)
		return 0;
	while (n < max && step(&cursor) > 0 && get_register(&cursor, REGISTER_IP, &address) >= 0)
		ip[n++] = (void *)address; // NOLINT(performance-no-int-to-ptr)
	return n;
}
#else
/* Its headers have named another register as the address on aarch64 from version to version. */
static bool find_steps(void *library)
{
	(void)library;
	return false;
}

static unsigned walk(void **ip, unsigned max)
{
	(void)ip;
	(void)max;
	return 0;
}
#endif

bool cg_unwind_library_load(void)
{
	static const char *const names[] = {"libunwind.so.8", "libunwind.so.1"};
	if (cg_sanitizer_is_tsan())
		return false; /* it takes libunwind's mutexes for the program's */
	for (unsigned i = 0; i < 2; i++) {
		void *library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
		if (library && find_steps(library)) {
			atomic_store(&usable, true);
			return true;
		}
		if (library)
			dlclose(library); /* LLVM's library of that name has no such functions */
	}
	return false;
}

bool cg_unwind_library_is_there(void)
{
	return atomic_load_explicit(&usable, memory_order_acquire);
}

void cg_unwind_library_forget(void)
{
	atomic_store(&usable, false);
}

unsigned cg_unwind_library_walk(void **ip, unsigned max)
{
	int cancel;
	/* libunwind reads and writes a pipe now and then: that must not become the app's cancellation point. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	unsigned n = walk(ip, max);
	pthread_setcancelstate(cancel, NULL);
	return n;
}
