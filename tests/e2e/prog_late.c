/* prog_late COUNT DELAY_MS: reads each connection to its end and closes it, but only long after. */
#include "prog.h"

static unsigned delay;

static void *serve(void *fd)
{
	read_to_end((int)(intptr_t)fd);
	doze(delay);
	close((int)(intptr_t)fd);
	return NULL;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		errx(2, "usage: prog_late COUNT DELAY_MS");
	int from = listener(64, true), count = atoi(argv[1]);
	pthread_t threads[64];
	delay = (unsigned)atoi(argv[2]);
	for (int i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, serve, (void *)(intptr_t)accept_from(from)))
			errx(3, "thread");
	say("accepted");
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	say("ready");
	stay();
	return 0;
}
