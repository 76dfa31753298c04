/*
 * act_poll.c: takes a descriptor out of the program's epoll sets before it is closed while a duplicate lives on.
 *
 * A registration belongs to the open file, not to the number: with a duplicate alive it would stay, and go on to report
 * events for a descriptor that the program has closed, with a pointer to what it has freed.
 */
#include <errno.h>
#include <sys/epoll.h>

#include "act_parts.h"
#include "bypass.h"
#include "procfs.h"
#include "sys.h"

enum { SETS = 32 };

/* Those that a wrapper saw being used, and those that the last look at /proc found. 0: free, else the number + 1. */
static _Atomic int seen[SETS], looked[SETS];
static _Atomic bool too_many;

void cg_act_polled(int epfd)
{
	for (int i = 0; i < SETS; i++) {
		int none = 0;
		if (atomic_load_explicit(&seen[i], memory_order_relaxed) == epfd + 1 ||
		    atomic_compare_exchange_strong(&seen[i], &none, epfd + 1) || none == epfd + 1)
			return;
	}
	atomic_store(&too_many, true);
}

void cg_act_set_epolls(const int *fds, unsigned count)
{
	for (unsigned i = 0; i < SETS; i++)
		atomic_store(&looked[i], i < count ? fds[i] + 1 : 0);
	if (count > SETS)
		atomic_store(&too_many, true);
}

/* A number that is no epoll set any more answers with EBADF or EINVAL, and makes room. */
static void remove_from(_Atomic int *set, int fd)
{
	struct epoll_event unused = {0};
	int number = atomic_load(set);
	if (!number)
		return;
	long r = CG_SYS(SYS_epoll_ctl, number - 1, EPOLL_CTL_DEL, fd, &unused, 0, 0);
	if (r == -EBADF || r == -EINVAL)
		atomic_compare_exchange_strong(set, &number, 0);
}

bool cg_act_unpoll(int fd, bool inherited)
{
	if (atomic_load(&too_many) || cg_bypass_found())
		return false;
	for (int i = 0; i < SETS; i++) {
		remove_from(&seen[i], fd);
		if (!inherited)
			remove_from(&looked[i], fd);
	}
	return true;
}

bool cg_act_polled_by_another_name(int fd)
{
	uint64_t inode, cookie;
	return cg_tcp_identity(fd, &inode, &cookie) < 0 || cg_proc_polled_by(fd, inode) != -1;
}

void cg_act_poll_after_fork(void)
{
	for (int i = 0; i < SETS; i++) {
		atomic_store(&seen[i], 0);
		atomic_store(&looked[i], 0);
	}
	atomic_store(&too_many, false);
}
