/*
 * unshare.h: a table of descriptors of its own for the sweep's thread.
 *
 * What the thread opens then takes none of the program's numbers and none of its limit, and a program with one thread
 * goes on having a table that is not shared, which the kernel serves faster. The program's descriptors are seen through
 * /proc/self/fd, which is the first thread's, and by sock_diag; one of them is taken over, for a moment, only where
 * something has to be done to it, or the kernel tells it in no other way: a second holder keeps a connection open, and
 * its port bound, past the program's own close.
 */
#ifndef CG_UNSHARE_H
#define CG_UNSHARE_H

#include <stdbool.h>

/*
 * Can a thread of this process have a table of its own, and still see the program's? False under a kernel before 5.9,
 * without /proc, and once the first thread has ended, whose table /proc/self shows. Opens nothing. Any thread.
 */
bool cg_unshare_possible(void);

/*
 * May descriptors be taken over here? Asked once, by doing it, with two descriptors for a moment. False before
 * Linux 5.6, where it is refused, and, without trying, where a seccomp filter is in force: it may end the process for a
 * call that it does not know. Any thread of the program's.
 */
bool cg_unshare_may_take(void);

/*
 * The calling thread's table becomes its own, empty but for what stands in for 0, 1 and 2. Returns 0 or -errno, and
 * then nothing has changed. Sweep thread.
 */
int cg_unshare_files(void);

/*
 * The program's descriptor `fd`, taken over into this thread's table; in a table that is shared, a registered
 * duplicate. -EBADF: there is no such descriptor; any other -errno: it cannot be had. For the caller to give to
 * cg_ownfd_close, soon. Any context.
 */
int cg_unshare_take(int fd);

/* Will cg_unshare_take answer in this thread? */
bool cg_unshare_takes(void);

#endif
