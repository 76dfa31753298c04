/*
 * scan_judge.c: says what each socket is, whose it is and how old.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli.h"
#include "scan.h"

static const char *const names[CG_SCAN_CLASSES] = {
    [CG_SCAN_CLOSE_WAIT] = "close_wait",   [CG_SCAN_LAST_ACK] = "last_ack",   [CG_SCAN_CLOSING] = "closing",
    [CG_SCAN_FIN_WAIT1] = "fin_wait1",     [CG_SCAN_FIN_WAIT2] = "fin_wait2", [CG_SCAN_DEAD] = "dead_socket",
    [CG_SCAN_UNCONNECTED] = "unconnected", [CG_SCAN_BACKLOG] = "backlog",     [CG_SCAN_TIME_WAIT] = "time_wait",
};

const char *cg_scan_class_name(enum cg_scan_class class)
{
	return names[class];
}

/* Are they the same without '-' and '_', so that ss's "fin-wait-1" is our "fin_wait1"? */
static bool same_name(const char *one, const char *other)
{
	while (*one || *other) {
		one += strspn(one, "-_");
		other += strspn(other, "-_");
		if (strncasecmp(one, other, 1) != 0)
			return false;
		one += *one != '\0';
		other += *other != '\0';
	}
	return true;
}

int cg_scan_class_parse(const char *name, enum cg_scan_class *ret)
{
	for (unsigned i = 0; i < CG_SCAN_CLASSES; i++) {
		if (same_name(name, names[i])) {
			*ret = i;
			return 0;
		}
	}
	return -EINVAL;
}

static enum cg_scan_class class_of(unsigned state)
{
	switch (state) {
	case CG_TCP_CLOSE_WAIT:
		return CG_SCAN_CLOSE_WAIT;
	case CG_TCP_LAST_ACK:
		return CG_SCAN_LAST_ACK;
	case CG_TCP_CLOSING:
		return CG_SCAN_CLOSING;
	case CG_TCP_FIN_WAIT1:
		return CG_SCAN_FIN_WAIT1;
	case CG_TCP_FIN_WAIT2:
		return CG_SCAN_FIN_WAIT2;
	case CG_TCP_CLOSE:
		return CG_SCAN_DEAD;
	default:
		return CG_SCAN_BACKLOG;
	}
}

/* Index of the first hold of an inode, and how many follow it. */
static size_t holds_of(const struct cg_scan *scan, uint64_t inode, unsigned *ret_count)
{
	size_t low = 0, high = scan->hold_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (scan->holds[middle].inode < inode)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_count = 0;
	while (inode && low + *ret_count < scan->hold_count && scan->holds[low + *ret_count].inode == inode)
		++*ret_count;
	return low;
}

bool cg_scan_is_first_hold(const struct cg_scan *scan, const struct cg_scan_socket *socket, unsigned i)
{
	const struct cg_scan_hold *hold = &scan->holds[socket->first_hold + i];
	return i == 0 || hold[-1].process != hold->process;
}

unsigned cg_scan_holders(const struct cg_scan *scan, const struct cg_scan_socket *socket)
{
	unsigned count = 0;
	for (unsigned i = 0; i < socket->holds; i++)
		count += cg_scan_is_first_hold(scan, socket, i);
	return count;
}

/* The first wanted process among them. */
static long owner_among(const struct cg_scan *scan, size_t first, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (scan->processes[scan->holds[first + i].process].wanted)
			return (long)scan->holds[first + i].process;
	return CG_SCAN_UNSEEN;
}

static bool is_any(const struct cg_addr *addr)
{
	static const uint8_t zero[16];
	return memcmp(addr->bytes, zero, sizeof zero) == 0;
}

/* An exact address is stronger than a wildcard, as in the kernel: 2, 1, or 0 where it cannot be that listener's. */
static int fits(const struct cg_scan_listener *listener, const struct cg_scan_socket *socket)
{
	const struct cg_addr *there = &listener->tcp.local, *here = &socket->tcp.local;
	bool bound = listener->tcp.ifindex && listener->tcp.ifindex != socket->tcp.ifindex;
	if (listener->space != socket->space || there->port != here->port || there->family != here->family || bound)
		return 0;
	return memcmp(there->bytes, here->bytes, sizeof there->bytes) == 0 ? 2 : is_any(there);
}

static long listener_of(const struct cg_scan *scan, const struct cg_scan_socket *socket)
{
	long best = -1;
	int strength = 0;
	for (size_t i = 0; i < scan->listener_count; i++) {
		int fit = fits(&scan->listeners[i], socket);
		if (fit > strength) {
			strength = fit;
			best = (long)i;
		}
	}
	return best;
}

static bool same_listener(const struct cg_scan_listener *one, const struct cg_scan_listener *other)
{
	return one->space == other->space && one->tcp.ifindex == other->tcp.ifindex &&
	       memcmp(&one->tcp.local, &other->tcp.local, sizeof one->tcp.local) == 0;
}

