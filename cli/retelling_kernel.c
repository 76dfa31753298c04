/*
 * retelling_kernel.c: asks the kernel what has become of the sockets of a living process.
 *
 * A socket is known by its inode, whose numbers are the host's and never a network namespace's own; of a process in
 * another namespace than ours nothing is listed, and nothing is said.
 */
#include <stdlib.h>
#include <unistd.h>

#include "retelling.h"

enum {
	LISTED = 1 << CG_TCP_CLOSE_WAIT | 1 << CG_TCP_FIN_WAIT1 | 1 << CG_TCP_FIN_WAIT2 | 1 << CG_TCP_LAST_ACK |
	         1 << CG_TCP_CLOSING,
	BUFFER = 64 << 10
};

struct entry {
	uint64_t inode;
	struct cg_retold_socket *socket;
};

struct wanted {
	struct entry *list; /* by inode */
	size_t count;
};

static int by_inode(const void *a, const void *b)
{
	const struct entry *one = a, *other = b;
	return (one->inode > other->inode) - (one->inode < other->inode);
}

static int visit(const struct cg_tcp *tcp, void *context)
{
	const struct wanted *wanted = context;
	struct entry key = {.inode = tcp->inode};
	struct entry *found =
	    tcp->inode ? bsearch(&key, wanted->list, wanted->count, sizeof(struct entry), by_inode) : NULL;
	if (!found)
		return 0;
	uint64_t cookie = found->socket->slot.cookie;
	if (!cookie || !tcp->cookie || cookie == tcp->cookie)
		found->socket->tcp = *tcp;
	return 0;
}

static struct wanted gather(struct cg_retelling *retelling)
{
	size_t room = (size_t)retelling->count * CG_SOCKETS_SHOWN;
	struct wanted wanted = {room ? calloc(room, sizeof(struct entry)) : NULL, 0};
	for (unsigned i = 0; wanted.list && i < retelling->count; i++)
		for (unsigned j = 0; j < retelling->findings[i].shown; j++) {
			struct cg_retold_socket *socket = &retelling->findings[i].sockets[j];
			if (socket->slot.inode)
				wanted.list[wanted.count++] = (struct entry){socket->slot.inode, socket};
		}
	if (wanted.count)
		qsort(wanted.list, wanted.count, sizeof(struct entry), by_inode);
	return wanted;
}

void cg_retelling_ask_kernel(struct cg_retelling *retelling)
{
	struct wanted wanted = {0};
	if (retelling->recording->alive)
		wanted = gather(retelling);
	void *buffer = wanted.count ? malloc(BUFFER) : NULL;
	int netlink = buffer ? cg_diag_open() : -1;
	if (netlink >= 0) {
		(void)cg_diag_dump(netlink, LISTED, buffer, BUFFER, visit, &wanted);
		close(netlink);
	}
	free(buffer);
	free(wanted.list);
}
