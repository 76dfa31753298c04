/* group_parts.h: what sockets and events, which become groups by different ways, share. Sweep only. */
#ifndef CG_GROUP_PARTS_H
#define CG_GROUP_PARTS_H

#include "group.h"

/* What makes two of them one group. */
struct cg_group_key {
	uint32_t kind, cause, open_stack, eof_stack;
	uint64_t last_use;
	char label[CG_LABEL_MAX]; /* closeguard_label's text, or "" */
};

/* The group of a key in this sweep, a new one where there was none. NULL: the table of findings is full. */
struct cg_group *cg_group_of(struct cg_sweep *sweep, struct cg_groups *groups, const struct cg_group_key *key);

/* Adds what has happened since the last sweep. There has to be a recorder. */
void cg_group_add_events(struct cg_sweep *sweep, struct cg_groups *groups);

/* In a forked child: those before were the parent's. */
void cg_group_events_after_fork(void);

#endif
