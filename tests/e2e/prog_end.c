/* prog_end HOW [STATUS]: leaks a connection of its own and, when told to, ends in one of the ways that a process can
 * end. */
#include "prog.h"

static void *end_from_a_thread(void *status)
{
	exit((int)(intptr_t)status);
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	int status = argc > 2 ? atoi(argv[2]) : 0, pair[2];
	pthread_t thread;
	connected_pair(pair);
	close(pair[0]);
	read_to_end(pair[1]);
	say("ready %d", pair[1]);
	told_to_go_on();
	if (strcmp(how, "_exit") == 0)
		_exit(status);
	else if (strcmp(how, "_Exit") == 0)
		_Exit(status);
	else if (strcmp(how, "quick_exit") == 0)
		quick_exit(status);
	else if (strcmp(how, "abort") == 0)
		abort();
	else if (strcmp(how, "kill") == 0)
		kill(getpid(), SIGKILL);
	else if (strcmp(how, "crash") == 0)
		*(volatile int *)(intptr_t)(status + 8) = 1;
	else if (strcmp(how, "term") == 0)
		raise(SIGTERM);
	else if (strcmp(how, "exec") == 0)
		execl("/bin/true", "true", NULL);
	else if (strcmp(how, "thread") == 0 &&
	         pthread_create(&thread, NULL, end_from_a_thread, (void *)(intptr_t)status) == 0)
		pause();
	else if (strcmp(how, "pthread_exit") == 0)
		pthread_exit(NULL);
	return status;
}
