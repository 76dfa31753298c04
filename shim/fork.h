/*
 * fork.h: what has to happen around a fork, for pthread_atfork and for _Fork's wrapper.
 */
#ifndef CG_FORK_H
#define CG_FORK_H

#include <stdbool.h>

/* Before: a copy of what is open. Any thread; no lock is held across the fork. by_libc: as below. */
void cg_fork_before(bool by_libc);
void cg_fork_parent(void);

/*
 * In the child: the recorder, the thread and the descriptors are the parent's; it starts its own at its first socket.
 * by_libc: it came from libc's fork, which leaves malloc usable.
 */
void cg_fork_child(bool by_libc);

/* Set by the sweep: forget the parent's thread and descriptors. */
extern void (*cg_fork_child_hook)(void);

#endif
