/* prog_forkserver: a child serves each connection until its end, and the parent forgets to close its own descriptor. */
#include "prog.h"

static void serve(int from, int fd)
{
	char byte;
	close(from);
	while (read(fd, &byte, 1) > 0)
		if (write(fd, &byte, 1) != 1)
			break;
	close(fd);
	say("served");
	_exit(0);
}

int main(void)
{
	int from = listener(64, true);
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int fd = accept_from(from);
		if (fork() == 0)
			serve(from, fd);
	}
}
