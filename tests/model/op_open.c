/* op_open.c: sockets come into being: listen, connect, accept. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "model.h"

enum { WAIT_MS = 2000 };

static struct sockaddr_in loopback(uint16_t port)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(port)};
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return addr;
}

static uint16_t port_of(int fd)
{
	struct sockaddr_in addr;
	socklen_t len = sizeof addr;
	return getsockname(fd, (struct sockaddr *)&addr, &len) ? 0 : ntohs(addr.sin_port);
}

static int tcp_socket(struct actor *a)
{
	int flags = (chance(a, 30) ? SOCK_NONBLOCK : 0) | (chance(a, 30) ? SOCK_CLOEXEC : 0);
	int fd = socket(AF_INET, SOCK_STREAM | flags, chance(a, 50) ? IPPROTO_TCP : 0);
	if (fd < 0)
		die("socket");
	unseen_clear(fd);
	return fd;
}

static void bind_loopback(int fd)
{
	struct sockaddr_in addr = loopback(0);
	if (bind(fd, (struct sockaddr *)&addr, sizeof addr))
		die("bind");
}

void op_listen(struct actor *a, struct set *s)
{
	if (set_full(s) || (any_of(a, s, LISTENING) && chance(a, 80)))
		return;
	int fd = tcp_socket(a);
	bind_loopback(fd);
	if (listen(fd, 16))
		die("listen");
	struct conn *conn = conn_new(LISTENING, -1);
	conn->port = port_of(fd);
	set_add(s, fd, conn);
	say(a, "listen: %d port %d", fd, conn->port);
}

/* Connections wait in the backlog until op_accept, or for ever. */
void op_peer_connect(struct actor *a, struct set *s)
{
	struct item *item = any_of(a, s, LISTENING);
	if (!item || item->conn->pendings == MAX_PENDING)
		return;
	int peer = far_ask('c', 0, item->conn->port);
	if (peer >= 0)
		item->conn->pending[item->conn->pendings++] = peer;
	say(a, "peer connects to listener %d: %d", item->fd, peer);
}

/* 0 when the socket is connected now; ECONNRESET when it was, and the listener went away; else it never was. */
static int dial(struct actor *a, int fd, uint16_t port)
{
	struct sockaddr_in addr = loopback(port);
	struct pollfd wait = {.fd = fd, .events = POLLOUT};
	int error = 0;
	socklen_t len = sizeof error;
	if (connect(fd, (struct sockaddr *)&addr, sizeof addr)) {
		if (errno != EINPROGRESS)
			return errno;
		poll(&wait, 1, WAIT_MS);
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	}
	if (chance(a, 10))
		send(fd, "hello", 5, MSG_NOSIGNAL | MSG_DONTWAIT);
	return error;
}

/* Both ends are ours. */
void op_self_connect(struct actor *a, struct set *s)
{
	struct item *item = any_of(a, s, LISTENING);
	if (!item || set_full(s) || item->conn->pendings == MAX_PENDING)
		return;
	struct conn *listener = item->conn;
	int fd = tcp_socket(a);
	int error = dial(a, fd, listener->port);
	bool connected = error == 0;
	struct conn *conn = conn_new(connected ? CONNECTED : FRESH, -1);
	conn->was_connected |= error == ECONNRESET;
	conn->refused = error && !conn->was_connected;
	set_add(s, fd, conn);
	if (connected)
		listener->pending[listener->pendings++] = -1;
	say(a, "connect %d to our own port %d: %d", fd, listener->port, connected);
}

static int accept_somehow(struct actor *a, int fd)
{
	struct sockaddr_in addr;
	socklen_t len = sizeof addr;
	if (with_unseen && chance(a, 20))
		return unseen_accept(fd);
	int got;
	switch (pick(a, 4)) {
	case 0:
		got = accept(fd, NULL, NULL);
		break;
	case 1:
		got = accept(fd, (struct sockaddr *)&addr, &len);
		break;
	case 2:
		got = (int)syscall(SYS_accept4, fd, NULL, NULL, SOCK_CLOEXEC);
		break;
	default:
		got = accept4(fd, NULL, NULL, chance(a, 50) ? SOCK_NONBLOCK : SOCK_CLOEXEC);
	}
	unseen_clear(got);
	return got;
}

void op_accept(struct actor *a, struct set *s)
{
	struct item *item = any_of(a, s, LISTENING);
	if (!item || set_full(s) || item->conn->pendings == 0)
		return;
	struct conn *listener = item->conn;
	struct pollfd wait = {.fd = item->fd, .events = POLLIN};
	if (poll(&wait, 1, WAIT_MS) != 1 || !(wait.revents & POLLIN))
		return;
	int peer = listener->pending[0];
	int from = item->fd, fd = accept_somehow(a, from);
	memmove(listener->pending, listener->pending + 1, sizeof(int) * (size_t)--listener->pendings);
	if (fd >= 0)
		set_add(s, fd, conn_new(CONNECTED, peer));
	else if (peer >= 0)
		far_ask('f', peer, 0);
	say(a, "accept from %d: %d", from, fd);
}

void op_connect(struct actor *a, struct set *s)
{
	static _Atomic int port;
	if (set_full(s))
		return;
	if (!port)
		port = far_ask('l', 0, 0);
	int fd = tcp_socket(a);
	if (dial(a, fd, (uint16_t)port))
		die("connect to the peer process");
	int peer = far_ask('a', 0, port_of(fd));
	if (peer < 0)
		die("the peer process accepts");
	set_add(s, fd, conn_new(CONNECTED, peer));
	say(a, "connect %d to the peer", fd);
}

void op_fresh(struct actor *a, struct set *s)
{
	if (set_full(s))
		return;
	int fd = tcp_socket(a);
	if (chance(a, 50))
		bind_loopback(fd);
	set_add(s, fd, conn_new(FRESH, -1));
	say(a, "socket %d, not connected", fd);
}

/* A port that is bound and does not listen refuses, and nobody else can get it meanwhile. */
void op_refused(struct actor *a, struct set *s)
{
	if (s->count + 2 >= MAX_ITEMS)
		return;
	int closed = tcp_socket(a), fd = tcp_socket(a);
	bind_loopback(closed);
	if (!dial(a, fd, port_of(closed)))
		die("a connect that should be refused");
	struct conn *conn = conn_new(FRESH, -1);
	conn->refused = true;
	set_add(s, closed, conn_new(FRESH, -1));
	set_add(s, fd, conn);
	say(a, "connect %d refused by the port of %d", fd, closed);
}
