/*
 * real.h: the functions behind the wrappers.
 *
 * Before cg_real_resolve the pointers lead to stand-ins that issue the raw system call (other libraries' constructors
 * run before ours, some of them inside an allocator that cannot bear a dlsym); afterwards to libc, or to the next
 * preloaded library. Calling through cg_real is a cancellation point where the real function is one.
 */
#ifndef CG_REAL_H
#define CG_REAL_H

#include <dlfcn.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <link.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include <wordexp.h>

#define CG_EXPORT __attribute__((visibility("default")))
/* For calls that are made all the time: their code stands together, in as few pages as can be. */
#define CG_EXPORT_HOT CG_EXPORT __attribute__((hot))

struct cg_real {
#define CG_REQUIRED(number, ret, name, params, args) ret(*name) params;
#define CG_OPTIONAL(number, ret, name, params, args) ret(*name) params;
#include "calls.def"
};

#pragma GCC visibility push(hidden) /* so that the compiler need not go through the table of addresses */
extern struct cg_real cg_real;
extern pid_t (*cg_real_vfork)(void); /* the same as cg_real.vfork, for a jump */
#pragma GCC visibility pop

/*
 * Looks every function up with dlsym(RTLD_NEXT). Constructor only, once. Returns the name of a required function that
 * is missing, NULL when all are there. Optional ones may stay NULL: their wrappers then fail with ENOSYS.
 */
const char *cg_real_resolve(void);

/*
 * What glibc alone has, each NULL where the process has another libc: musl's loader refuses a library that asks for
 * what it lacks. Beyond these the library asks for nothing that musl has not, and for nothing of glibc's loader by
 * name, which would have to be loaded beside musl's.
 */
#pragma weak _r_debug
#pragma weak gnu_get_libc_version
#pragma weak on_exit
/* What pthread_atfork, which is linked in with a library of its own, comes down to. */
int __register_atfork(void (*before)(void), void (*parent)(void), void (*child)(void), void *library)
    __attribute__((weak));

/*
 * Is the libc of this process glibc? Under any other the library is inert: its wrappers call on, and nothing is
 * recorded. Any context.
 */
bool cg_real_is_glibc(void);

/* Functions of libc that have no raw system call to stand in for them before our constructor has run. */
#define CG_NEED(name)                                                                                                  \
	do {                                                                                                           \
		if (__builtin_expect(!cg_real.name, 0))                                                                \
			cg_real_resolve();                                                                             \
	} while (0)

#endif
