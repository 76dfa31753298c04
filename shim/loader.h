/*
 * loader.h: keeps a fork out of the moments in which another thread is, because of us, inside the dynamic loader, the
 * unwinder or another libc.
 *
 * A forked child has the locks that others held as they were, and nobody to give them back. glibc does not reset the
 * lock of dl_iterate_phdr: such a child never gets through an exception, a backtrace or a dlopen of its own; libunwind
 * does not reset those of its caches: it never gets through its next accept. Programs whose own threads stay out of
 * these rely on it. The cost: a stack that is taken while a fork is under way waits for it.
 */
#ifndef CG_LOADER_H
#define CG_LOADER_H

/*
 * Around the calls, also nested. Waits while another thread's fork is under way, for two seconds at most. Any context
 * that the calls themselves bear.
 */
void cg_loader_begin(void);
void cg_loader_end(void);

/* The fork's part: waits for the other threads inside, for half a second at most, and lets them go on. Any context. */
void cg_loader_before_fork(void);
void cg_loader_fork_parent(void);
void cg_loader_fork_child(void);

#endif
