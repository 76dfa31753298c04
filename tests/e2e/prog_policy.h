/* prog_policy.h: how prog_policy.c answers, and the calls by which it gets and gives away descriptors. */
#ifndef PROG_POLICY_H
#define PROG_POLICY_H

#include "prog.h"

enum { UNTOUCHED = 7777 }; /* errno before each call */

struct answer {
	long result, us;
	int error;
	char more[800];
};
extern __thread struct answer answer;

static long long now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000ll + now.tv_nsec / 1000;
}

#define CALL(call)                                                                                                     \
	do {                                                                                                           \
		long long start_ = now_us();                                                                           \
		errno = UNTOUCHED;                                                                                     \
		answer.result = (long)(call);                                                                          \
		answer.error = errno;                                                                                  \
		answer.us = (long)(now_us() - start_);                                                                 \
	} while (0)

#define NUMBER(i) (argc > (i) ? atoi(argv[i]) : 0)
#define IS(i, word) (argc > (i) && strcmp(argv[i], word) == 0)

/* Adds a word to the answer. */
__attribute__((format(printf, 1, 2))) static void more(const char *format, ...)
{
	size_t len = strlen(answer.more);
	va_list args;
	va_start(args, format);
	if (len && len < sizeof answer.more - 1)
		answer.more[len++] = ' ';
	vsnprintf(answer.more + len, sizeof answer.more - len, format, args);
	va_end(args);
}

static socklen_t loopback(const char *family, int port, struct sockaddr_storage *ret)
{
	struct sockaddr_in *four = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)ret;
	memset(ret, 0, sizeof *ret);
	if (strcmp(family, "4") == 0) {
		*four = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
		four->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return sizeof *four;
	}
	*six = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
	six->sin6_addr = strcmp(family, "6") == 0 ? in6addr_loopback : in6addr_any;
	return sizeof *six;
}

/* listen 4|6|dual [PORT] */
static void do_listen(int argc, char **argv)
{
	struct sockaddr_storage at;
	socklen_t len = loopback(argv[1], NUMBER(2), &at);
	int one = 1, fd = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) < 0 || listen(fd, 512) < 0)
		err(3, "listen %s", argv[1]);
	getsockname(fd, (struct sockaddr *)&at, &len);
	answer.result = fd;
	more("%d", ntohs(((struct sockaddr_in *)&at)->sin_port)); /* in the same place in both families */
}

__attribute__((noinline)) static int accept_plainly(int from, int flags)
{
	int fd = accept4(from, NULL, NULL, flags);
	__asm__ volatile("" : "+r"(fd));
	return fd;
}

/* A second place in the code, for rules that ask for the site. */
__attribute__((noinline)) static int accept_at_the_edge(int from, int flags)
{
	int fd = flags ? accept4(from, NULL, NULL, flags) : accept(from, NULL, NULL);
	__asm__ volatile("" : "+r"(fd));
	return fd;
}

static void do_accept(int argc, char **argv)
{
	int flags = IS(2, "nonblock") ? SOCK_NONBLOCK : 0;
	CALL(IS(0, "accept") ? accept_plainly(NUMBER(1), flags) : accept_at_the_edge(NUMBER(1), flags));
}

/* connect 4|6 PORT [nonblock|FD]: the result is the descriptor, errno that of connect. */
__attribute__((noinline)) static void do_connect(int argc, char **argv)
{
	struct sockaddr_storage to;
	socklen_t len = loopback(argv[1], NUMBER(2), &to);
	int fd = NUMBER(3);
	if (fd == 0)
		fd = socket(to.ss_family, SOCK_STREAM | (IS(3, "nonblock") ? SOCK_NONBLOCK : 0), 0);
	CALL(connect(fd, (struct sockaddr *)&to, len));
	if (answer.result == 0 || answer.error == EINPROGRESS)
		answer.result = fd;
}

/* A child that holds all that is open, and does nothing. */
static void do_fork(int argc, char **argv)
{
	if (IS(0, "kill")) {
		CALL(kill(NUMBER(1), SIGKILL));
		waitpid(NUMBER(1), NULL, 0);
		return;
	}
	CALL(fork());
	while (answer.result == 0)
		pause();
}

static void do_pass(int argc, char **argv)
{
	char byte = 0;
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {
	    .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
	int pair[2] = {-1, -1}, fd = NUMBER(2);
	if (IS(0, "socketpair")) {
		CALL(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
		more("%d %d", pair[0], pair[1]);
	} else if (IS(0, "sendfd")) {
		control.header = (struct cmsghdr){CMSG_LEN(sizeof fd), SOL_SOCKET, SCM_RIGHTS};
		memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
		CALL(sendmsg(NUMBER(1), &msg, 0));
	} else {
		CALL(recvmsg(NUMBER(1), &msg, 0));
		memcpy(&fd, CMSG_DATA(&control.header), sizeof fd);
		more("%d", fd);
	}
}

#endif
