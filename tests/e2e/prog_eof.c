/* prog_eof HOW COUNT: accepts connections, reads each to its end by one kind of call, and forgets to close them. */
#include <sys/epoll.h>
#include <sys/uio.h>

#include "prog.h"

static ssize_t by_read(int fd)
{
	char buf[64];
	return read(fd, buf, sizeof(buf));
}

static ssize_t by_recv(int fd)
{
	char buf[64];
	return recv(fd, buf, sizeof(buf), 0);
}

static ssize_t by_recvfrom(int fd)
{
	char buf[64];
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	return recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len);
}

static ssize_t by_readv(int fd)
{
	char a[8], b[56];
	struct iovec iov[2] = {{a, sizeof(a)}, {b, sizeof(b)}};
	return readv(fd, iov, 2);
}

static ssize_t by_preadv2(int fd)
{
	char a[64];
	struct iovec iov = {a, sizeof(a)};
	return preadv2(fd, &iov, 1, -1, 0);
}

static ssize_t by_recvmsg(int fd)
{
	char a[64];
	struct iovec iov = {a, sizeof(a)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	return recvmsg(fd, &msg, 0);
}

static ssize_t by_recvmmsg(int fd)
{
	char a[64];
	struct iovec iov = {a, sizeof(a)};
	struct mmsghdr msgs[1] = {{.msg_hdr = {.msg_iov = &iov, .msg_iovlen = 1}}};
	return recvmmsg(fd, msgs, 1, 0, NULL) < 0 ? -1 : (ssize_t)msgs[0].msg_len;
}

static ssize_t by_splice(int fd)
{
	static int ends[2];
	char buf[64];
	if (!ends[0] && pipe(ends) < 0)
		err(3, "pipe");
	ssize_t n = splice(fd, NULL, ends[1], NULL, sizeof(buf), 0);
	if (n > 0 && read(ends[0], buf, (size_t)n) != n)
		err(3, "read from the pipe");
	return n;
}

/* _FORTIFY_SOURCE turns a read of a length that is not known at compile time into __read_chk. */
static volatile size_t some = 64;
static ssize_t by_read_chk(int fd)
{
	char buf[64];
	return read(fd, buf, some);
}

static ssize_t by_recv_chk(int fd)
{
	char buf[64];
	return recv(fd, buf, some, 0);
}

static ssize_t by_epoll(int fd)
{
	char buf[64];
	int set = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
	if (set < 0 || epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) < 0 || epoll_wait(set, &event, 1, -1) != 1)
		err(3, "epoll");
	ssize_t n = read(event.data.fd, buf, sizeof(buf));
	close(set);
	return n;
}

static ssize_t (*read_once)(int fd);

static void *read_all(void *fd)
{
	while (read_once((int)(intptr_t)fd) > 0)
		;
	return NULL;
}

/* Stays when it has read: only a thread that is there has a name. */
static void *read_all_and_stay(void *fd)
{
	pthread_setname_np(pthread_self(), "reader");
	read_all(fd);
	for (;;)
		pause();
	return NULL;
}

static void *(*how_to_read(const char *how))(void *)
{
	static const struct {
		const char *name;
		ssize_t (*call)(int fd);
	} table[] = {{"read", by_read},         {"recv", by_recv},       {"recvfrom", by_recvfrom},
	             {"readv", by_readv},       {"preadv2", by_preadv2}, {"recvmsg", by_recvmsg},
	             {"recvmmsg", by_recvmmsg}, {"splice", by_splice},   {"read_chk", by_read_chk},
	             {"recv_chk", by_recv_chk}, {"epoll", by_epoll},     {"thread", by_read}};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strcmp(table[i].name, how) == 0)
			read_once = table[i].call;
	return read_once ? read_all : NULL;
}

int main(int argc, char **argv)
{
	void *(*reader)(void *) = argc == 3 ? how_to_read(argv[1]) : NULL;
	if (!reader)
		errx(2, "usage: prog_eof HOW COUNT");
	int from = listener(64, true);
	for (int i = 0; i < atoi(argv[2]); i++) {
		int fd = accept_from(from);
		pthread_t thread;
		if (strcmp(argv[1], "thread") != 0)
			reader((void *)(intptr_t)fd);
		else if (pthread_create(&thread, NULL, read_all_and_stay, (void *)(intptr_t)fd))
			errx(3, "thread");
	}
	say("ready");
	stay();
	return 0;
}
