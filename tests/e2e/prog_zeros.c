/* prog_zeros: reads a connection to its end, and on and on. */
#include "prog.h"

static void *obey(void *unused)
{
	stay();
	exit(0);
	return unused;
}

int main(void)
{
	pthread_t thread;
	int pair[2];
	char byte;
	connected_pair(pair);
	close(pair[0]);
	if (pthread_create(&thread, NULL, obey, NULL))
		errx(3, "thread");
	for (long zeros = 0;; zeros++) {
		if (read(pair[1], &byte, 1) != 0)
			errx(3, "there is something to read");
		if (zeros == 100000)
			say("ready");
		if (zeros > 100000)
			doze(1);
	}
}
