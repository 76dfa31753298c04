/*
 * sweep_watched.h: connections that are to be ended, were ended, or would have been. Sweep only, unless said otherwise.
 */
#ifndef CG_SWEEP_WATCHED_H
#define CG_SWEEP_WATCHED_H

#include "suspects.h"

enum cg_watched_stage { CG_WATCHED_UNUSED, CG_WATCHED_CANDIDATE, CG_WATCHED_TOLD };

struct cg_watched {
	/* The atomic ones are looked at by a thread of the program's when it writes to what was reaped. */
	_Atomic int stage; /* enum cg_watched_stage */
	_Atomic int fd;
	_Atomic uint32_t gen;
	uint32_t rqueue;
	uint64_t inode, uses, seen_ns; /* uses: what the records of all its numbers say of its use, hashed */
	uint64_t told_use;             /* the same of `fd` alone, when it was told */
	struct cg_action *_Atomic action;
	_Atomic bool counted; /* the program has used it again */
};

/* By the socket's inode, or NULL. */
struct cg_watched *cg_watched_find(uint64_t inode);

/* A free place for it; NULL where there is none. */
struct cg_watched *cg_watched_new(uint64_t inode);

/* Notes with every number of this process under which the connection is open that it is reaped, or is not. */
void cg_watched_mark(uint64_t inode, bool reaped);

/* What is kept of a candidate. */
struct cg_watched_view {
	int fd;
	uint32_t gen, rqueue;
	uint64_t inode, uses, seen_ns;
};

/* Makes the place a candidate's. */
void cg_watched_candidate(struct cg_watched *watched, const struct cg_watched_view *view);

/* It is no candidate any more. */
void cg_watched_forget(struct cg_watched *watched);

/*
 * What its records say of its use, hashed. several: it has other numbers than fd. *ret_tick: when one of them was last
 * used; 0: none was.
 */
uint64_t cg_watched_uses(int fd, uint64_t inode, bool several, uint32_t *ret_tick);

/* It was told of. */
void cg_watched_told(struct cg_watched *watched, struct cg_action *action);

/* Counts those that were told of and used since; forgets candidates that were closed. Once in each look. */
void cg_watched_count(void);
void cg_watched_drop(const struct cg_sweep *sweep);

void cg_watched_after_fork(void);

#endif
