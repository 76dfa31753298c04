/*
 * procfs.h: what only /proc can tell: who polls a descriptor, what a thread is called.
 *
 * Who else holds a socket: procfs_holders.h.
 *
 * Sweep only. Raw system calls and stack buffers, no malloc, no stdio. Functions return 0 (or a count) or -errno. A
 * walk stops at visit's first value that is not 0 and returns it. Descriptors opened on the way are cg_ownfd_take's.
 */
#ifndef CG_PROCFS_H
#define CG_PROCFS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The epoll descriptor of this process that watches fd, or -1 for none, -errno when /proc would not tell. Reads the
 * fdinfo of each eventpoll descriptor. A registration under the same number that belongs to another file is told apart
 * by the inode (`ino:` in fdinfo) where the kernel shows it, and one of the same file that was made under another
 * number, before a dup, counts. For one socket. (-EPERM would be -1: -EACCES is returned in its place.)
 */
int cg_proc_polled_by(int fd, uint64_t inode);

/*
 * The same for many at once: lists every (epoll fd, target fd, target inode) of the process and calls visit. The inode
 * is 0 where the kernel does not show it (before 4.13). -ETIME when budget_ns of this thread's CPU time were not enough
 * for all.
 */
typedef int cg_epoll_visit(int epfd, int fd, uint64_t inode, void *context);
int cg_proc_epolls(uint64_t budget_ns, cg_epoll_visit *visit, void *context);

/* The epoll descriptors of this process themselves; fills fds[0..max) and returns how many, or -errno. */
int cg_proc_epoll_sets(int *fds, unsigned max);

/*
 * Calls visit for each descriptor of this process that is a socket, with its inode (readlink of
 * /proc/thread-self/fd/N); closeguard's own are left out. *ret_open (may be NULL) becomes the number of open
 * descriptors of every kind, but for those and the one that the walk itself needs.
 */
typedef int cg_fd_visit(int fd, uint64_t inode, void *context);
int cg_proc_sockets(cg_fd_visit *visit, void *context, unsigned *ret_open);

/*
 * Opens what cg_proc_sockets reads, once and for all, in a thread of the app's: its looks then take none of the app's
 * numbers, not even for a moment. The same for a thread with a table of its own, which keeps another. In the child of a
 * fork it is the parent's, and is closed; what the parent found out about other processes is forgotten. Any thread.
 */
void cg_proc_keep(void);
void cg_proc_keep_another(void); /* after cg_proc_follow_table */
void cg_proc_after_fork(void);

/*
 * Set by whoever knows of what the program has open: descriptors that the walks above pass over, counted but not looked
 * at, because the program may be closing them at this moment, or (`sockets_wanted` false) because it is known that they
 * are sockets. NULL: none.
 */
typedef bool cg_proc_leaves_alone_fn(int fd, bool sockets_wanted);
extern cg_proc_leaves_alone_fn *_Atomic cg_proc_leaves_alone;

static inline bool cg_proc_is_left_alone(unsigned number, bool sockets_wanted)
{
	cg_proc_leaves_alone_fn *asked = cg_proc_leaves_alone;
	return asked && asked((int)number, sockets_wanted);
}

/*
 * The system call that a thread of this process is in, with its first two arguments; -1: in none, it runs. -errno where
 * the kernel does not tell (built without, a sandbox of its own) or the thread has ended.
 */
int cg_proc_thread_call(pid_t tid, long *ret_number, unsigned long ret_arguments[2]);

/*
 * One descriptor of the program, looked at without being touched, from whatever table: is it a socket, and which one?
 * 1 and *ret_inode, 0: something else; -ENOENT: it is closed; any other -errno: /proc would not tell.
 */
int cg_proc_descriptor(int fd, uint64_t *ret_inode);

/* The same: is the socket a TCP one? By its name in the kernel, an attribute of the link. 1, 0, or -errno. */
int cg_proc_is_tcp(int fd);

/*
 * The directory in /proc of a thread that has the program's table of descriptors: for a thread in it its own, since the
 * first one shows nothing any more once it has ended; for a thread with a table of its own the first, as long as it is
 * there.
 */
const char *cg_proc_table(void);

/* Is it there still? And finds another thread that has the table; false where there is none. Sweep thread. */
bool cg_proc_shows_table(void);
bool cg_proc_follow_table(void);

/* What /proc/<pid>/stat says (0: self). -ENOENT: no such process. */
struct cg_proc_stat {
	char state;       /* field 3: 'R', 'S', 'Z', … */
	uint64_t flags;   /* field 9 */
	uint64_t threads; /* field 20 */
	uint64_t start;   /* field 22: clock ticks since boot */
};
int cg_proc_stat(pid_t pid, struct cg_proc_stat *ret);

/* The name of a thread of this process ("worker-3"), "tid 4711" when it is gone. Returns name. */
const char *cg_proc_thread_name(pid_t tid, char name[32]);

/* The name of another process's program ("sleep"), "" when it cannot be read. Returns name. */
const char *cg_proc_command(pid_t pid, char name[16]);

/*
 * True when the process was started with us in LD_PRELOAD; false too where that may not be read. Constructor: a file
 * has the lowest free number for a moment.
 */
bool cg_proc_is_preloaded(pid_t pid);

/* Is it a thread of the kernel's, which has no descriptors? From its flags. */
bool cg_proc_is_kernel_thread(const struct cg_proc_stat *stat);

/* Field 22 of /proc/<pid>/stat (0: self), the start time in clock ticks; 0 when it cannot be read. */
uint64_t cg_proc_start_time(pid_t pid);

/*
 * True when the process is there (kill 0 is not enough: pids are used again; start may be 0 for any). A zombie is not
 * there; a process whose /proc entry is hidden is.
 */
bool cg_proc_alive(pid_t pid, uint64_t start);

/* Threads of this process; -errno when unknown. */
int cg_proc_threads(void);

/*
 * For the files of this subject: calls visit for each entry of a directory whose name is a number, with the directory's
 * descriptor for *at calls.
 */
typedef int cg_proc_entry_visit(int dir, const char *name, unsigned number, void *context);
int cg_proc_entries(int at, const char *path, cg_proc_entry_visit *visit, void *context);

/*
 * The same from *at on, a position in the directory (0: its beginning). When visit ends the walk, *at is that entry's
 * own position, at which a later walk goes on.
 */
int cg_proc_entries_from(int at, const char *path, off_t *position, cg_proc_entry_visit *visit, void *context);

/* The same for the directory of the program's descriptors, as this thread sees it. */
int cg_proc_descriptors(cg_proc_entry_visit *visit, void *context);

/*
 * Opens a file under /proc (flags beside O_RDONLY | O_CLOEXEC) at a high number. It is closed by cg_ownfd_close, which
 * closes it only if it is still ours: an app that closes all descriptors while a walk is under way may have the number
 * in use already.
 */
int cg_proc_open(int at, const char *path, int flags);

/* Leading blanks, then digits up to the first other character. *at moves past them; no digit gives 0. */
uint64_t cg_proc_take_number(const char **at, unsigned base);

/* The text of a link, which is cut where it is longer: those looked for here are short. 0 or -errno. */
int cg_proc_read_link(int dir, const char *name, char text[48]);

/* Is that link of an fd directory a socket? 1 and its inode, 0, or -errno when the link cannot be read. */
int cg_proc_socket_inode(int dir, const char *name, uint64_t *ret_inode);

#endif
