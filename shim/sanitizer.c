/* sanitizer.c: knows a sanitizer's runtime by what it defines. */
#include "sanitizer.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "object.h"

static bool tsan, asan, lsan;
static bool bears_forks; /* ThreadSanitizer does */
static uintptr_t code_start, code_end;

/* Of a library, or of a program that exports all it has. */
static bool is_exported(const char *name)
{
	return dlsym(RTLD_DEFAULT, name);
}

static uintptr_t in_program(const char *name, const struct cg_object *program)
{
	uintptr_t at = (uintptr_t)dlsym(RTLD_DEFAULT, name);
	return at >= program->start && at < program->end ? at : 0;
}

static bool all_in_program(const char *const *names, unsigned count, const struct cg_object *program)
{
	for (unsigned i = 0; i < count; i++)
		if (!in_program(names[i], program))
			return false;
	return true;
}

/* The runtime's wrappers are of one source, and so stand together. */
static void find_code(const struct cg_object *program)
{
	static const char *const wrapped[] = {"accept", "accept4",  "bind",   "close", "connect", "dup2", "dup",
	                                      "listen", "memcpy",   "read",   "readv", "recv",    "recvfrom",
	                                      "recvmsg", "send",    "sendmsg", "socket", "write",  "writev"};
	enum { LAST_ONE = 4096 }; /* more than it has bytes; what follows is the runtime's, too */
	code_start = UINTPTR_MAX;
	for (unsigned i = 0; i < sizeof wrapped / sizeof wrapped[0]; i++) {
		uintptr_t at = in_program(wrapped[i], program);
		if (at && at < code_start)
			code_start = at;
		if (at && at + LAST_ONE > code_end)
			code_end = at + LAST_ONE;
	}
}

static bool is_beside(uintptr_t at, const void *other)
{
	struct cg_object object;
	return cg_object_find((uintptr_t)other, &object) && at >= object.start && at < object.end;
}

/* Every runtime has put its own pthread_create in place of libc's; to look for what is not there takes long. */
static bool is_libcs_own(void)
{
	uintptr_t at = (uintptr_t)dlsym(RTLD_DEFAULT, "pthread_create");
	return !at || is_beside(at, (const void *)(uintptr_t)getauxval) ||
	       is_beside(at, (const void *)(uintptr_t)pthread_attr_destroy); /* libpthread's, before glibc 2.34 */
}

static bool may_go_on_after_fork(void)
{
	const char *options = getenv("TSAN_OPTIONS");
	return options && (strstr(options, "die_after_fork=0") || strstr(options, "die_after_fork=false"));
}

void cg_sanitizer_init(void)
{
	static const char *const both[] = {"memcpy", "strlen", "pthread_create", "longjmp"};
	static const char *const threads[] = {"setjmp", "fork"};
	struct cg_object program;
	if (is_libcs_own())
		return;
	bears_forks = may_go_on_after_fork();
	tsan = is_exported("__tsan_init");
	asan = is_exported("__asan_init");
	lsan = is_exported("__lsan_do_leak_check");
	/* No program has functions of all these names but by such a runtime. */
	if (!cg_object_find(getauxval(AT_PHDR), &program) ||
	    !all_in_program(both, sizeof both / sizeof both[0], &program))
		return;
	tsan = all_in_program(threads, sizeof threads / sizeof threads[0], &program);
	asan |= !tsan;
	lsan |= !tsan;
	find_code(&program);
}

bool cg_sanitizer_is_tsan(void)
{
	return tsan;
}

bool cg_sanitizer_bears_a_thread(void)
{
	return !tsan || bears_forks;
}

bool cg_sanitizer_is_asan(void)
{
	return asan;
}

bool cg_sanitizer_has_lsan(void)
{
	return lsan;
}

bool cg_sanitizer_code(uintptr_t *ret_start, uintptr_t *ret_end)
{
	if (!code_end)
		return false;
	*ret_start = code_start;
	*ret_end = code_end;
	return true;
}
