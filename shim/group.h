/*
 * group.h: findings are groups of sockets that share kind, cause and stacks; which were told, and when to tell them
 * again.
 *
 * What was told is kept in the recorder, so that a reader from outside knows what the log knows.
 */
#ifndef CG_GROUP_H
#define CG_GROUP_H

#include "suspects.h"

/* One group in one sweep. */
struct cg_group {
	struct cg_kept_finding *kept;
	unsigned mature;   /* sockets old enough to be told; for events: how many happened in all */
	unsigned ripening; /* the same, but not old enough yet */
	unsigned shown;
	const struct cg_suspect *sockets[CG_SOCKETS_SHOWN]; /* the oldest is not always first */
	const struct cg_suspect *oldest;
	struct cg_suspect *first; /* of all that are old enough, by next_of_group */
	struct cg_event event; /* for events: the last one */
	uint64_t first_ns;     /* for events: when the first one of this sweep was */
	bool is_event;
	bool quiet; /* only of well-behaved sockets: for summaries */
};

struct cg_groups {
	struct cg_group *list[CG_MAX_FINDINGS]; /* by the index of the kept finding; NULL: not in this sweep */
	unsigned end;
};

enum cg_tell { CG_TELL_NOTHING, CG_TELL_FIRST, CG_TELL_AGAIN, CG_TELL_RESOLVED };

/* Sorts the judged suspects, and events that happened since the last sweep, into groups. */
void cg_groups_build(struct cg_sweep *sweep, struct cg_groups *ret);

/*
 * What to say of the kept finding at `index` now. A first report waits until the sockets that became closable with the
 * first one are old enough too, so that a burst is counted whole; afterwards only a doubling is worth a line.
 */
enum cg_tell cg_group_decide(const struct cg_sweep *sweep, const struct cg_groups *groups, unsigned index);

/* Notes that it was told. */
void cg_group_told(struct cg_kept_finding *kept, const struct cg_group *group, enum cg_tell what);

/* Notes all groups in the recorder, told or not: for a process that may not live until they are. */
void cg_groups_keep(const struct cg_sweep *sweep, const struct cg_groups *groups);

/* How many sockets in CLOSE_WAIT are findings now, however healthy they look. */
unsigned cg_groups_close_wait(const struct cg_groups *groups);

/* How many sockets are in findings with verdict leak now. For exit codes and closeguard_check. */
unsigned cg_groups_leaks(const struct cg_groups *groups);

/* How many double closes and uses after close there were. For exit codes. */
unsigned cg_groups_mistakes(void);

/* The last event of such a finding, as far as the ring still has it. Sweep only. */
bool cg_group_last_event(const struct cg_kept_finding *kept, struct cg_event *ret);

/* Are there events that no sweep has taken up? Any context. */
bool cg_groups_pending(void);

/* Did the descriptors run out in this sweep? */
bool cg_groups_exhausted(const struct cg_groups *groups);

/* In a forked child: the groups are the parent's. */
void cg_groups_after_fork(void);

#endif
