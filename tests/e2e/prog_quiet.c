/*
 * prog_quiet HOW [PORT]: well-behaved programs, and programs whose descriptors only look like forgotten connections.
 * Nothing may be told about any of them.
 */
#include <sys/syscall.h>

#include "prog.h"

static int port;

static void keepalive(void)
{
	connect_to(port);
}

static void closed_in_time(void)
{
	for (int i = 0; i < 5; i++) {
		int fd = connect_to(port);
		read_to_end(fd);
		close(fd);
	}
}

static void stdio(void)
{
	char line[64];
	for (int i = 0; i < 3; i++) {
		FILE *stream = fdopen(connect_to(port), "r+");
		while (stream && fgets(line, sizeof(line), stream))
			;
		fclose(stream);
	}
}

static void freopened(void)
{
	char line[64];
	FILE *stream = fdopen(connect_to(port), "r+");
	while (stream && fgets(line, sizeof(line), stream))
		;
	if (!freopen("/dev/null", "r", stream))
		err(3, "freopen");
}

/* dup2 over a connection in CLOSE_WAIT closes it: Java does so. */
static void dup2_over(void)
{
	int fd = connect_to(port), null = open("/dev/null", O_RDWR);
	read_to_end(fd);
	if (dup2(null, fd) != fd || dup3(null, fd, O_CLOEXEC) != fd)
		err(3, "dup2");
}

static void raw_close(void)
{
	int fd = connect_to(port);
	read_to_end(fd);
	syscall(SYS_close, fd);
	fd = connect_to(port);
	read_to_end(fd);
	syscall(SYS_close_range, fd, fd, 0);
}

/* Sent to another process and closed here: the other one reads on, and the connection is alive. */
static void passed_on(void)
{
	int ends[2], fd = connect_to(port);
	char byte = 'x', control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {
	    .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	struct cmsghdr *head = CMSG_FIRSTHDR(&msg);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &fd, sizeof(int));
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
		err(3, "socketpair");
	if (fork() == 0) {
		if (recvmsg(ends[1], &msg, 0) != 1)
			_exit(4);
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
		read_to_end(fd);
		_exit(0);
	}
	if (sendmsg(ends[0], &msg, 0) != 1)
		err(3, "sendmsg");
	close(fd);
	close(ends[0]);
	close(ends[1]);
}

/* A pool's way: a connection is looked at before its next use, found dead, and replaced. */
static void pool(void)
{
	char c;
	int fd = connect_to(port);
	say("pooled");
	told_to_go_on();
	if (recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
		close(fd);
	connect_to(port);
}

static void datagrams(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	char c;
	int a = socket(AF_INET, SOCK_DGRAM, 0), b = socket(AF_INET, SOCK_DGRAM, 0);
	if (bind(a, (struct sockaddr *)&at, sizeof(at)) < 0 || getsockname(a, (struct sockaddr *)&at, &len) < 0 ||
	    sendto(b, "", 0, 0, (struct sockaddr *)&at, sizeof(at)) != 0 || recv(a, &c, 1, 0) != 0)
		err(3, "datagram");
	shutdown(a, SHUT_RDWR);
}

static void unix_sockets(void)
{
	int ends[2], pipes[2];
	char c;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0 || pipe(pipes) < 0)
		err(3, "socketpair");
	close(ends[0]);
	close(pipes[1]);
	if (read(ends[1], &c, 1) != 0 || recv(ends[1], &c, 1, 0) != 0 || read(pipes[0], &c, 1) != 0)
		errx(3, "no end of file");
}

static void listeners(void)
{
	for (int i = 0; i < 5; i++)
		listener(5, false);
}

/* Sockets that never became connections. */
static void unconnected(void)
{
	char c;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (socket(AF_INET6, SOCK_STREAM, 0) < 0 && errno != EAFNOSUPPORT)
		err(3, "socket");
	if (read(fd, &c, 1) >= 0)
		errx(3, "read of an unconnected socket");
}

static void no_tcp(void)
{
	char c;
	int fd = open("/dev/null", O_RDONLY);
	if (read(fd, &c, 1) != 0)
		errx(3, "read of /dev/null");
	close(fd);
	close(fd);
}

static void closed_once(void)
{
	int fd = connect_to(port);
	read_to_end(fd);
	close(fd);
}

/* Daemons close whatever may be open; that is no double close. */
static void close_loop(void)
{
	closed_once();
	for (int fd = 3; fd < 1024; fd++)
		close(fd);
}

static void close_loop_with_open_ones(void)
{
	for (int i = 0; i < 3; i++)
		connect_to(port);
	for (int fd = 1023; fd > 2; fd--)
		close(fd);
}

static void by_closefrom(void)
{
	closed_once();
	connect_to(port);
	closefrom(3);
}

static void by_close_range(void)
{
	closed_once();
	connect_to(port);
	if (close_range(3, ~0U, 0) < 0)
		err(3, "close_range");
}

/* MSG_PEEK, a length of 0 and an error queue give 0 or an error without any end of file. */
static void zeros(void)
{
	char c, greeting[6];
	int fd = connect_to(port);
	if (read(fd, &c, 0) != 0 || recv(fd, greeting, sizeof(greeting), MSG_WAITALL) != sizeof(greeting) ||
	    read(fd, &c, 0) != 0 || recv(fd, &c, 0, MSG_DONTWAIT) > 0)
		errx(3, "a read of nothing");
	recv(fd, &c, 1, MSG_ERRQUEUE | MSG_DONTWAIT);
	shutdown(fd, SHUT_RD);
	if (read(fd, &c, 1) != 0)
		errx(3, "a read after SHUT_RD");
}

/* Refused and reset connections, closed as they should be. */
static void failed(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int from = listener(1, false), fd = socket(AF_INET, SOCK_STREAM, 0);
	at.sin_port = htons((uint16_t)port_of(from));
	close(from);
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
		errx(3, "connected to nobody");
	close(fd);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} table[] = {{"keepalive", keepalive},
	             {"closed", closed_in_time},
	             {"stdio", stdio},
	             {"freopen", freopened},
	             {"dup2", dup2_over},
	             {"raw", raw_close},
	             {"passed", passed_on},
	             {"pool", pool},
	             {"udp", datagrams},
	             {"unix", unix_sockets},
	             {"listeners", listeners},
	             {"unconnected", unconnected},
	             {"none", no_tcp},
	             {"close-loop", close_loop},
	             {"close-loop-open", close_loop_with_open_ones},
	             {"closefrom", by_closefrom},
	             {"close-range", by_close_range},
	             {"zeros", zeros},
	             {"failed", failed}};
	port = argc > 2 ? atoi(argv[2]) : 0;
	for (size_t i = 0; argc > 1 && i < sizeof(table) / sizeof(table[0]); i++) {
		if (strcmp(argv[1], table[i].name) == 0) {
			table[i].run();
			say("ready");
			stay();
			return 0;
		}
	}
	errx(2, "usage: prog_quiet HOW [PORT]");
}
