/* peer.c: the far ends of the model test's connections, in a process of their own that is never watched. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "far.h"

enum { MAX_FD = 4096, WAIT_MS = 5000 };

static int listener;
static uint16_t port_of[MAX_FD]; /* of an accepted connection that nobody has asked for yet */

static uint16_t local_port(int fd)
{
	struct sockaddr_in addr;
	socklen_t len = sizeof addr;
	return getsockname(fd, (struct sockaddr *)&addr, &len) ? 0 : ntohs(addr.sin_port);
}

static struct sockaddr_in loopback(int port)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return addr;
}

static int dial(int port)
{
	struct sockaddr_in addr = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof addr)) {
		int error = errno;
		close(fd);
		return -error;
	}
	return fd < 0 ? -errno : fd;
}

static int asked_for(int port)
{
	for (int fd = 0; fd < MAX_FD; fd++) {
		if (port_of[fd] == port) {
			port_of[fd] = 0;
			return fd;
		}
	}
	return -ENOENT;
}

/* Several threads of the model connect at once: take whatever has come until the one asked for is there. */
static int take(int port)
{
	int found;
	while ((found = asked_for(port)) < 0) {
		struct sockaddr_in addr = {0};
		socklen_t len = sizeof addr;
		struct pollfd wait = {.fd = listener, .events = POLLIN};
		if (poll(&wait, 1, WAIT_MS) != 1)
			return -ETIMEDOUT;
		int fd = accept(listener, (struct sockaddr *)&addr, &len);
		if (fd >= MAX_FD)
			return -EMFILE;
		if (fd >= 0)
			port_of[fd] = ntohs(addr.sin_port);
	}
	return found;
}

static int drain(int fd)
{
	char buf[4096];
	ssize_t n;
	int total = 0;
	while ((n = recv(fd, buf, sizeof buf, MSG_DONTWAIT)) > 0)
		total += (int)n;
	return total;
}

static int put(int fd, int n)
{
	char buf[512];
	memset(buf, 'x', sizeof buf);
	ssize_t r = send(fd, buf, (size_t)n < sizeof buf ? (size_t)n : sizeof buf, MSG_DONTWAIT | MSG_NOSIGNAL);
	return r < 0 ? -errno : (int)r;
}

static int reset(int fd)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	return close(fd) ? -errno : 0;
}

static int answer(const struct far_request *request)
{
	switch (request->op) {
	case 'l':
		return local_port(listener);
	case 'c':
		return dial(request->arg);
	case 'a':
		return take(request->arg);
	case 'w':
		return put(request->id, request->arg);
	case 'd':
		return drain(request->id);
	case 's':
		return shutdown(request->id, SHUT_WR) ? -errno : 0;
	case 'f':
		drain(request->id);
		return close(request->id) ? -errno : 0;
	case 'r':
		return reset(request->id);
	default:
		return -EINVAL;
	}
}

int main(int argc, char **argv)
{
	int channel = argc > 1 ? atoi(argv[1]) : 3;
	struct sockaddr_in addr = loopback(0);
	struct far_request request;
	signal(SIGPIPE, SIG_IGN);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&addr, sizeof addr) || listen(listener, 128))
		return 1;
	while (recv(channel, &request, sizeof request, 0) == (ssize_t)sizeof request) {
		int r = answer(&request);
		if (send(channel, &r, sizeof r, 0) != (ssize_t)sizeof r)
			return 1;
	}
	return 0;
}
