/*
 * prog_places ROUNDS MS: closes a socket twice at 64 places in the code per round, a place each MS milliseconds, so
 * that there is always something new to name.
 */
#include "prog.h"

#define PLACE(n)                                                                                                       \
	static __attribute__((noinline)) int place_##n(int fd)                                                         \
	{                                                                                                              \
		int first = close(fd), second = close(fd);                                                             \
		return first + second + n;                                                                             \
	}
#define FOUR(name, n) name(n##0) name(n##1) name(n##2) name(n##3)
#define SIXTEEN(name, n) FOUR(name, n##0) FOUR(name, n##1) FOUR(name, n##2) FOUR(name, n##3)
#define ALL(name) SIXTEEN(name, 10) SIXTEEN(name, 11) SIXTEEN(name, 12) SIXTEEN(name, 13)

ALL(PLACE)

#define NAME(n) place_##n,
static int (*const places[])(int) = {ALL(NAME)};

int main(int argc, char **argv)
{
	int rounds = atoi(argv[argc - 2]), step = atoi(argv[argc - 1]);
	for (int i = 0; i < rounds * 64; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0)
			err(3, "socket");
		places[i % 64](fd);
		doze((unsigned)step);
	}
	doze(100); /* what was closed twice this moment may still be a race of two threads */
	say("done");
	return 0;
}
