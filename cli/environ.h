/*
 * environ.h: the environment that a process was started with.
 */
#ifndef CG_ENVIRON_H
#define CG_ENVIRON_H

#include <stddef.h>
#include <sys/types.h>

/*
 * The value of a variable as it was at the process's exec: programs may have changed theirs since. Returns 0, -ENODATA
 * where it was not set, -ENAMETOOLONG where it does not fit, or -errno where the process may not be looked into.
 */
int cg_environ_get(pid_t pid, const char *name, char *ret, size_t size);

#endif
