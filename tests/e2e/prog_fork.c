/* prog_fork HOW: leaks in children: of a pre-forking server, of a threaded program, made by _Fork or by daemon(). */
#include <sys/mman.h>

#include "prog.h"

enum { WORKERS = 3, EACH = 3 };

static void leak_from(int from, int count)
{
	for (int i = 0; i < count; i++)
		read_to_end(accept_from(from));
	say("ready %d", getpid());
	stay();
	_exit(0);
}

static void prefork(int from)
{
	for (int i = 0; i < WORKERS; i++)
		if (fork() == 0)
			leak_from(from, EACH);
}

static _Atomic bool busy = true;

static void *open_and_close(void *unused)
{
	while (busy) {
		int pair[2];
		connected_pair(pair);
		close(pair[0]);
		read_to_end(pair[1]);
		close(pair[1]);
		doze(1);
	}
	return unused;
}

/* The other threads may be inside any of the library's doings when the fork comes. */
static void threaded(int from)
{
	pthread_t threads[4];
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, open_and_close, NULL);
	for (int i = 0; i < 20; i++) {
		doze(5);
		if (fork() == 0) {
			int pair[2];
			connected_pair(pair);
			close(pair[0]);
			read_to_end(pair[1]);
			_exit(0);
		}
	}
	if (fork() == 0)
		leak_from(from, EACH);
	busy = false;
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < 20; i++)
		wait(NULL);
}

/* A child that inherits a forgotten connection and does nothing with it; then it forks again. */
static void inherit(int from)
{
	int fd = accept_from(from);
	read_to_end(fd);
	if (fork() == 0) {
		if (fork() == 0)
			stay();
		stay();
		_exit(0);
	}
	say("ready %d", getpid());
}

int main(int argc, char **argv)
{
	int from = listener(64, true);
	const char *how = argc > 1 ? argv[1] : "";
	if (strcmp(how, "prefork") == 0)
		prefork(from);
	else if (strcmp(how, "threaded") == 0)
		threaded(from);
	else if (strcmp(how, "inherit") == 0)
		inherit(from);
	else if (strcmp(how, "_Fork") == 0 && _Fork() == 0)
		leak_from(from, EACH);
	else if (strcmp(how, "daemon") == 0 && daemon(1, 1) == 0)
		leak_from(from, EACH);
	stay();
	return 0;
}
