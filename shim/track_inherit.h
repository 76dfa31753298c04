/*
 * track_inherit.h: sockets that came into this process by exec or fork.
 *
 * Nothing is made for them until one is used: a shell that a connection was left open in gets no recorder and no
 * thread.
 */
#ifndef CG_TRACK_INHERIT_H
#define CG_TRACK_INHERIT_H

#include <stdbool.h>

/* Looks for TCP sockets among the low descriptors that the program was started with. Constructor. */
void cg_inherit_scan(void);

/* Before a fork: takes a copy of what is open, since the parent goes on closing meanwhile. No lock is held. */
void cg_inherit_before_fork(void);
void cg_inherit_fork_parent(void);
void cg_inherit_fork_child(void);

/* True when fd is one of those and nobody has imported them yet. Any context. */
bool cg_inherit_has(int fd);

/* The number was closed, or is another's now, before anything was imported. */
void cg_inherit_forget(int fd);

/* Fills them into the new recorder's slots. Called once, by whoever made the recorder. */
void cg_inherit_import(void);

#endif
