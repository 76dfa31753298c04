/*
 * suspects_listing.h: the sockets in CLOSE_WAIT in this network namespace, sorted by inode. Sweep only.
 */
#ifndef CG_SUSPECTS_LISTING_H
#define CG_SUSPECTS_LISTING_H

#include "suspects.h"

/* In the sweep's arena. Those of nobody (inode 0: they wait to be accepted) come first. */
struct cg_listing {
	struct cg_sweep *sweep;
	struct cg_tcp *tcp;
	unsigned count, room;
};

/* The netlink socket of this thread's table, opened when needed; -1 where netlink is refused. */
int cg_listing_netlink(struct cg_sweep *sweep);

/* In the child of a fork: the sockets are the parent's. */
void cg_listing_after_fork(void);

/* Takes one in, or -ENOMEM; sorted afterwards, before it is asked. */
int cg_listing_add(struct cg_listing *list, const struct cg_tcp *tcp);
void cg_listing_sort(struct cg_listing *list);

/* Fills *list, which is to be zeroed before. False when there is no netlink or the kernel does not answer. */
bool cg_listing_take(struct cg_sweep *sweep, struct cg_listing *list);

/* The socket with that inode, or NULL. */
const struct cg_tcp *cg_listing_find(const struct cg_listing *list, uint64_t inode);

#endif
