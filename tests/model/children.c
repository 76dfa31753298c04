/* children.c: forked children that leave at once, execute something, or stay and keep inherited sockets. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model.h"

extern char **environ;

struct child {
	pid_t pid;
	int stop; /* the writing end of its pipe */
};

static struct child children[MAX_CHILDREN];
static int child_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void child_exits(struct actor *a)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	if (pid < 0)
		die("fork");
	waitpid(pid, NULL, 0);
	say(a, "fork, the child exits: %d", (int)pid);
}

void child_execs(struct actor *a)
{
	char *argv[] = {(char *)"true", NULL};
	pid_t pid;
	if (posix_spawn(&pid, "/bin/true", NULL, NULL, argv, environ))
		die("posix_spawn");
	waitpid(pid, NULL, 0);
	say(a, "spawn /bin/true: %d", (int)pid);
}

static bool is_socket(int fd)
{
	struct stat st;
	return !fstat(fd, &st) && S_ISSOCK(st.st_mode);
}

/* Which of the inherited sockets a staying child closes: none, some, or all descriptors that it does not need. */
static void close_inherited(unsigned how, int stop)
{
	if (how == 2) {
		if (stop > 3)
			close_range(3, (unsigned)stop - 1, 0);
		close_range((unsigned)stop + 1, ~0u, 0);
		return;
	}
	for (int fd = 3; how == 1 && fd < HIGH_BASE + (MAX_ACTORS + 1) * HIGH_SPAN; fd++) {
		if (fd != stop && fd % 3 == 0 && is_socket(fd))
			close(fd);
	}
}

/* Only async-signal-safe calls: the other threads' locks are as the fork found them. */
static void stay(unsigned how, int stop)
{
	struct pollfd wait[2] = {{.fd = stop, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
	close_inherited(how, stop);
	while (poll(wait, 2, -1) < 0)
		;
	_exit(0);
}

void child_stays(struct actor *a)
{
	static const char *const name[] = {"keeps all", "closes some", "closes all"};
	int ends[2];
	unsigned how = (unsigned)pick(a, 3);
	pthread_mutex_lock(&lock);
	if (child_count == MAX_CHILDREN) {
		pthread_mutex_unlock(&lock);
		return;
	}
	if (pipe2(ends, O_CLOEXEC))
		die("pipe2");
	pid_t pid = fork();
	if (pid == 0)
		stay(how, ends[0]);
	if (pid < 0)
		die("fork");
	close(ends[0]);
	children[child_count++] = (struct child){.pid = pid, .stop = ends[1]};
	pthread_mutex_unlock(&lock);
	say(a, "fork, the child %s: %d", name[how], (int)pid);
}

/* At the end of the input a child may have ended by itself: then the pipe has no reader, which is as good. */
static void stop(struct child child)
{
	if (write(child.stop, "", 1) != 1 && errno != EPIPE)
		die("write to a child");
	waitpid(child.pid, NULL, 0);
	close(child.stop);
}

void child_stop_one(struct actor *a)
{
	struct child child = {0};
	pthread_mutex_lock(&lock);
	if (child_count > 0) {
		int i = (int)pick(a, (uint64_t)child_count);
		child = children[i];
		children[i] = children[--child_count];
		stop(child);
	}
	pthread_mutex_unlock(&lock);
	if (child.pid)
		say(a, "stop child %d", (int)child.pid);
}

void child_stop_all(void)
{
	while (child_count > 0)
		stop(children[--child_count]);
}

void child_list(void)
{
	for (int i = 0; i < child_count; i++)
		printf("child %d\n", (int)children[i].pid);
}
