/* prog.h: what the test programs share: lines out, words in, and sockets on loopback. */
#ifndef PROG_H
#define PROG_H

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAYBE_UNUSED __attribute__((unused))

/* A line on stdout in one write: processes that share it do not mix theirs. */
MAYBE_UNUSED __attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
	char line[1024];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(line, sizeof(line) - 1, format, args);
	va_end(args);
	n = n < (int)sizeof(line) - 1 ? n : (int)sizeof(line) - 2;
	line[n] = '\n';
	if (write(1, line, (size_t)n + 1) != n + 1)
		exit(3);
}

/* Waits for a line on stdin; false at its end, which tells the program to go. */
MAYBE_UNUSED static bool told_to_go_on(void)
{
	char c;
	ssize_t n;
	/* ThreadSanitizer keeps a signal back while a thread waits inside read. */
	while (getenv("TSAN_OPTIONS") && poll(&(struct pollfd){0, POLLIN, 0}, 1, 0) == 0)
		usleep(20000);
	while ((n = read(0, &c, 1)) == 1 || (n < 0 && errno == EINTR))
		if (n == 1 && c == '\n')
			return true;
	return false;
}

/* Stays until stdin ends. */
MAYBE_UNUSED static void stay(void)
{
	while (told_to_go_on())
		;
}

MAYBE_UNUSED static void doze(unsigned ms)
{
	struct timespec left = {ms / 1000, (long)(ms % 1000) * 1000000};
	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

/* A listener on an ephemeral port of loopback; tells the port when asked to. */
MAYBE_UNUSED static int listener(int backlog, bool tell)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, backlog) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) < 0)
		err(3, "listener");
	if (tell)
		say("port %d", ntohs(at.sin_port));
	return fd;
}

MAYBE_UNUSED static int port_of(int fd)
{
	struct sockaddr_in at;
	socklen_t len = sizeof(at);
	if (getsockname(fd, (struct sockaddr *)&at, &len) < 0)
		err(3, "getsockname");
	return ntohs(at.sin_port);
}

MAYBE_UNUSED static int connect_to(int port)
{
	struct sockaddr_in to = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		err(3, "connect to port %d", port);
	return fd;
}

MAYBE_UNUSED static int accept_from(int from)
{
	int fd = accept(from, NULL, NULL);
	if (fd < 0)
		err(3, "accept");
	return fd;
}

/* Both ends of a connection in this program. */
MAYBE_UNUSED static void connected_pair(int pair[2])
{
	int from = listener(1, false);
	pair[0] = connect_to(port_of(from));
	pair[1] = accept_from(from);
	close(from);
}

MAYBE_UNUSED static void read_to_end(int fd)
{
	char buf[256];
	while (read(fd, buf, sizeof(buf)) > 0)
		;
}

#endif
