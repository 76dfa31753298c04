/* unshare.c: leaves the table of descriptors that the program's threads share. */
#include "unshare.h"

#include <stdatomic.h>
#include <sys/prctl.h>

#include "ownfd.h"
#include "sys.h"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

enum { UNSHARE = 2 }; /* CLOSE_RANGE_UNSHARE: a new table without the range, so that no file is held for a moment */

static int process = -1; /* a pidfd of this process, in the table of our own; -1: nothing can be taken over */

/* Of what ended first, only the files are gone; /proc goes by the first thread's. */
static bool first_thread_is_there(void)
{
	char target[1];
	return cg_sys_readlinkat(AT_FDCWD, "/proc/self/exe", target, sizeof target) > 0;
}

/* The range is empty and so refused, but only where the flag is known. */
bool cg_unshare_possible(void)
{
	return CG_SYS3(SYS_close_range, 1, 0, UNSHARE) == -EINVAL && first_thread_is_there();
}

static bool is_filtered(void)
{
	return CG_SYS3(SYS_prctl, PR_GET_SECCOMP, 0, 0) != 0;
}

static int open_process(void)
{
	return is_filtered() ? -EPERM : (int)CG_SYS3(SYS_pidfd_open, cg_sys_getpid(), 0, 0);
}

/* Taken from the table that it is in itself. */
static bool works(int pidfd)
{
	int copy = (int)CG_SYS3(SYS_pidfd_getfd, pidfd, pidfd, 0);
	if (copy >= 0)
		cg_sys_close(copy);
	return copy >= 0;
}

bool cg_unshare_may_take(void)
{
	static _Atomic int answer; /* 0: not asked, 1: no, 2: yes */
	if (!atomic_load(&answer)) {
		int pidfd = open_process();
		bool may = pidfd >= 0 && works(pidfd);
		if (pidfd >= 0)
			cg_sys_close(pidfd);
		atomic_store(&answer, may ? 2 : 1);
	}
	return atomic_load(&answer) == 2;
}

/* The next descriptors would have the numbers to which libraries write their messages. */
static void fill_standard_numbers(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (cg_sys_open("/dev/null", O_RDWR, 0) < 0)
			(void)CG_SYS3(SYS_epoll_create1, O_CLOEXEC, 0, 0); /* which can be neither read nor written */
}

/* Of the program's descriptors none may be open, so none is tried: where it is refused, so is a number without one. */
static void find_process(void)
{
	int pidfd = open_process();
	long r = pidfd < 0 ? pidfd : CG_SYS3(SYS_pidfd_getfd, pidfd, ~0u >> 1, 0);
	process = r == -EBADF ? pidfd : -1;
	if (pidfd >= 0 && process < 0)
		cg_sys_close(pidfd);
}

int cg_unshare_files(void)
{
	long r = CG_SYS3(SYS_close_range, 0, ~0u, UNSHARE);
	if (r < 0)
		return (int)r;
	cg_ownfd_unshared = true;
	fill_standard_numbers();
	find_process();
	return 0;
}

int cg_unshare_take(int fd)
{
	if (!cg_ownfd_unshared)
		return cg_ownfd_dup(fd);
	return process < 0 ? -EPERM : (int)CG_SYS3(SYS_pidfd_getfd, process, fd, 0);
}

bool cg_unshare_takes(void)
{
	return !cg_ownfd_unshared || process >= 0;
}
