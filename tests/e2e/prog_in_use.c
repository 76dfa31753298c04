/*
 * prog_in_use CONNECTIONS: exchanges bytes on so many connections without a pause, until SIGUSR1 comes; then they are
 * left open. Says the lowest and the highest of their numbers.
 */
#include "prog.h"

static volatile sig_atomic_t stopped;

static void stop(int number)
{
	(void)number;
	stopped = 1;
}

static void exchange(int from, int to)
{
	char byte = 'x';
	if (write(from, &byte, 1) != 1 || read(to, &byte, 1) != 1)
		err(3, "exchange");
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 0, pairs[256][2];
	struct timespec pause_between = {0, 1000000};
	if (count < 1 || count > 256)
		errx(2, "usage: prog_in_use CONNECTIONS");
	signal(SIGUSR1, stop);
	for (int i = 0; i < count; i++)
		connected_pair(pairs[i]);
	say("lowest %d", pairs[0][0] < pairs[0][1] ? pairs[0][0] : pairs[0][1]);
	say("highest %d", pairs[count - 1][0] > pairs[count - 1][1] ? pairs[count - 1][0] : pairs[count - 1][1]);
	while (!stopped) {
		for (int i = 0; i < count; i++) {
			exchange(pairs[i][0], pairs[i][1]);
			exchange(pairs[i][1], pairs[i][0]);
		}
		nanosleep(&pause_between, NULL);
	}
	say("stopped");
	stay();
	return 0;
}
