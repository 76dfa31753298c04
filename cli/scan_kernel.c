/*
 * scan_kernel.c: lists the sockets of network namespaces, by sock_diag from inside each.
 *
 * A netlink socket belongs to the namespace in which it was made, so this thread goes in, makes one, and comes back.
 * Where it may not go in, /proc/PID/net/tcp says the same without times.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "scan.h"

enum { BUFFER = 256 << 10, ALL_STATES = 0xFFF };

struct listing {
	struct cg_scan *scan;
	unsigned space;
	int error;
};

static bool is_told(unsigned state)
{
	static const unsigned told = 1u << CG_TCP_CLOSE_WAIT | 1u << CG_TCP_LAST_ACK | 1u << CG_TCP_CLOSING |
	                             1u << CG_TCP_FIN_WAIT1 | 1u << CG_TCP_FIN_WAIT2;
	return state < 32 && told >> state & 1;
}

static int keep_socket(struct listing *listing, const struct cg_tcp *tcp)
{
	struct cg_scan *scan = listing->scan;
	struct cg_scan_socket *socket = cg_scan_grow(&scan->sockets, &scan->socket_count, sizeof *socket);
	if (!socket)
		return listing->error = -ENOMEM;
	*socket =
	    (struct cg_scan_socket){.tcp = *tcp, .space = listing->space, .owner = CG_SCAN_UNSEEN, .listener = -1};
	return 0;
}

static int keep_listener(struct listing *listing, const struct cg_tcp *tcp)
{
	struct cg_scan *scan = listing->scan;
	struct cg_scan_listener *listener = cg_scan_grow(&scan->listeners, &scan->listener_count, sizeof *listener);
	if (!listener)
		return listing->error = -ENOMEM;
	*listener =
	    (struct cg_scan_listener){.tcp = *tcp, .space = listing->space, .sockets = 1, .owner = CG_SCAN_UNSEEN};
	return 0;
}

static int keep_other(struct listing *listing, uint64_t inode)
{
	uint64_t *other = cg_scan_grow(&listing->scan->others, &listing->scan->other_count, sizeof *other);
	if (!other)
		return listing->error = -ENOMEM;
	*other = inode;
	return 0;
}

static int visit(const struct cg_tcp *tcp, void *context)
{
	struct listing *listing = context;
	if (tcp->state == CG_TCP_TIME_WAIT) {
		listing->scan->spaces[listing->space].time_waits++;
		cg_scan_waits_note(listing->scan, listing->space, tcp);
		return 0;
	}
	if (tcp->state == CG_TCP_LISTEN && tcp->inode)
		return keep_listener(listing, tcp);
	if (is_told(tcp->state) || (tcp->state == CG_TCP_ESTABLISHED && tcp->inode == 0))
		return keep_socket(listing, tcp);
	return tcp->inode ? keep_other(listing, tcp->inode) : 0;
}

/* A netlink socket of the namespace, or -errno. */
static int open_inside(const struct cg_scan_space *space)
{
	char path[64];
	if (space->pid == 0)
		return cg_diag_open();
	cg_common_print(path, sizeof path, "/proc/%d/ns/net", space->pid);
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int there = open(path, O_RDONLY | O_CLOEXEC);
	int netlink = home < 0 || there < 0 || setns(there, CLONE_NEWNET) < 0 ? -errno : 0;
	if (netlink == 0) {
		netlink = cg_diag_open();
		if (setns(home, CLONE_NEWNET) < 0 && netlink >= 0) {
			close(netlink);
			netlink = -errno;
		}
	}
	if (home >= 0)
		close(home);
	if (there >= 0)
		close(there);
	return netlink;
}

static int dump(struct listing *listing, int netlink)
{
	void *buffer = malloc(BUFFER);
	int error = buffer ? cg_diag_dump(netlink, ALL_STATES, buffer, BUFFER, visit, listing) : -ENOMEM;
	free(buffer);
	return error;
}

/* What a dump that failed half way has left would be counted twice. */
struct mark {
	size_t sockets, listeners, others;
};

static struct mark mark_of(const struct cg_scan *scan)
{
	return (struct mark){scan->socket_count, scan->listener_count, scan->other_count};
}

static void rewind_to(struct cg_scan *scan, unsigned space, struct mark mark)
{
	scan->socket_count = mark.sockets;
	scan->listener_count = mark.listeners;
	scan->other_count = mark.others;
	scan->spaces[space].time_waits = 0;
	cg_scan_waits_forget(scan, space);
}

static int look_into(struct cg_scan *scan, unsigned index)
{
	struct cg_scan_space *space = &scan->spaces[index];
	struct listing listing = {.scan = scan, .space = index};
	struct mark mark = mark_of(scan);
	int netlink = open_inside(space);
	space->error = netlink < 0 ? netlink : dump(&listing, netlink);
	if (netlink >= 0)
		close(netlink);
	space->way = CG_SCAN_DIAG;
	if (space->error && !listing.error) {
		rewind_to(scan, index, mark);
		space->way = CG_SCAN_PROC;
		if (cg_scan_procnet(space->pid ? space->pid : getpid(), visit, &listing) < 0)
			space->way = CG_SCAN_NOT;
	}
	return listing.error;
}

int cg_scan_kernel(struct cg_scan *scan)
{
	bool any = false;
	for (unsigned i = 0; i < scan->space_count; i++) {
		if (!scan->spaces[i].wanted)
			continue;
		int error = look_into(scan, i);
		if (error)
			return error;
		any |= scan->spaces[i].way != CG_SCAN_NOT;
	}
	return any ? 0 : scan->spaces[0].error ? scan->spaces[0].error : -EACCES;
}
