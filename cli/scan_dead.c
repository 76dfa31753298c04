/*
 * scan_dead.c: TCP sockets in CLOSE, which no table of the kernel's lists: found by their descriptors.
 *
 * What such a descriptor is, only the socket itself says, so a copy of it is taken (pidfd_getfd), asked and closed. A
 * close by its process meanwhile would take effect a moment later; a socket in CLOSE has no peer to notice.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cli.h"
#include "scan.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

static int by_number(const void *a, const void *b)
{
	const uint64_t *one = a, *other = b;
	return (*one > *other) - (*one < *other);
}

/* All inodes that the kernel listed, sorted. */
static int list_known(struct cg_scan *scan)
{
	size_t extra = scan->socket_count + scan->listener_count;
	for (size_t i = 0; i < extra; i++) {
		uint64_t *other = cg_scan_grow(&scan->others, &scan->other_count, sizeof *other);
		if (!other)
			return -ENOMEM;
		*other = i < scan->socket_count ? scan->sockets[i].tcp.inode
		                                : scan->listeners[i - scan->socket_count].tcp.inode;
	}
	if (scan->other_count)
		qsort(scan->others, scan->other_count, sizeof *scan->others, by_number);
	return 0;
}

static bool is_known(const struct cg_scan *scan, uint64_t inode)
{
	return scan->other_count && bsearch(&inode, scan->others, scan->other_count, sizeof inode, by_number);
}

/* Does the kernel call it TCP? The name stands in an attribute of the descriptor's link. */
static bool is_tcp(pid_t pid, int fd)
{
	char path[64], protocol[32] = "";
	cg_common_print(path, sizeof path, "/proc/%d/fd/%d", pid, fd);
	ssize_t n = getxattr(path, "system.sockprotoname", protocol, sizeof protocol - 1);
	return n > 0 && (strcmp(protocol, "TCP") == 0 || strcmp(protocol, "TCPv6") == 0);
}

/* A copy of another process's descriptor, or -errno. */
static int copy_descriptor(pid_t pid, int fd)
{
	int process = (int)syscall(SYS_pidfd_open, pid, 0);
	if (process < 0)
		return -errno;
	int copy = (int)syscall(SYS_pidfd_getfd, process, fd, 0);
	int error = copy < 0 ? -errno : copy;
	close(process);
	return error;
}

/* Where the socket itself cannot be asked, its state is left at 0. */
static int ask(pid_t pid, const struct cg_scan_hold *hold, struct cg_tcp *ret)
{
	uint64_t inode, cookie;
	int copy = copy_descriptor(pid, hold->fd);
	*ret = (struct cg_tcp){.inode = hold->inode};
	if (copy < 0)
		return copy == -EPERM || copy == -ENOSYS ? 0 : copy;
	int error = cg_tcp_identity(copy, &inode, &cookie);
	if (!error && inode != hold->inode)
		error = -ESTALE; /* another socket has the number by now */
	if (!error)
		error = cg_tcp_info(copy, ret);
	close(copy);
	ret->inode = hold->inode;
	ret->cookie = error ? 0 : cookie;
	return error;
}

static long space_of(const struct cg_scan *scan, const struct cg_scan_process *process)
{
	for (size_t i = 0; i < scan->space_count; i++)
		if (scan->spaces[i].inode == process->space && scan->spaces[i].way != CG_SCAN_NOT)
			return (long)i;
	return -1;
}

static int look_at(struct cg_scan *scan, const struct cg_scan_hold *hold)
{
	const struct cg_scan_process *process = &scan->processes[hold->process];
	long space = space_of(scan, process);
	struct cg_tcp tcp;
	if (space < 0 || is_known(scan, hold->inode) || !is_tcp(process->pid, hold->fd))
		return 0;
	if (ask(process->pid, hold, &tcp) < 0)
		return 0; /* gone */
	bool asked = tcp.state != 0;
	if (asked && (tcp.state != CG_TCP_CLOSE || !tcp.was_connected))
		return 0; /* new, or of a namespace that was not looked into */
	struct cg_scan_socket *socket = cg_scan_grow(&scan->sockets, &scan->socket_count, sizeof *socket);
	if (!socket)
		return -ENOMEM;
	tcp.state = CG_TCP_CLOSE;
	*socket = (struct cg_scan_socket){.tcp = tcp,
	                                  .space = (unsigned)space,
	                                  .class = asked ? CG_SCAN_DEAD : CG_SCAN_UNCONNECTED,
	                                  .owner = CG_SCAN_UNSEEN,
	                                  .listener = -1};
	return 0;
}

int cg_scan_dead(struct cg_scan *scan)
{
	int error = list_known(scan);
	for (size_t i = 0; i < scan->hold_count && !error; i++)
		if (i == 0 || scan->holds[i - 1].inode != scan->holds[i].inode)
			error = look_at(scan, &scan->holds[i]);
	return error;
}
