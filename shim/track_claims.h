/*
 * track_claims.h: which of the processes that share a listener tells of its backlog.
 *
 * A page that a process shares with all that it forks, whatever users they become: no process has to be looked into to
 * know. Any of them may write it; the worst that comes of it is that a backlog is told by another one of them, twice,
 * or by none.
 */
#ifndef CG_TRACK_CLAIMS_H
#define CG_TRACK_CLAIMS_H

#include <stdbool.h>
#include <stdint.h>

/* In the parent before a fork, while a listener is open: makes the page, once. A system call at the first time. */
void cg_claims_before_fork(void);

/* In the child: it has none of its parent's claims. */
void cg_claims_fork_child(void);

enum cg_claim {
	CG_CLAIM_UNKNOWN, /* there is no page, or no room in it */
	CG_CLAIM_MINE,
	CG_CLAIM_OTHERS,
	CG_CLAIM_SOON /* nobody's yet: others may come first, for a moment */
};

/*
 * Asks for the backlog of the listener with that inode, at every look at which there is something in it to tell: a
 * claim that was not renewed for stale_ns is free. opener: this process made the listener, and need not wait for
 * another; urgent: nor for one that has it. Sweep only.
 */
enum cg_claim cg_claims_take(uint64_t inode, uint64_t now_ns, uint64_t stale_ns, bool opener, bool urgent);

#endif
