/*
 * procfs_holders.h: which other processes hold a socket.
 *
 * One walk over /proc looks for all sockets that somebody wants to know of. It spends a budget of CPU time at a time
 * and goes on where it stopped, so an answer may come some looks later. Until then there is none, which is never
 * "nobody". Sweep only, but for cg_holders_descend.
 */
#ifndef CG_PROCFS_HOLDERS_H
#define CG_PROCFS_HOLDERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { CG_HOLDERS_KEPT = 8, CG_HOLDERS_WANTED = 1024 };

/* What was found. */
struct cg_holders {
	unsigned count;   /* other processes; the first of them are in pids, in the order of /proc */
	bool other_table; /* a thread of this process has it in a descriptor table that is not the program's */
	pid_t pids[CG_HOLDERS_KEPT];
};

/* What the walk that found it could not see. */
struct cg_holders_view {
	bool host;             /* /proc shows the processes of all pid namespaces */
	bool hidden;           /* some of those that it should show are not listed */
	unsigned unread;       /* that may not be looked into, this process's own threads not counted */
	uint64_t unread_start; /* when the last of them was started: clock ticks since boot; UINT64_MAX: not known */
	bool unread_ancestor;  /* one of them is (or may be) a process that this one was forked from */
	bool unread_self;      /* whether a thread of this process has a table of its own cannot be told */
};

/*
 * Asks for the socket, until nobody has for some time. now_ns: CLOCK_MONOTONIC, of this look. False: CG_HOLDERS_WANTED
 * others are wanted already, or there is no memory.
 */
bool cg_holders_want(uint64_t inode, uint64_t now_ns);

/*
 * Walks for up to budget_ns of this thread's CPU time, if there is a socket without an answer, or if the answers are of
 * a walk that began before since_ns (0: as old as they may become by themselves, which is longer the longer they stay
 * the same). urgent: now, also when the last walk has only just taken its share of the processor.
 */
void cg_holders_walk(uint64_t now_ns, uint64_t since_ns, uint64_t budget_ns, bool urgent);

/* The answer of the last whole walk, if it began at since_ns or later: 0 or -EAGAIN. */
int cg_holders_get(uint64_t inode, uint64_t since_ns, struct cg_holders *ret, struct cg_holders_view *ret_view);

/* Before a fork, in the parent: its pid is remembered as an ancestor's by the child, and by its children. Any thread.
 */
void cg_holders_descend(pid_t parent);

/* In the child: the parent's answers are not its own. */
void cg_holders_after_fork(void);

#endif