/* Finds owners, and makes one of those that share an address. */
static void gather_listeners(struct cg_scan *scan)
{
	size_t kept = 0;
	for (size_t i = 0; i < scan->listener_count; i++) {
		struct cg_scan_listener one = scan->listeners[i];
		unsigned holds;
		size_t first = holds_of(scan, one.tcp.inode, &holds), j = 0;
		one.owner = owner_among(scan, first, holds);
		while (j < kept && !same_listener(&scan->listeners[j], &one))
			j++;
		if (j == kept) {
			scan->listeners[kept++] = one;
			continue;
		}
		scan->listeners[j].sockets++;
		scan->listeners[j].tcp.rqueue += one.tcp.rqueue;
		scan->listeners[j].tcp.wqueue += one.tcp.wqueue;
		if (scan->listeners[j].owner < 0)
			scan->listeners[j].owner = one.owner;
	}
	scan->listener_count = kept;
}

/*
 * The last segment that has come in is what made these what they are, or came later: our FIN was acknowledged, or the
 * handshake ended. The other states begin with something that we sent, whose time the kernel does not tell.
 */
static void age_of_others(struct cg_scan_socket *socket)
{
	if ((socket->class == CG_SCAN_FIN_WAIT2 || socket->class == CG_SCAN_BACKLOG) && socket->tcp.has_info) {
		socket->judgement.age_ns = socket->tcp.last_ack_recv_ms * UINT64_C(1000000);
		socket->judgement.age_source = CG_AGE_KERNEL;
		socket->has_age = true;
	}
}

static void judge_socket(struct cg_scan *scan, struct cg_scan_socket *socket)
{
	if (socket->class != CG_SCAN_UNCONNECTED)
		socket->class = class_of(socket->tcp.state);
	socket->first_hold = holds_of(scan, socket->tcp.inode, &socket->holds);
	socket->owner = socket->tcp.inode ? owner_among(scan, socket->first_hold, socket->holds) : CG_SCAN_NOBODY;
	bool unaccepted =
	    socket->tcp.inode == 0 && (socket->class == CG_SCAN_CLOSE_WAIT || socket->class == CG_SCAN_BACKLOG);
	if (unaccepted)
		socket->listener = listener_of(scan, socket);
	/* By whom it is held does not change what it is; a process that cannot be seen has some descriptor of it. */
	struct cg_facts facts = {.fd = socket->tcp.inode ? 0 : -1,
	                         .tcp = socket->tcp,
	                         .in_backlog = unaccepted,
	                         .warn_after_ns = scan->min_age_ns};
	cg_detect(&facts, &socket->judgement);
	socket->has_age = socket->class == CG_SCAN_CLOSE_WAIT && socket->tcp.has_info;
	age_of_others(socket);
	if (!socket->has_age)
		socket->old = true;
	else if (socket->class == CG_SCAN_CLOSE_WAIT)
		socket->old = socket->judgement.mature && socket->judgement.cause != CG_CAUSE_HALF_CLOSE;
	else
		socket->old = socket->judgement.age_ns >= scan->min_age_ns;
}

/* Whether a socket is among what was asked for: a process's, or in the queue of its listener, or everybody's. */
static bool is_wanted(const struct cg_scan *scan, const struct cg_scan_socket *socket)
{
	bool waits = socket->listener >= 0 && scan->listeners[socket->listener].owner >= 0;
	if (socket->class == CG_SCAN_BACKLOG && socket->listener < 0)
		return false; /* the kernel's own, a subflow of MPTCP for example */
	return scan->all || socket->owner >= 0 || waits;
}

static void count_waiting(struct cg_scan *scan, const struct cg_scan_socket *socket)
{
	if (socket->listener < 0)
		return;
	if (socket->class == CG_SCAN_CLOSE_WAIT)
		scan->listeners[socket->listener].abandoned++;
	else
		scan->listeners[socket->listener].waiting++;
}

static int by_age(const void *a, const void *b)
{
	const struct cg_scan_socket *one = a, *other = b;
	if (one->class != other->class)
		return one->class < other->class ? -1 : 1;
	if (one->judgement.age_ns != other->judgement.age_ns)
		return one->judgement.age_ns > other->judgement.age_ns ? -1 : 1;
	return (one->tcp.inode > other->tcp.inode) - (one->tcp.inode < other->tcp.inode);
}

int cg_scan_judge(struct cg_scan *scan)
{
	size_t kept = 0;
	gather_listeners(scan);
	(void)cg_scan_waits_sort(scan);
	for (size_t i = 0; i < scan->socket_count; i++) {
		struct cg_scan_socket *socket = &scan->sockets[i];
		judge_socket(scan, socket);
		if (!is_wanted(scan, socket) || !(scan->classes >> socket->class & 1))
			continue;
		count_waiting(scan, socket);
		scan->found += socket->old && scan->failing >> socket->class & 1;
		scan->sockets[kept++] = *socket;
	}
	scan->socket_count = kept;
	for (size_t i = 0; i < scan->space_count && scan->failing >> CG_SCAN_TIME_WAIT & 1; i++)
		scan->found += scan->spaces[i].time_waits;
	if (kept)
		qsort(scan->sockets, kept, sizeof *scan->sockets, by_age);
	return 0;
}
