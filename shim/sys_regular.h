/*
 * sys_regular.h: opens a file whose name came from somebody else.
 *
 * Opening a device may rewind a tape, a FIFO may wait for its other end, an automount point is mounted, and some files
 * of the kernel are emptied by whoever reads them. So the name is only looked up first (O_PATH), then it is asked what
 * is there, and that same thing is opened by its number, whatever the name leads to by then. A folder on the way may
 * still be mounted by the look-up: the name has to be followed.
 */
#ifndef CG_SYS_REGULAR_H
#define CG_SYS_REGULAR_H

#include <stdbool.h>
#include <sys/vfs.h>

#include "sys.h"

/* File systems whose "regular" files are questions to the kernel; the numbers are those of linux/magic.h. */
static inline bool cg_sys_is_kernel_fs(int fd)
{
	static const unsigned long proc = 0x9fa0, sysfs = 0x62656572, debugfs = 0x64626720, tracefs = 0x74726163;
	struct statfs fs;
	if (CG_SYS3(SYS_fstatfs, fd, &fs, 0) < 0)
		return false;
	unsigned long type = (unsigned long)fs.f_type;
	return type == proc || type == sysfs || type == debugfs || type == tracefs;
}

static inline int cg_sys_check_regular(int fd)
{
	struct stat st;
	int error = cg_sys_fstat(fd, &st);
	if (error < 0)
		return error;
	if (S_ISLNK(st.st_mode))
		return -ELOOP;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	return S_ISREG(st.st_mode) && !cg_sys_is_kernel_fs(fd) ? 0 : -EINVAL;
}

/*
 * Opens a regular file for reading. `flags`: 0, or O_NOFOLLOW for a name that may be no symbolic link. Returns a
 * descriptor, or -errno: -ELOOP for that link, -EISDIR for a directory, -EINVAL for what is no regular file on a disk
 * or in memory, -EAGAIN where its owner holds a lease on it. A device, FIFO or socket of that name is left as it was.
 * Any context; /proc is needed.
 */
static inline int cg_open_regular(const char *path, int flags)
{
	char link[40] = "/proc/thread-self/fd/", digits[12]; /* the thread may have a table of its own */
	size_t end = sizeof "/proc/thread-self/fd/" - 1, n = 0;
	int there = cg_sys_open(path, O_PATH | (flags & O_NOFOLLOW), 0);
	if (there < 0)
		return there;
	int fd = cg_sys_check_regular(there);
	if (fd == 0) {
		for (unsigned rest = (unsigned)there; n == 0 || rest; rest /= 10)
			digits[n++] = (char)('0' + rest % 10);
		while (n)
			link[end++] = digits[--n];
		link[end] = '\0';
		fd = cg_sys_open(link, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0); /* NONBLOCK: for leases */
	}
	cg_sys_close(there);
	return fd;
}

#endif
