/* prog_forked_thread: a program of one thread opens a socket and forks; the child makes a thread. Status 7. */
#include "prog.h"

#include <sys/wait.h>

static void *nothing(void *unused)
{
	return unused;
}

static int child(void)
{
	pthread_t thread;
	return pthread_create(&thread, NULL, nothing, NULL) || pthread_join(thread, NULL) ? 1 : 7;
}

int main(void)
{
	int status;
	if (socket(AF_INET, SOCK_STREAM, 0) < 0)
		err(3, "socket");
	doze(300); /* for the library's thread to be there, if it makes one */
	pid_t pid = fork();
	if (pid == 0)
		return child();
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 4;
}
