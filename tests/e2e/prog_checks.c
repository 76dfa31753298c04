/*
 * prog_checks ROUNDS: asks for the number of leaked sockets, with one more each time, while other threads ask too.
 * Says how often the answer was older than the question.
 */
#include "prog.h"

#include "../../shim/closeguard.h"

static _Atomic bool over;

static void *ask(void *unused)
{
	while (!over)
		(void)closeguard_check();
	return unused;
}

int main(int argc, char **argv)
{
	int stale = 0, rounds = argc > 1 ? atoi(argv[1]) : 100;
	pthread_t threads[2];
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, ask, NULL);
	for (int i = 0; i < rounds; i++) {
		int pair[2];
		connected_pair(pair);
		close(pair[0]);
		read_to_end(pair[1]);
		doze(12); /* the clock of events ticks every 4 ms */
		stale += closeguard_check() != (size_t)i + 1;
	}
	over = true;
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	say("stale %d", stale);
	return 0;
}
