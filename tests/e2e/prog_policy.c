/*
 * prog_policy.c: makes the calls that it is told on stdin, one a line, and answers each with
 * "= RESULT ERRNO MICROSECONDS MORE". errno is set to 7777 before each, to see that it stays. "async" before a call
 * makes it in a thread of its own, whose answer begins with "async".
 */
#include "prog_policy.h"

#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>

__thread struct answer answer;

static void do_read(int argc, char **argv)
{
	static __thread char buf[1 << 20];
	int n = argc > 2 ? NUMBER(2) : (int)sizeof buf;
	CALL(read(NUMBER(1), buf, (size_t)n));
	more("%.*s", answer.result > 0 && answer.result < 40 ? (int)answer.result : 0, buf);
}

static char filler[1 << 20];

static void do_write(int argc, char **argv)
{
	struct iovec iov = {filler, argc > 2 ? (size_t)NUMBER(2) : 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct mmsghdr msgs = {.msg_hdr = msg};
	int fd = NUMBER(1);
	if (IS(0, "write"))
		CALL(write(fd, filler, iov.iov_len));
	else if (IS(0, "send"))
		CALL(send(fd, filler, iov.iov_len, 0));
	else if (IS(0, "sendto"))
		CALL(sendto(fd, filler, iov.iov_len, 0, NULL, 0));
	else if (IS(0, "pwritev2"))
		CALL(pwritev2(fd, &iov, 1, -1, 0));
	else if (IS(0, "pwritev64v2"))
		CALL(pwritev64v2(fd, &iov, 1, -1, 0));
	else if (IS(0, "writev"))
		CALL(writev(fd, &iov, 1));
	else if (IS(0, "dprintf"))
		CALL(dprintf(fd, "%d", 1));
	else if (IS(0, "sendmsg"))
		CALL(sendmsg(fd, &msg, 0));
	else
		CALL(sendmmsg(fd, &msgs, 1, 0));
}

/* From a file or a pipe. */
static void do_copy(int argc, char **argv)
{
	int pipes[2];
	FILE *file = tmpfile();
	if (!file || pipe(pipes) < 0 || write(pipes[1], filler, 16) != 16 || ftruncate(fileno(file), 16) < 0)
		err(3, "copy");
	if (IS(0, "sendfile"))
		CALL(sendfile(NUMBER(1), fileno(file), NULL, 16));
	else
		CALL(splice(pipes[0], NULL, NUMBER(1), NULL, 16, 0));
	fclose(file);
	close(pipes[0]);
	close(pipes[1]);
}

static void do_close(int argc, char **argv)
{
	if (IS(0, "close"))
		CALL(close(NUMBER(1)));
	else if (IS(0, "sysclose"))
		CALL(syscall(SYS_close, NUMBER(1)));
	else if (IS(0, "dup"))
		CALL(dup(NUMBER(1)));
	else if (IS(0, "sysdup3"))
		CALL(syscall(SYS_dup3, NUMBER(1), NUMBER(2), 0));
	else
		CALL(dup2(NUMBER(1), NUMBER(2)));
}

static FILE *streams[1024];

static void do_stream(int argc, char **argv)
{
	int fd = NUMBER(1);
	if (IS(0, "fdopen")) {
		streams[fd] = fdopen(fd, "w");
		CALL(setvbuf(streams[fd], NULL, _IOFBF, 1 << 16));
	} else if (IS(0, "fputs")) {
		CALL(fputs(argv[2], streams[fd]));
	} else {
		CALL(fclose(streams[fd]));
	}
}

static void do_shutdown(int argc, char **argv)
{
	CALL(shutdown(NUMBER(1), IS(2, "rd") ? SHUT_RD : IS(2, "wr") ? SHUT_WR : SHUT_RDWR));
}

static void do_getopt(int argc, char **argv)
{
	int value[2] = {0, 0};
	socklen_t len = sizeof value;
	CALL(getsockopt(NUMBER(1), NUMBER(2), NUMBER(3), value, &len));
	more("%d %d", value[0], value[1]);
}

/* Not inlined: the stack of the call is to have its name. */
__attribute__((noinline)) static int set_the_option(int fd, int level, int name, const int *value, socklen_t len)
{
	int r = setsockopt(fd, level, name, value, len);
	__asm__ volatile("" : "+r"(r));
	return r;
}

static void do_setopt(int argc, char **argv)
{
	int value[2] = {NUMBER(4), NUMBER(5)};
	CALL(set_the_option(NUMBER(1), NUMBER(2), NUMBER(3), value, argc > 5 ? 8 : 4));
}

static void do_nonblock(int argc, char **argv)
{
	CALL(fcntl(NUMBER(1), F_SETFL, fcntl(NUMBER(1), F_GETFL) | O_NONBLOCK));
}

static void do_epoll(int argc, char **argv)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | (IS(3, "et") ? EPOLLET : 0), .data.fd = NUMBER(2)};
	struct epoll_event events[16];
	if (IS(0, "epoll_create")) {
		CALL(epoll_create1(0));
	} else if (IS(0, "epoll_add")) {
		CALL(epoll_ctl(NUMBER(1), EPOLL_CTL_ADD, NUMBER(2), &event));
	} else if (IS(0, "epoll_del")) {
		CALL(epoll_ctl(NUMBER(1), EPOLL_CTL_DEL, NUMBER(2), NULL));
	} else {
		CALL(epoll_wait(NUMBER(1), events, 16, NUMBER(2)));
		for (int i = 0; i < answer.result; i++)
			more("%d:%x", events[i].data.fd, events[i].events);
	}
}

