/*
 * prog_calls: every call that the library wraps, in success and in failure. What it prints (values, errno, bytes) has
 * to be the same with and without the library; errno is 77 before each call, and stays so where the call does not set
 * it.
 */
#include <dlfcn.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <spawn.h>
#include <wordexp.h>

#include "prog.h"

extern ssize_t __read(int, void *, size_t);
extern ssize_t __write(int, const void *, size_t);
extern ssize_t __send(int, const void *, size_t, int);
extern int __close(int);
extern int __dup2(int, int);
extern int __fcntl(int, int, ...);
extern int __connect(int, const struct sockaddr *, socklen_t);
extern int _IO_fclose(FILE *);
extern FILE *_IO_popen(const char *, const char *);
extern int __dprintf_chk(int, int, const char *, ...);
extern int __vdprintf_chk(int, int, const char *, va_list);
extern char **environ;

#define SHOW(call)                                                                                                     \
	({                                                                                                             \
		errno = 77;                                                                                            \
		long result_ = (long)(call);                                                                           \
		int errno_ = errno;                                                                                    \
		say("%s = %ld errno %d", #call, result_, errno_);                                                      \
		result_;                                                                                               \
	})
#define SHOW_POINTER(call)                                                                                             \
	({                                                                                                             \
		errno = 77;                                                                                            \
		void *result_ = (call);                                                                                \
		int errno_ = errno;                                                                                    \
		say("%s = %s errno %d", #call, result_ ? "something" : "NULL", errno_);                                \
		result_;                                                                                               \
	})

static char buf[64];
static void *volatile nowhere; /* wrong arguments that the compiler must not see */
static volatile int minus_one = -1;
static struct iovec iov = {buf, sizeof(buf)};
static struct sockaddr_in loopback = {.sin_family = AF_INET};

static void fill(int fd)
{
	if (write(fd, "abcdefgh", 8) != 8)
		err(3, "write");
}

__attribute__((format(printf, 2, 3))) static void printing(int fd, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	SHOW(vdprintf(fd, format, args));
	va_end(args);
	va_start(args, format);
	SHOW(__vdprintf_chk(fd, 1, format, args));
	va_end(args);
}

static void opening(void)
{
	socklen_t len = sizeof(loopback);
	int pair[2], from = listener(4, false);
	struct sockaddr_in at;
	getsockname(from, (struct sockaddr *)&loopback, &len);
	int fd = (int)SHOW(socket(AF_INET, SOCK_STREAM, 0));
	SHOW(socket(AF_INET, 99, 0));
	SHOW(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
	SHOW(socket(AF_INET6, SOCK_STREAM, 0));
	SHOW(socket(AF_UNIX, SOCK_STREAM, 0));
	SHOW(connect(fd, (struct sockaddr *)&loopback, sizeof(loopback)));
	SHOW(connect(fd, (struct sockaddr *)&loopback, sizeof(loopback)));
	SHOW(__connect(fd, (struct sockaddr *)&loopback, 1));
	SHOW(connect(-1, (struct sockaddr *)&loopback, sizeof(loopback)));
	len = sizeof(at);
	SHOW(accept(from, (struct sockaddr *)&at, &len));
	say("len %u family %u", len, at.sin_family);
	fcntl(from, F_SETFL, O_NONBLOCK);
	SHOW(accept(from, NULL, NULL));
	SHOW(accept4(from, NULL, NULL, SOCK_CLOEXEC));
	SHOW(accept4(from, NULL, NULL, ~0));
	SHOW(accept(-1, NULL, NULL));
	SHOW(accept(0, NULL, NULL));
	SHOW(bind(from, (struct sockaddr *)&loopback, sizeof(loopback)));
	SHOW(bind(-1, NULL, 0));
	SHOW(listen(from, 5));
	SHOW(listen(0, 5));
	SHOW(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	SHOW(socketpair(AF_INET, SOCK_STREAM, 0, pair));
	SHOW(pipe2(pair, O_CLOEXEC));
	SHOW(pipe2(pair, 12345));
	SHOW(syscall(SYS_pidfd_getfd, -1, 0, 0));
	int next = (int)SHOW(dup(0));
	closefrom(3);
	say("lowest was %d", next);
}

static void reading(void)
{
	int pair[2], out[2];
	struct mmsghdr many = {.msg_hdr = {.msg_iov = &iov, .msg_iovlen = 1}};
	struct msghdr one = {.msg_iov = &iov, .msg_iovlen = 1};
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);
	connected_pair(pair);
	if (pipe(out) < 0)
		err(3, "pipe");
	for (int round = 0; round < 3; round++) {
		/* data, then nothing (EAGAIN), then the end */
		for (int i = 0; round == 0 && i < 10; i++)
			fill(pair[0]);
		fcntl(pair[1], F_SETFL, O_NONBLOCK);
		if (round == 1)
			while (recv(pair[1], buf, sizeof(buf), 0) > 0)
				;
		if (round == 2)
			shutdown(pair[0], SHUT_WR);
		doze(20);
		SHOW(recv(pair[1], buf, 8, MSG_PEEK));
		SHOW(read(pair[1], buf, 8));
		SHOW(__read(pair[1], buf, 8));
		SHOW(recv(pair[1], buf, 8, 0));
		SHOW(recv(pair[1], buf, 8, MSG_DONTWAIT));
		SHOW(recvfrom(pair[1], buf, 8, 0, (struct sockaddr *)&peer, &len));
		iov.iov_len = 8;
		SHOW(readv(pair[1], &iov, 1));
		SHOW(preadv2(pair[1], &iov, 1, -1, 0));
		SHOW(recvmsg(pair[1], &one, 0));
		SHOW(recvmmsg(pair[1], &many, 1, 0, NULL));
		SHOW(splice(pair[1], NULL, out[1], NULL, 8, SPLICE_F_NONBLOCK));
		SHOW(read(pair[1], buf, 0));
		SHOW(recv(pair[1], buf, 8, MSG_ERRQUEUE));
		say("%.8s", buf);
	}
	SHOW(read(-1, buf, 1));
	SHOW(read(pair[1], nowhere, 1));
	SHOW(recv(-1, buf, 1, 0));
	SHOW(recv(0, buf, 1, 0));
	SHOW(recvfrom(-1, buf, 1, 0, NULL, NULL));
	SHOW(recvmsg(-1, &one, 0));
	SHOW(recvmmsg(-1, &many, 1, 0, NULL));
	SHOW(readv(pair[1], &iov, minus_one));
	SHOW(readv(minus_one, &iov, 1));
	SHOW(preadv2(-1, &iov, 1, 0, 0));
	SHOW(splice(-1, NULL, -1, NULL, 1, 0));
	closefrom(3);
}

static void writing(void)
{
	int pair[2], file = open("/etc/hostname", O_RDONLY | O_CLOEXEC), null = open("/dev/null", O_WRONLY);
	struct mmsghdr many = {.msg_hdr = {.msg_iov = &iov, .msg_iovlen = 1}};
	struct msghdr one = {.msg_iov = &iov, .msg_iovlen = 1};
	off_t at = 0;
	off64_t at64 = 0;
	struct linger reset = {1, 0};
	connected_pair(pair);
	signal(SIGPIPE, SIG_IGN);
	iov.iov_len = 8;
	for (int round = 0; round < 2; round++) {
		/* to a connection, then to a dead one */
		if (round == 1) {
			setsockopt(pair[1], SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
			close(pair[1]);
			doze(20);
		}
		SHOW(write(pair[0], buf, 8));
		SHOW(__write(pair[0], buf, 8));
		SHOW(send(pair[0], buf, 8, 0));
		SHOW(__send(pair[0], buf, 8, MSG_NOSIGNAL));
		SHOW(sendto(pair[0], buf, 8, 0, NULL, 0));
		SHOW(sendmsg(pair[0], &one, 0));
		SHOW(sendmmsg(pair[0], &many, 1, 0));
		SHOW(writev(pair[0], &iov, 1));
		SHOW(pwritev2(pair[0], &iov, 1, -1, 0));
		SHOW(pwritev64v2(pair[0], &iov, 1, -1, 0));
		SHOW(pwritev2(pair[0], &iov, 1, 0, 0));
		SHOW(sendfile(pair[0], file, &at, 1));
		SHOW(sendfile64(pair[0], file, &at64, 1));
		SHOW(dprintf(pair[0], "%d and %s", 7, "seven"));
		SHOW(__dprintf_chk(pair[0], 1, "%.2f", 0.5));
		printing(pair[0], "%s %ld\n", "line", 1L);
	}
	SHOW(write(-1, buf, 1));
	SHOW(write(null, buf, 1));
	SHOW(send(-1, buf, 1, 0));
	SHOW(send(null, buf, 1, 0));
	SHOW(sendto(-1, buf, 1, 0, NULL, 0));
	SHOW(sendmsg(-1, &one, 0));
	SHOW(sendmmsg(-1, &many, 1, 0));
	SHOW(writev(-1, &iov, 1));
	SHOW(sendfile(-1, file, NULL, 1));
	SHOW(dprintf(-1, "nowhere"));
	printing(-1, "%s", "");
	closefrom(3);
}

static void options_and_dups(void)
{
	int pair[2], on = 1, set = epoll_create1(0);
	struct epoll_event event = {.events = EPOLLIN};
	connected_pair(pair);
	SHOW(setsockopt(pair[0], SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)));
	SHOW(setsockopt(pair[0], SOL_SOCKET, SO_LINGER, &on, sizeof(on)));
	SHOW(setsockopt(pair[0], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)));
	SHOW(setsockopt(-1, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)));
	SHOW(sigaltstack(NULL, NULL));
	SHOW(sigaltstack(&(stack_t){.ss_sp = buf, .ss_size = sizeof(buf)}, NULL));
	SHOW(epoll_ctl(set, EPOLL_CTL_ADD, pair[0], &event));
	SHOW(epoll_ctl(set, EPOLL_CTL_ADD, pair[0], &event));
	SHOW(epoll_ctl(set, EPOLL_CTL_DEL, pair[0], NULL));
	SHOW(epoll_ctl(set, EPOLL_CTL_DEL, pair[0], NULL));
	SHOW(shutdown(pair[0], SHUT_WR));
	SHOW(shutdown(pair[0], 99));
	SHOW(shutdown(-1, SHUT_WR));
	SHOW(shutdown(set, SHUT_WR));
	SHOW(dup(pair[1]));
	SHOW(dup(-1));
	SHOW(dup2(pair[1], 50));
	SHOW(dup2(pair[1], pair[1]));
	SHOW(dup2(-1, 50));
	SHOW(dup2(pair[1], -1));
	SHOW(__dup2(pair[1], 51));
	SHOW(dup3(pair[1], 52, O_CLOEXEC));
	SHOW(dup3(pair[1], pair[1], 0));
	SHOW(dup3(pair[1], 53, 99));
	SHOW(fcntl(pair[1], F_DUPFD, 60));
	SHOW(fcntl(pair[1], F_DUPFD_CLOEXEC, 60));
	SHOW(__fcntl(pair[1], F_GETFD));
	SHOW(fcntl(pair[1], F_SETFL, O_NONBLOCK));
	SHOW(fcntl(pair[1], F_GETFL));
	SHOW(fcntl(pair[1], 9999, 0));
	SHOW(fcntl(-1, F_DUPFD, 60));
	closefrom(3);
}

static void closing(void)
{
	int pair[2], ends[2];
	FILE *stream;
	connected_pair(pair);
	SHOW(close(pair[0]));
	SHOW(close(pair[0]));
	SHOW(__close(pair[1]));
	SHOW(__close(-1));
	connected_pair(pair);
	SHOW(close_range(3, 100, 0));
	SHOW(close_range(5, 4, 0));
	SHOW(fcntl(pair[0], F_GETFD));
	connected_pair(pair);
	stream = SHOW_POINTER(fdopen(pair[0], "r+"));
	SHOW_POINTER(fdopen(pair[1], "nonsense"));
	SHOW_POINTER(fdopen(-1, "r"));
	SHOW(fputs("text\n", stream) >= 0);
	SHOW(fclose(stream));
	SHOW(fcntl(pair[0], F_GETFD));
	stream = SHOW_POINTER(fdopen(pair[1], "r"));
	SHOW_POINTER(fgets(buf, sizeof(buf), stream));
	say("%s", buf);
	SHOW_POINTER(fgets(buf, sizeof(buf), stream));
	SHOW(_IO_fclose(stream));
	connected_pair(pair);
	stream = fdopen(pair[0], "r");
	SHOW_POINTER(freopen("/dev/null", "r", stream));
	SHOW(fclose(stream));
	connected_pair(ends);
	SHOW(syscall(SYS_close, ends[0]));
	SHOW(syscall(SYS_close, ends[0]));
	SHOW(syscall(SYS_dup3, ends[1], 70, 0));
	SHOW(syscall(SYS_shutdown, ends[1], SHUT_RDWR));
	SHOW(syscall(SYS_close_range, 3, 90, 0));
	SHOW(syscall(-1));
	SHOW(syscall(SYS_accept4, -1, NULL, NULL, 0));
	SHOW(syscall(SYS_pread64, 0, buf, 0, 0L));
	SHOW(dup(1));
	closefrom(3);
}

static void loading(void)
{
	SHOW_POINTER(dlopen(NULL, RTLD_NOW));
	SHOW_POINTER(dlopen("/nonexistent", RTLD_NOW));
	say("%s", dlerror());
	SHOW_POINTER(dlmopen(LM_ID_BASE, "libc.so.6", RTLD_NOW));
	SHOW_POINTER(dlmopen(LM_ID_NEWLM, "/nonexistent", RTLD_NOW));
	say("%s", dlerror());
}

static void shells(void)
{
	wordexp_t words;
	FILE *from = SHOW_POINTER(popen("echo from a shell; exit 9", "r"));
	say("read %d", from && fgets(buf, sizeof(buf), from) != NULL);
	SHOW(from ? pclose(from) : -1);
	SHOW_POINTER(popen("true", "no mode"));
	from = SHOW_POINTER(_IO_popen("exit 11", "w"));
	SHOW(from ? pclose(from) : -1);
	SHOW(system("exit 10"));
	SHOW(system(nowhere));
	SHOW(wordexp("a $(echo b)", &words, 0));
	SHOW(wordexp("a $(echo b)", &words, WRDE_NOCMD));
}

static void rights(void)
{
	const uid_t same = (uid_t)-1;
	SHOW(setuid(getuid()));
	SHOW(setreuid(same, same));
	SHOW(setresuid(same, same, same));
	SHOW(setresuid(same, geteuid(), same));
	SHOW(chroot("/nonexistent"));
}

static void processes(void)
{
	rights();
	char *const argv[] = {"sh", "-c", "exit 5", NULL}, *const none[] = {"nothing", NULL};
	int status = 0;
	pid_t child;
	SHOW(prctl(PR_SET_NAME, "renamed", 0, 0, 0));
	SHOW(prctl(-1, 0, 0, 0, 0));
	SHOW(execve("/nonexistent", none, environ));
	SHOW(execv("/nonexistent", none));
	SHOW(execvp("nonexistent-program", none));
	SHOW(execvpe("nonexistent-program", none, environ));
	SHOW(execl("/nonexistent", "nothing", NULL));
	SHOW(execlp("nonexistent-program", "nothing", NULL));
	SHOW(execle("/nonexistent", "nothing", NULL, environ));
	SHOW(fexecve(-1, none, environ));
	SHOW(execveat(-1, "nonexistent", none, environ, 0));
	SHOW(posix_spawn(&child, "/nonexistent", NULL, NULL, none, environ));
	SHOW(posix_spawnp(&child, "nonexistent-program", NULL, NULL, none, environ));
	SHOW(posix_spawnp(&child, "sh", NULL, NULL, argv, environ) + (waitpid(child, &status, 0) < 0));
	say("status %d", status);
	child = fork();
	if (child == 0)
		execlp("sh", "sh", "-c", "exit $1", "sh", "6", NULL);
	waitpid(child, &status, 0);
	say("status %d", status);
	child = vfork();
	if (child == 0) {
		execl("/bin/sh", "sh", "-c", "exit 7", NULL);
		_exit(127);
	}
	waitpid(child, &status, 0);
	say("status %d", status);
	shells();
	child = _Fork();
	if (child == 0) {
		char *const clean[] = {"X=8", NULL};
		execle("/bin/sh", "sh", "-c", "exit $X", NULL, clean);
	}
	waitpid(child, &status, 0);
	say("status %d", status);
}

int main(void)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	opening();
	reading();
	writing();
	options_and_dups();
	loading();
	closing();
	processes();
	return 0;
}
