/*
 * prog_left WHEN: the main thread leaves by pthread_exit before the first connection, or after it; or by the system
 * call, unseen. Another thread serves connections, three of which it forgets, and ends the program when stdin does.
 */
#include <sys/syscall.h>

#include "prog.h"

static int from;
static const char *when;

static void *serve(void *unused)
{
	(void)unused;
	if (strcmp(when, "before") == 0) {
		doze(300);
		from = listener(64, true);
	}
	for (int i = 0; i < 3; i++)
		read_to_end(accept_from(from));
	say("ready");
	stay();
	exit(0);
}

int main(int argc, char **argv)
{
	pthread_t thread;
	when = argc == 2 ? argv[1] : "";
	if (strcmp(when, "before") != 0 && strcmp(when, "after") != 0 && strcmp(when, "unseen") != 0)
		errx(2, "usage: prog_left before|after|unseen");
	if (strcmp(when, "before") != 0) {
		from = listener(64, true);
		doze(700); /* the library has looked around */
	}
	if (pthread_create(&thread, NULL, serve, NULL))
		errx(3, "thread");
	if (strcmp(when, "unseen") == 0)
		syscall(SYS_exit, 0);
	pthread_exit(NULL);
}
