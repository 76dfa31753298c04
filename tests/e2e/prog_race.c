/*
 * prog_race THREADS ROUNDS: threads open, dup, use and close connections at full speed, so that numbers are reused at
 * once by other threads. Each thread leaks one connection at its end; nothing else may be told.
 */
#include "prog.h"

static int rounds;

static void pass(int pair[2], bool dups)
{
	struct linger reset = {1, 0}; /* no TIME_WAIT: ports would run out */
	char c;
	int copy = dups ? dup(pair[1]) : -1;
	if (write(pair[0], "x", 1) != 1 || read(pair[1], &c, 1) != 1 || c != 'x')
		err(3, "a byte was lost");
	shutdown(pair[0], SHUT_WR);
	read_to_end(pair[1]);
	setsockopt(pair[1], SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	if (close(pair[1]) || (dups && close(copy)) || close(pair[0]))
		err(3, "close");
}

static void *work(void *unused)
{
	int pair[2];
	for (int i = 0; i < rounds; i++) {
		connected_pair(pair);
		pass(pair, i % 3 == 0);
	}
	connected_pair(pair);
	close(pair[0]);
	read_to_end(pair[1]);
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t threads[64];
	int count = argc > 1 ? atoi(argv[1]) : 4;
	rounds = argc > 2 ? atoi(argv[2]) : 100;
	for (int i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, work, NULL))
			errx(3, "thread");
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	say("ready");
	stay();
	return 0;
}
