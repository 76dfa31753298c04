/*
 * loader.h: keeps a fork out of the moments in which a thread of ours is inside the dynamic loader or another libc.
 *
 * glibc does not reset the lock of dl_iterate_phdr in a forked child: one that was made while another thread held it
 * never gets through an exception, a backtrace or a dlopen of its own. Programs whose own threads stay out of the
 * loader rely on that.
 */
#ifndef CG_LOADER_H
#define CG_LOADER_H

/* Around the calls. Not nested; waits while a fork is under way, for a second at most. Any thread of ours or the app's.
 */
void cg_loader_begin(void);
void cg_loader_end(void);

/* The fork's part: waits for those inside, for half a second at most, and lets them go on. */
void cg_loader_before_fork(void);
void cg_loader_fork_parent(void);
void cg_loader_fork_child(void);

#endif
