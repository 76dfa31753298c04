/* prog_backlog [inherited]: accepts one connection and then no more: later ones wait in the backlog. */
#include "prog.h"

int main(int argc, char **argv)
{
	(void)argv;
	int from = listener(64, true);
	if (argc > 1 && fork() == 0) {
		stay();
		_exit(0);
	}
	accept_from(from);
	say("ready");
	if (told_to_go_on())
		for (int i = 0; i < 3; i++)
			close(accept_from(from));
	say("drained");
	stay();
	return 0;
}