static void do_poll(int argc, char **argv)
{
	struct pollfd one = {NUMBER(1), POLLIN | POLLOUT | POLLRDHUP, 0};
	CALL(poll(&one, 1, NUMBER(2)));
	more("%x", one.revents);
}

static void do_limit(int argc, char **argv)
{
	struct rlimit limit = {(rlim_t)NUMBER(1), (rlim_t)NUMBER(1)};
	CALL(setrlimit(RLIMIT_NOFILE, &limit));
}

static void do_exit(int argc, char **argv)
{
	if (IS(0, "_exit"))
		_exit(NUMBER(1));
	exit(NUMBER(1));
}

static const struct {
	const char *name;
	void (*call)(int argc, char **argv);
} calls[] = {
    {"_exit", do_exit},        {"accept", do_accept},      {"accept_edge", do_accept},
    {"close", do_close},       {"connect", do_connect},    {"connect_pool", do_connect},
    {"dprintf", do_write},     {"dup", do_close},          {"dup2", do_close},
    {"epoll_add", do_epoll},   {"epoll_create", do_epoll}, {"epoll_del", do_epoll},
    {"epoll_wait", do_epoll},  {"exit", do_exit},          {"fclose", do_stream},
    {"fdopen", do_stream},     {"fork", do_fork},          {"fputs", do_stream},
    {"getopt", do_getopt},     {"kill", do_fork},          {"limit", do_limit},
    {"listen", do_listen},     {"nonblock", do_nonblock},  {"poll", do_poll},
    {"read", do_read},         {"recvfd", do_pass},        {"send", do_write},
    {"sendfd", do_pass},       {"sendfile", do_copy},      {"sendmmsg", do_write},
    {"sendmsg", do_write},     {"sendto", do_write},       {"setopt", do_setopt},
    {"shutdown", do_shutdown}, {"socketpair", do_pass},    {"splice", do_copy},
    {"sysclose", do_close},    {"sysdup3", do_close},      {"write", do_write},
    {"pwritev2", do_write},    {"pwritev64v2", do_write},  {"writev", do_write},
};

static void obey(char *line, const char *prefix)
{
	char *argv[8], *rest = line;
	int argc = 0;
	while (argc < 8 && (argv[argc] = strtok_r(rest, " \n", &rest)))
		argc++;
	answer = (struct answer){0};
	for (size_t i = 0; argc && i < sizeof calls / sizeof calls[0]; i++) {
		if (strcmp(calls[i].name, argv[0]) != 0)
			continue;
		calls[i].call(argc, argv);
		say("%s= %ld %d %ld %s", prefix, answer.result, answer.error, answer.us, answer.more);
		return;
	}
	errx(3, "no such call: %s", argc ? argv[0] : "");
}

static void *obey_apart(void *line)
{
	obey(line, "async ");
	free(line);
	return NULL;
}

/* ThreadSanitizer keeps a signal back while a thread waits inside read. */
static char *next_line(char *line, int size)
{
	while (getenv("TSAN_OPTIONS") && poll(&(struct pollfd){0, POLLIN, 0}, 1, 0) == 0)
		usleep(20000);
	return fgets(line, size, stdin);
}

int main(void)
{
	char line[4096];
	pthread_t thread;
	pthread_attr_t apart;
	pthread_attr_init(&apart);
	pthread_attr_setdetachstate(&apart, PTHREAD_CREATE_DETACHED);
	setvbuf(stdin, NULL, _IONBF, 0); /* poll is to know what is left */
	say("ready %d", getpid());
	while (next_line(line, sizeof line)) {
		if (strncmp(line, "async ", 6) == 0)
			pthread_create(&thread, &apart, obey_apart, strdup(line + 6));
		else
			obey(line, "");
	}
	return 0;
}
