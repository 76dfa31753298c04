/*
 * prog_crowd PROCESSES SOCKETS: so many processes, which hold nothing of interest, and so many connections whose end
 * was read at twenty places and that were forgotten; a child that was forked since makes it a question who has them.
 */
#include "prog.h"

#include <sys/prctl.h>

enum { DESCRIPTORS = 12 }; /* of each process, as many as a small service has */

#define PLACES(m)                                                                                                      \
	m(0) m(1) m(2) m(3) m(4) m(5) m(6) m(7) m(8) m(9) m(10) m(11) m(12) m(13) m(14) m(15) m(16) m(17) m(18) m(19)
#define PLACE(n)                                                                                                       \
	__attribute__((noinline)) static int open_at_##n(int listening, int port)                                      \
	{                                                                                                              \
		int peer = connect_to(port), fd = accept_from(listening);                                              \
		char byte;                                                                                             \
		close(peer);                                                                                           \
		return read(fd, &byte, 1) == 0 ? fd : -1;                                                              \
	}
#define NAME(n) open_at_##n,
PLACES(PLACE)
static int (*const places[])(int listening, int port) = {PLACES(NAME)};

static void stand_by(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == 1)
		_exit(0);
	for (;;)
		pause();
}

static void crowd(int count)
{
	for (int i = 0; i < count; i++) {
		if (fork() != 0)
			continue;
		for (int n = 0; n < DESCRIPTORS; n++)
			if (open("/dev/null", O_RDONLY) < 0)
				err(3, "open");
		stand_by();
	}
}

int main(int argc, char **argv)
{
	if (argc != 3)
		errx(2, "usage: prog_crowd PROCESSES SOCKETS");
	crowd(atoi(argv[1]));
	int listening = listener(16, false), port = port_of(listening);
	for (int i = 0; i < atoi(argv[2]); i++)
		if (places[i % 20](listening, port) < 0)
			err(3, "no connection");
	if (fork() == 0) {
		for (int fd = 3; fd < 1024; fd++)
			close(fd);
		stand_by();
	}
	say("ready");
	stay();
	return 0;
}
