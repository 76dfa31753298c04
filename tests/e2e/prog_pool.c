/*
 * prog_pool HOW PORT: a client that keeps four connections to a peer which greets and leaves. "idle" opens no more;
 * "again" opens one more from the same line when it is told to; "burst" does that too, and used the four at the same
 * time; "job" serves one that is half-closed by its peer,
 * is at work for three seconds after the end, and answers.
 */
#include "prog.h"

static void be_greeted(int fd)
{
	char greeting[8];
	if (recv(fd, greeting, 6, MSG_WAITALL) != 6)
		err(3, "the greeting");
}

static __attribute__((noinline)) int open_one(int port)
{
	int fd = connect_to(port);
	be_greeted(fd);
	return fd;
}

/* One place for all: a loop that is not unrolled. */
static void use_at_once(int port)
{
	int fds[5];
	volatile int count = 5;
	for (int i = 0; i < count; i++) {
		for (int j = 0; i == 4 && j < 4; j++)
			be_greeted(fds[j]);
		if (i == 4)
			say("open");
		if (i == 4 && !told_to_go_on())
			return;
		fds[i] = connect_to(port);
	}
	be_greeted(fds[4]);
}

static void serve(void)
{
	int from = listener(1, true), fd = accept_from(from);
	read_to_end(fd);
	say("at-work");
	doze(2000); /* longer than warn_after, and less than a handler is believed to be at work */
	if (write(fd, "answer", 6) != 6)
		err(3, "the answer");
	close(fd);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		errx(2, "usage: prog_pool idle|again|burst|job PORT");
	if (strcmp(argv[1], "job") == 0) {
		serve();
	} else if (strcmp(argv[1], "burst") == 0) {
		use_at_once(atoi(argv[2]));
	} else {
		bool again = strcmp(argv[1], "again") == 0;
		for (int i = 0; i < (again ? 5 : 4); i++) {
			if (i == 4)
				say("open");
			if (i < 4 || told_to_go_on())
				(void)open_one(atoi(argv[2]));
		}
	}
	say("ready");
	stay();
	return 0;
}
