/*
 * suspects_seen.h: what earlier looks learned of the program's connections, by which the kernel can be asked for one of
 * them alone. Sweep only.
 */
#ifndef CG_SUSPECTS_SEEN_H
#define CG_SUSPECTS_SEEN_H

#include <stdbool.h>
#include <stdint.h>

#include "tcpstate.h"

struct cg_seen {
	uint64_t inode, cookie;
	struct cg_addr local, peer; /* local.family 0: it was never listed */
	uint32_t ifindex;
	uint8_t state;      /* as of seen_ns */
	uint8_t missed;     /* looks in a row in which it was open and not listed, up to 2; 3: it was asked */
	bool connected;     /* listed as a connection once */
	uint64_t seen_ns;   /* when it was last listed */
	uint64_t missed_ns; /* when it was last missed */
};

/* The entry of a descriptor; empty where it was another socket's before. Never NULL. */
struct cg_seen *cg_seen_of(int fd, uint64_t inode);

/* The kernel lists it so now. */
void cg_seen_learn(struct cg_seen *seen, const struct cg_tcp *tcp, uint64_t now_ns);

#endif
