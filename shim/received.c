/* received.c: walks SCM_RIGHTS. */
#include "received.h"

#include <string.h>

#include "tcpstate.h"
#include "track.h"

static void take_one(int fd)
{
	bool sealed = atomic_load_explicit(&cg_guard.sealed, memory_order_relaxed);
	int tcp = sealed ? 0 : cg_tcp_is_tcp(fd);
	if (tcp == 1)
		cg_track_open(fd, CG_CALL_received, cg_tcp_state_of(fd) == CG_TCP_LISTEN ? CG_FD_LISTENER : CG_FD_CONN,
		              CG_ROLE_NONE, CG_ORIGIN_RECEIVED, 0);
	else
		cg_track_forget(fd);
}

static void give_one(int fd)
{
	cg_track_sent(fd);
}

static void walk(const struct msghdr *msg, void (*visit)(int fd))
{
	struct msghdr copy = *msg; /* CMSG_NXTHDR wants one that is not const */
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&copy); c; c = CMSG_NXTHDR(&copy, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || c->cmsg_len < CMSG_LEN(0))
			continue;
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			visit(fd);
		}
	}
}

void cg_received_take(struct msghdr *msg)
{
	walk(msg, take_one);
}

void cg_received_give(const struct msghdr *msg)
{
	walk(msg, give_one);
}
