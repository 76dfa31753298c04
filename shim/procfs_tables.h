/*
 * procfs_tables.h: looks into the descriptor tables of processes.
 *
 * A process may have several: a thread that called unshare or close_range has its own, and /proc/PID/fd shows the first
 * thread's only, which is none once that thread has ended. Sweep only.
 */
#ifndef CG_PROCFS_TABLES_H
#define CG_PROCFS_TABLES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef void cg_tables_visit(uint64_t inode, void *context);

struct cg_tables {
	cg_tables_visit *visit; /* for each socket */
	void *context;
	uint64_t deadline_ns; /* in this thread's CPU time */
	unsigned looks;       /* the clock is asked at every so many of them */
	bool numbers_differ;  /* /proc is another pid namespace's: its numbers mean nothing to system calls */
};

/* -ETIME once the time is over. Counts as a look. */
int cg_tables_take_time(struct cg_tables *tables);

/*
 * All tables of another process; `proc` is a descriptor of /proc. Returns 0, also for one that has gone meanwhile,
 * -ETIME when the time was over before all was seen, -EACCES when not all may be read. Some sockets may have been
 * visited then; one that stands in several tables is visited several times.
 */
int cg_tables_of_process(struct cg_tables *tables, int proc, pid_t pid);

/*
 * The tables of this process's threads that are not the program's: the first thread's, or where it has ended that of
 * the first one left; nor the calling thread's own. `self`: this process's number in that /proc. Returns as above.
 */
int cg_tables_of_self(struct cg_tables *tables, int proc, pid_t self);

#endif
