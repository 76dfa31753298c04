/*
 * prog_dead HOW COUNT: keeps descriptors of connections that are dead (CLOSE): reset by the peer, told of it or not, or
 * after they were shut down.
 */
#include "prog.h"

int main(int argc, char **argv)
{
	if (argc != 3)
		errx(2, "usage: prog_dead told|untold|shut COUNT");
	int from = listener(64, true);
	for (int i = 0; i < atoi(argv[2]); i++) {
		char buf[16];
		int fd = accept_from(from);
		if (strcmp(argv[1], "shut") == 0)
			shutdown(fd, SHUT_WR);
		say("fd %d", fd);
		if (strcmp(argv[1], "told") == 0 && (read(fd, buf, sizeof(buf)) >= 0 || errno != ECONNRESET))
			errx(3, "the connection was not reset");
	}
	say("ready");
	stay();
	return 0;
}
