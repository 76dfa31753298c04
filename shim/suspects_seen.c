/* suspects_seen.c: the addresses of connections, by descriptor. */
#include "suspects_seen.h"

#include "arena.h"

/* With more descriptors than that two share a place, and are listed again when they lose it. */
enum { PLACES = 2048 };

static struct cg_seen places[PLACES] CG_LARGE;

struct cg_seen *cg_seen_of(int fd, uint64_t inode)
{
	struct cg_seen *seen = &places[(unsigned)fd % PLACES];
	if (seen->inode != inode)
		*seen = (struct cg_seen){.inode = inode};
	return seen;
}

void cg_seen_learn(struct cg_seen *seen, const struct cg_tcp *tcp, uint64_t now_ns)
{
	if (seen->inode != tcp->inode)
		*seen = (struct cg_seen){.inode = tcp->inode}; /* the place was another's meanwhile */
	seen->cookie = tcp->cookie;
	seen->ifindex = tcp->ifindex;
	seen->local = tcp->local;
	seen->peer = tcp->peer;
	seen->state = tcp->state;
	seen->connected |= tcp->state != CG_TCP_SYN_SENT && tcp->state != CG_TCP_LISTEN;
	seen->missed = 0;
	seen->seen_ns = now_ns;
}
