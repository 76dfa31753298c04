/*
 * prog_prefork N [drop|move]: N workers accept one connection each and wait for the end of it, so that others stay in
 * the backlog; with "drop" they are another user's than the parent, with "move" they have the listener under a number
 * that no wrapped call gave it. Told to go on, the parent leaves its listener to them.
 */
#include "prog.h"

#include <sys/syscall.h>

enum { NOBODY = 65534 };

static void work(int from, const char *how)
{
	char byte;
	if (strcmp(how, "move") == 0) {
		int moved = (int)syscall(SYS_fcntl, from, F_DUPFD, 20);
		close(from);
		from = moved;
	}
	if (strcmp(how, "drop") == 0 && (setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
		_exit(3);
	int fd = accept_from(from);
	say("accepted");
	while (read(fd, &byte, 1) > 0)
		;
	_exit(0);
}

int main(int argc, char **argv)
{
	int from = listener(64, true);
	for (int i = 0; argc > 1 && i < atoi(argv[1]); i++)
		if (fork() == 0)
			work(from, argc > 2 ? argv[2] : "");
	say("ready");
	if (told_to_go_on())
		close(from);
	say("closed");
	stay();
	return 0;
}
