/*
 * prog_sigbus MODE: SIGBUS for reasons of the program's own, while the library's thread runs.
 *
 * fault: a file of its own is cut short while it is mapped; handled: the same, with a handler; sent: by kill; waited:
 * sent to a process whose threads all block it, and one waits for it.
 */
#include "prog.h"

#include <sys/mman.h>

static void fault(void)
{
	FILE *file = tmpfile();
	if (!file || ftruncate(fileno(file), 4096) < 0)
		err(3, "tmpfile");
	volatile char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0);
	if (page == MAP_FAILED || ftruncate(fileno(file), 0) < 0)
		err(3, "mmap");
	page[0] = 1;
}

static void on_bus(int number)
{
	say("handled %d", number);
	_exit(5);
}

int main(int argc, char **argv)
{
	const char *mode = argv[argc - 1];
	sigset_t set;
	sigfillset(&set);
	if (strcmp(mode, "waited") == 0)
		pthread_sigmask(SIG_BLOCK, &set, NULL);
	listener(1, true);
	if (!told_to_go_on())
		return 3;
	if (strcmp(mode, "handled") == 0)
		signal(SIGBUS, on_bus);
	if (strcmp(mode, "sent") == 0)
		kill(getpid(), SIGBUS);
	if (strcmp(mode, "waited") == 0) {
		int number = 0;
		kill(getpid(), SIGBUS);
		sigemptyset(&set);
		sigaddset(&set, SIGBUS);
		sigwait(&set, &number);
		say("waited %d", number);
		return 6;
	}
	fault();
	return 4;
}
