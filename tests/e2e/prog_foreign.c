/*
 * prog_foreign.c: a program that is also built for another libc: threads, a cancelled one, sockets, descriptors and
 * children of every kind. Its lines are the same whatever is preloaded. With an argument it is one of those children,
 * with more ("run", a program and its arguments) another program.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void *in_read(void *fd)
{
	char byte;
	return read(*(int *)fd, &byte, 1) == 1 ? fd : NULL;
}

static void cancel_one(void)
{
	int fds[2];
	pthread_t thread;
	void *result = NULL;
	if (pipe(fds) < 0 || pthread_create(&thread, NULL, in_read, &fds[0]) != 0)
		abort();
	usleep(20000);
	pthread_cancel(thread);
	pthread_join(thread, &result);
	printf("cancelled %d\n", result == PTHREAD_CANCELED);
	printf("closed %d %d\n", close(fds[0]), close(fds[1]));
}

static void *serve(void *listener)
{
	char text[16];
	int fd = accept(*(int *)listener, NULL, NULL);
	ssize_t n = recv(fd, text, sizeof text, 0);
	send(fd, text, (size_t)n, 0);
	shutdown(fd, SHUT_WR);
	while (read(fd, text, sizeof text) > 0)
		;
	close(fd);
	return NULL;
}

static void load_one(void)
{
	enum { DEEPBIND = 8 }; /* glibc's; no other libc has it */
	void *itself = dlopen(NULL, RTLD_NOW | DEEPBIND), *none = dlopen("/nonexistent.so", RTLD_NOW);
	printf("loaded %d %d\n", itself != NULL, none != NULL);
}

static void connect_one(void)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof addr;
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	char text[16] = "";
	pthread_t thread;
	setsockopt(fd, IPPROTO_TCP, 1, &on, sizeof on);
	printf("bound %d", bind(listener, (struct sockaddr *)&addr, len));
	printf(" listens %d\n", listen(listener, 1));
	getsockname(listener, (struct sockaddr *)&addr, &len);
	pthread_create(&thread, NULL, serve, &listener);
	printf("connected %d", connect(fd, (struct sockaddr *)&addr, len));
	printf(" wrote %zd", writev(fd, &(struct iovec){"hello", 5}, 1));
	printf(" read %zd", read(fd, text, sizeof text));
	printf(" end %zd %s\n", recv(fd, text + 8, 1, 0), text);
	int copy = dup(fd), other = fcntl(fd, F_DUPFD_CLOEXEC, 100);
	printf("copies %d %d", copy > fd, other >= 100);
	printf(" closed %d %d %d", close(fd), close(copy), close(other));
	printf(" gone %d", fcntl(fd, F_GETFD) < 0 && errno == EBADF);
	printf(" %s\n", strerror(errno));
	pthread_join(thread, NULL);
	close(listener);
}

static void report(const char *how, pid_t pid)
{
	int status = -1;
	waitpid(pid, &status, 0);
	printf("%s %d\n", how, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	fflush(stdout);
}

static void have_children(char *self)
{
	char *argv[] = {self, (char *)"child", NULL};
	pid_t pid = fork();
	if (pid == 0)
		_exit(execv(self, argv));
	report("fork", pid);
	pid = vfork();
	if (pid == 0)
		_exit(execle(self, self, "child", (char *)NULL, environ));
	report("vfork", pid);
	int spawned = posix_spawnp(&pid, self, NULL, NULL, argv, environ);
	report(spawned ? "no spawn" : "spawn", pid);
	printf("system %d\n", WEXITSTATUS(system("exit 3")));
}

int main(int argc, char **argv)
{
	if (argc > 2 && strcmp(argv[1], "run") == 0)
		return execvp(argv[2], argv + 2);
	if (argc > 1) {
		dprintf(1, "in the child\n");
		return 7;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	cancel_one();
	load_one();
	connect_one();
	have_children(argv[0]);
	FILE *stream = fopen("/dev/null", "w");
	printf("stream %d\n", stream ? fclose(stream) : -1);
	return 5;
}
