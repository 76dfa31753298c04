/*
 * loader.h: who may enter the dynamic loader, or another library that takes locks, because of us.
 *
 * A forked child has the locks that others held as they were, and nobody to give them back. glibc does not reset the
 * lock of dl_iterate_phdr: such a child never gets through an exception, a backtrace or a dlopen of its own. So what
 * runs in the program's threads enters the loader only while no other thread can fork, and in the child of a process
 * of many threads never.
 */
#ifndef CG_LOADER_H
#define CG_LOADER_H

#include <stdbool.h>

/*
 * True when this is the program's only thread, in a process that was not forked from one of several: nobody else can
 * hold the loader's lock, or fork while we do. One system call; false in a sandbox. Any context.
 */
bool cg_loader_is_alone(void);

/*
 * True in a child that was forked while its parent had other threads, or may have had: locks that are not ours may be
 * held for ever. Any context.
 */
bool cg_loader_is_orphan(void);

/* The sweep's thread is not the program's: it never forks. When it begins, and when it ends. */
void cg_loader_own_thread(int change);

/*
 * Around the start of a thread of ours: from before it is made until it runs, or could not be made. Any context.
 */
void cg_loader_thread_begins(void);
void cg_loader_thread_begun(void);

/*
 * Around a call into the loader by a thread that may not be alone: the symbol annex's first load, the look for modules
 * that go past us. Waits while a fork is under way, for a second at most. Any context that the calls themselves bear.
 */
void cg_loader_begin(void);
void cg_loader_end(void);

/*
 * The fork's part. Nobody waits for the taking of a stack. What begin and end surround happens once, or for some
 * microseconds after modules were loaded: a fork at that very moment lets it finish, for a tenth of a second at most,
 * since else its child would be left with the loader's lock. `by_libc` false: a fork that libc does not know of, after
 * which malloc's locks are as they were, too, and the list of threads: a thread of ours that is made but does not run
 * yet would be waited for in the child by setuid and its like, for ever. So it is waited for before, as long. Any
 * context.
 */
void cg_loader_before_fork(bool by_libc);
void cg_loader_fork_parent(void);
void cg_loader_fork_child(bool by_libc);

/* False in the child of a fork of several threads that libc does not know of: no thread can be started there. */
bool cg_loader_has_malloc(void);

#endif
