/*
 * prog_stray first|second|unknown|reused: a connection that two threads close, each once. One has read from it and
 * closes it in finish(), the other in give_up(); which comes first is said. "unknown": nobody has read from it.
 * "reused": as "first", and before the second close a third connection has had the number.
 */
#include "prog.h"

static int fd, waiting;
static bool reads, reuses;

#define KEEP_FRAME(name) __asm__ volatile("/* " name " */" : : : "memory")

static __attribute__((noinline)) void finish(void)
{
	close(fd);
	KEEP_FRAME("finish");
}

static __attribute__((noinline)) void give_up(void)
{
	close(fd);
	KEEP_FRAME("give_up");
}

static pthread_barrier_t read_it, closed_it;

static void *owner(void *is_first)
{
	char byte;
	if (reads && read(fd, &byte, 1) != 1)
		err(3, "read");
	pthread_barrier_wait(&read_it);
	if (is_first)
		finish();
	pthread_barrier_wait(&closed_it);
	if (!is_first)
		finish();
	return NULL;
}

static void serve_another(void)
{
	char byte;
	int another = accept_from(waiting);
	if (another != fd || read(another, &byte, 1) != 1)
		errx(3, "%d in place of %d", another, fd);
	close(another);
	KEEP_FRAME("another");
}

static void *other(void *is_first)
{
	pthread_barrier_wait(&read_it);
	if (is_first)
		give_up();
	if (reuses)
		serve_another();
	pthread_barrier_wait(&closed_it);
	if (!is_first)
		give_up();
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[2];
	int pair[2];
	if (argc != 2)
		errx(2, "usage: prog_stray first|second|unknown|reused");
	void *stray_is_first = strcmp(argv[1], "second") == 0 ? NULL : "";
	void *owner_is_first = stray_is_first ? NULL : "";
	reads = strcmp(argv[1], "unknown") != 0;
	reuses = strcmp(argv[1], "reused") == 0;
	connected_pair(pair);
	fd = pair[1];
	waiting = listener(4, false); /* takes the number of the pair's own, so that none below it is free */
	int client = reuses ? connect_to(port_of(waiting)) : -1;
	if (reuses && write(client, "x", 1) != 1)
		err(3, "write");
	if (write(pair[0], "x", 1) != 1)
		err(3, "write");
	pthread_barrier_init(&read_it, NULL, 2);
	pthread_barrier_init(&closed_it, NULL, 2);
	if (pthread_create(&threads[0], NULL, owner, owner_is_first) ||
	    pthread_create(&threads[1], NULL, other, stray_is_first))
		errx(3, "thread");
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	say("ready");
	stay();
	return 0;
}
