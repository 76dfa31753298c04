/*
 * act_end.c: ends a connection that the program leaked.
 *
 * A number may be another connection's at any moment. What is acted on is a private duplicate, which cannot become
 * another's; that it is the right one is found out on the duplicate. shutdown leaves the descriptor and the program's
 * epoll registration as they are, wakes who waits, and keeps what is unread readable.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "act_parts.h"
#include "futex.h"
#include "ownfd.h"
#include "sys.h"
#include "unshare.h"

/* A cookie of 0 is not known. Returns 0, -ESTALE or why it cannot be said. */
static int is_the_one(int fd, uint64_t inode, uint64_t cookie)
{
	uint64_t its_inode, its_cookie;
	int r = cg_tcp_identity(fd, &its_inode, &its_cookie);
	if (r < 0)
		return r;
	return its_inode == inode && (its_cookie == cookie || !its_cookie || !cookie) ? 0 : -ESTALE;
}

/* Back to the state of a fresh socket, with a reset for the peer. */
static int disconnect(int fd)
{
	static const uint64_t moment_ns = 5000000;
	static _Atomic unsigned never;
	struct sockaddr none = {.sa_family = AF_UNSPEC};
	/* Who reads is woken by the end. Still inside when the reset is made, it would hear EPIPE. */
	(void)CG_SYS3(SYS_shutdown, fd, SHUT_RD, 0);
	cg_futex_wait(&never, 0, moment_ns);
	return cg_sys_connect(fd, &none, sizeof none);
}

static int end(int fd, int state, uint32_t user_timeout_ms)
{
	/* Only half-closed it would wait for the peer's ACK for up to a quarter of an hour. */
	(void)cg_sys_setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_timeout_ms, sizeof user_timeout_ms);
	if (state == CG_TCP_FIN_WAIT2)
		return disconnect(fd);
	return (int)CG_SYS3(SYS_shutdown, fd, SHUT_RDWR, 0);
}

int cg_act_end_connection(int fd, uint64_t inode, uint64_t cookie, int state, uint32_t user_timeout_ms)
{
	int copy = cg_unshare_take(fd);
	if (copy < 0)
		return copy;
	int r = is_the_one(copy, inode, cookie);
	if (r == 0 && cg_tcp_state_of(copy) != state)
		r = -EALREADY;
	if (r == 0)
		r = end(copy, state, user_timeout_ms);
	cg_ownfd_close(copy);
	return r;
}
