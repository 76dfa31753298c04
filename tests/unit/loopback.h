/* loopback.h: real TCP connections over the loopback interface, for unit tests. */
#ifndef LOOPBACK_H
#define LOOPBACK_H

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

union loop_addr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

struct loop {
	int listener, client, server;
	union loop_addr addr; /* of the listener, as a client connects to it */
	socklen_t len;
	unsigned port;
};

enum loop_kind { LOOP_IPV4, LOOP_IPV6, LOOP_MAPPED };

__attribute__((unused)) static bool loop_has_ipv6(void)
{
	struct sockaddr_in6 addr = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	bool has = fd >= 0 && bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0;
	if (fd >= 0)
		close(fd);
	return has;
}

static void loop_listen(struct loop *loop, enum loop_kind kind, int backlog)
{
	memset(loop, 0, sizeof(*loop));
	loop->client = loop->server = -1;
	loop->len = kind == LOOP_IPV4 ? sizeof(loop->addr.in) : sizeof(loop->addr.in6);
	loop->addr.sa.sa_family = kind == LOOP_IPV4 ? AF_INET : AF_INET6;
	if (kind == LOOP_IPV4)
		loop->addr.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		inet_pton(AF_INET6, kind == LOOP_IPV6 ? "::1" : "::ffff:127.0.0.1", &loop->addr.in6.sin6_addr);
	loop->listener = socket(loop->addr.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(loop->listener, 0);
	ck_assert_int_eq(bind(loop->listener, &loop->addr.sa, loop->len), 0);
	ck_assert_int_eq(listen(loop->listener, backlog), 0);
	ck_assert_int_eq(getsockname(loop->listener, &loop->addr.sa, &loop->len), 0);
	loop->port = ntohs(loop->addr.in.sin_port); /* at the same place in sockaddr_in6 */
}

static int loop_connect(const struct loop *loop)
{
	int fd = socket(loop->addr.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(connect(fd, &loop->addr.sa, loop->len), 0);
	return fd;
}

static int loop_accept(const struct loop *loop)
{
	int fd = accept4(loop->listener, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	return fd;
}

__attribute__((unused)) static void loop_open(struct loop *loop, enum loop_kind kind)
{
	loop_listen(loop, kind, 16);
	loop->client = loop_connect(loop);
	loop->server = loop_accept(loop);
}

/* A reset instead of the four-way close. */
__attribute__((unused)) static void loop_reset(int fd)
{
	struct linger now = {1, 0};
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
	ck_assert_int_eq(close(fd), 0);
}

__attribute__((unused)) static int loop_state(int fd)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);
	ck_assert_int_eq(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	return info.tcpi_state;
}

/* A loopback segment arrives within microseconds; the second is for a busy machine. */
__attribute__((unused)) static void loop_wait_state(int fd, int state)
{
	for (int i = 0; i < 1000 && loop_state(fd) != state; i++)
		usleep(1000);
	ck_assert_int_eq(loop_state(fd), state);
}

__attribute__((unused)) static void loop_close(struct loop *loop)
{
	int *fds[] = {&loop->listener, &loop->client, &loop->server};
	for (unsigned i = 0; i < 3; i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
}

__attribute__((unused)) static uint64_t inode_of(int fd)
{
	struct stat st;
	ck_assert_int_eq(fstat(fd, &st), 0);
	return st.st_ino;
}

__attribute__((unused)) static int new_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(fd, 0);
	return fd;
}

#endif
