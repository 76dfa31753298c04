/*
 * prog_holder WHERE WHAT HEIR: keeps a connection that another program has inherited as descriptor 10 (prog_heir WHAT,
 * which alone is watched), in a place where it is hard to see; at a word on stdin it sends on it and says what the peer
 * got. WHERE: "nowhere" (it is closed here), "process", "thread" (the first thread has ended), "table" (a thread has
 * its own descriptors) or "outside" (of the heir's pid namespace).
 */
#include "prog.h"

#include <sched.h>
#include <sys/mount.h>

enum { HEIRLOOM = 10, END = 11 };

static const char *where;
static int server, client, stop[2];
static pthread_barrier_t ready;

static void become_heir(char **words)
{
	char *argv[] = {words[3], words[2], NULL};
	setenv("LD_PRELOAD", getenv("HEIR_PRELOAD"), 1);
	if (dup2(server, HEIRLOOM) < 0 || dup2(stop[0], END) < 0)
		err(3, "dup2");
	close(server);
	execv(argv[0], argv);
	err(3, "%s", argv[0]);
}

/* The heir is the first process of a namespace, and its /proc shows that alone. */
static void become_heir_elsewhere(char **words)
{
	if (unshare(CLONE_NEWPID | CLONE_NEWNS) < 0)
		errx(77, "no namespaces here");
	pid_t child = fork();
	if (child) {
		close(server);
		waitpid(child, NULL, 0);
		_exit(0);
	}
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mount("proc", "/proc", "proc", 0, NULL) < 0)
		errx(77, "no mounts here");
	become_heir(words);
}

static void *keep(void *unused)
{
	char got[16];
	if (strcmp(where, "table") == 0 && unshare(CLONE_FILES) < 0)
		err(3, "unshare");
	pthread_barrier_wait(&ready);
	while (told_to_go_on()) {
		ssize_t sent = send(server, "answer", 6, MSG_NOSIGNAL);
		ssize_t received = recv(client, got, sizeof(got), MSG_DONTWAIT);
		say("sent %zd got %zd", sent, received);
	}
	exit(0);
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	if (argc != 4)
		errx(2, "usage: prog_holder nowhere|process|thread|table|outside reap|drain HEIR");
	where = argv[1];
	int listening = listener(1, false);
	client = connect_to(port_of(listening));
	server = accept_from(listening);
	if (fcntl(client, F_SETFD, FD_CLOEXEC) < 0 || pipe2(stop, O_CLOEXEC) < 0)
		err(3, "pipe2");
	if (strcmp(argv[2], "reap") == 0)
		shutdown(client, SHUT_WR);
	else if (send(client, "x", 1, 0) != 1)
		err(3, "send");
	if (fork() == 0)
		(strcmp(where, "outside") == 0 ? become_heir_elsewhere : become_heir)(argv);
	close(stop[0]);
	pthread_barrier_init(&ready, NULL, 2);
	pthread_create(&thread, NULL, keep, NULL);
	pthread_barrier_wait(&ready);
	if (strcmp(where, "nowhere") == 0 || strcmp(where, "table") == 0)
		close(server);
	say("ready");
	if (strcmp(where, "thread") == 0)
		pthread_exit(NULL);
	pause();
	return 0;
}
