/*
 * procfs_scope.h: how much of the host this /proc shows. Sweep only.
 */
#ifndef CG_PROCFS_SCOPE_H
#define CG_PROCFS_SCOPE_H

#include <stdbool.h>
#include <sys/types.h>

/* This process's number in /proc, which is not getpid()'s where /proc is another pid namespace's. 0: it has none. */
pid_t cg_proc_own_number(void);

/* True when it is the first pid namespace's, which shows all others' processes too. False also where that is hidden. */
bool cg_proc_shows_host(void);

/* May this process look into every other (CAP_SYS_PTRACE)? A sandbox around it may forbid that all the same. */
bool cg_proc_may_look(void);

/* True when a mount of /proc hides other users' processes, or when that cannot be known. Reads all of mountinfo. */
bool cg_proc_hides_users(void);

#endif
