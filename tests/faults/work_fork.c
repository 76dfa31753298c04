/*
 * work_fork.c: a server whose children serve and leak, in every way in which a process can be made; each is waited for,
 * so that the order of what they say is fixed.
 */
#include <spawn.h>

#include "work.h"

extern char **environ;
static int from;

static void serve(int i)
{
	char text[16];
	int fd = accept_from(from);
	ssize_t n = recv(fd, text, sizeof(text), 0);
	send_all(fd, text, n > 0 ? (size_t)n : 0);
	read_to_end(fd);
	doze(120);
	if (i % 2)
		close(fd); /* else it is leaked until the end */
}

static void tell_end(const char *what, pid_t pid)
{
	int status = -1;
	if (waitpid(pid, &status, 0) != pid)
		say("%s: lost (%d)", what, errno);
	else
		say("%s: %d", what, status);
}

static void *knock(void *unused)
{
	char text[16] = "";
	int fd = connect_to(port_of(from));
	send_all(fd, "knock", 5);
	ssize_t n = recv(fd, text, sizeof(text), 0);
	say("the answer: %zd %.*s", n, (int)(n > 0 ? n : 0), text);
	close(fd);
	return unused;
}

static void one_child(int i)
{
	pthread_t thread;
	pid_t pid = i == 2 ? _Fork() : fork();
	if (pid == 0) {
		serve(i);
		if (i == 1)
			exit(10 + i);
		_exit(10 + i);
	}
	pthread_create(&thread, NULL, knock, NULL);
	pthread_join(thread, NULL);
	tell_end("child", pid);
}

static void run_programs(void)
{
	char *words[] = {"sh", "-c", "echo spawned; exit 3", NULL}, line[64] = "";
	pid_t pid = -1;
	int r = posix_spawn(&pid, "/bin/sh", NULL, NULL, words, environ);
	tell_end("spawned", pid); /* before anything is said: the child speaks too */
	TELL(r);
	TELL(system("echo by system; exit 5"));
	FILE *pipe = popen("echo by popen", "r");
	say("%s", pipe && fgets(line, sizeof(line), pipe) ? line : "nothing");
	TELL(pipe ? pclose(pipe) : -1);
	pid = vfork();
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", "exit 4", (char *)NULL);
		_exit(99);
	}
	tell_end("vfork", pid);
}

int main(void)
{
	int pair[2];
	faults_mark(FAULTS_BEGIN);
	from = listener(8, false);
	connected_pair(pair);
	close(pair[0]);
	read_to_end(pair[1]);
	for (int i = 0; i < 3; i++)
		one_child(i);
	run_programs();
	pid_t pid = fork();
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", "echo by exec", (char *)NULL);
		_exit(99);
	}
	tell_end("exec", pid);
	doze(100);
	say("over");
	faults_mark(FAULTS_END);
	return 0;
}
