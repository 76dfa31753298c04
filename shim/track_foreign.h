/*
 * track_foreign.h: connections that another thread closed than the one that used them last.
 *
 * Most are handed from thread to thread. But where the user then finds its number closed, and somebody else's
 * connection has had that number meanwhile, the slot tells of that one, and only this of its own.
 */
#ifndef CG_TRACK_FOREIGN_H
#define CG_TRACK_FOREIGN_H

#include "record.h"

/* Remembers a connection as it was closed, where the closing thread is not its last user. Any context. */
void cg_foreign_note(int fd, const struct cg_slot *slot);

/*
 * The connection that this thread was the last to use under that number, as another thread closed it; false where the
 * last that is known of the number is this thread's own. Any context.
 */
bool cg_foreign_find(int fd, uint32_t tid, const struct cg_slot *last, struct cg_slot *ret);

/* In a forked child: they were the parent's. */
void cg_foreign_after_fork(void);

#endif
