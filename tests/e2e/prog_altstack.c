/*
 * prog_altstack [warm]: opens, reads to the end and closes connections in a handler on a signal stack of the usual
 * size, with nothing mapped below it.
 */
#include "prog.h"

#include <sys/mman.h>

enum { SIZE = 8192, GUARD = 65536 }; /* SIGSTKSZ on x86-64 */

static int pairs[40][2];
static volatile sig_atomic_t handled;

static void on_signal(int number)
{
	char byte;
	int *pair = pairs[handled];
	(void)number;
	close(socket(AF_INET, SOCK_STREAM, 0));
	if (!pair[1])
		return; /* nothing but a socket, and it was the first one */
	close(pair[0]);
	if (read(pair[1], &byte, 1) == 0)
		handled = handled + 1; /* and is not closed */
}

int main(int argc, char **argv)
{
	char *memory = mmap(NULL, GUARD + SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool warm = argc > 1 && strcmp(argv[1], "warm") == 0;
	stack_t stack = {.ss_sp = memory + GUARD, .ss_size = SIZE};
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
	if (memory == MAP_FAILED || mprotect(memory + GUARD, SIZE, PROT_READ | PROT_WRITE) < 0 ||
	    sigaltstack(&stack, NULL) < 0 || sigaction(SIGUSR1, &action, NULL) < 0)
		err(3, "altstack");
	for (int i = 0; warm && i < 40; i++)
		connected_pair(pairs[i]);
	for (int i = 0; i < 40; i++)
		raise(SIGUSR1);
	say("handled %d", (int)handled);
	stay();
	return 0;
}
