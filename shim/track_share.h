/*
 * track_share.h: who else may hold a connection, by what was seen happen to it.
 */
#ifndef CG_TRACK_SHARE_H
#define CG_TRACK_SHARE_H

#include <stdbool.h>
#include <stdint.h>

#include "record.h"

enum cg_reach {
	CG_REACH_ANY, /* it came by a way that was not seen: from any process of the host */
	CG_REACH_KIN, /* the process that opened it, and those that were forked from that one since */
	CG_REACH_OWN  /* this process only: no other was made since it was opened */
};

struct cg_share {
	enum cg_reach reach;
	bool sent;      /* given away by SCM_RIGHTS: it may be on its way, where nobody is seen to hold it */
	bool inherited; /* by a fork or an exec: another process than this one opened it */
	uint64_t born;  /* it was opened no earlier, in clock ticks since boot; 0: not known */
};

/* Any context; the slot may be a copy. */
struct cg_share cg_track_share(const struct cg_slot *slot);

/* Before a fork, in the parent: what a child has to know to say when something was opened. Any thread. */
void cg_track_share_before_fork(void);

#endif
