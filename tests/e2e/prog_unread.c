/* prog_unread HOW COUNT: holds connections whose FIN it never reads: idle, with data in front, or in a stuck epoll
 * loop. */
#include <sys/epoll.h>

#include "prog.h"

int main(int argc, char **argv)
{
	if (argc != 3)
		errx(2, "usage: prog_unread idle|some|polled COUNT");
	int from = listener(64, true), set = -1;
	if (strcmp(argv[1], "polled") == 0 && (set = epoll_create1(EPOLL_CLOEXEC)) < 0)
		err(3, "epoll_create1");
	for (int i = 0; i < atoi(argv[2]); i++) {
		char buf[2];
		int fd = accept_from(from);
		struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
		if (set >= 0 && epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) < 0)
			err(3, "epoll_ctl");
		if (strcmp(argv[1], "idle") != 0 && read(fd, buf, sizeof(buf)) != sizeof(buf))
			err(3, "read");
	}
	say("ready %d", set);
	stay();
	return 0;
}
