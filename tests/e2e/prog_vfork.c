/*
 * prog_vfork COUNT [exit]: leaks connections and then runs children by vfork that close every descriptor before they
 * exec, or exit.
 */
#include "prog.h"

int main(int argc, char **argv)
{
	int from = listener(64, true), count = argc > 1 ? atoi(argv[1]) : 1, status;
	for (int i = 0; i < count; i++)
		read_to_end(accept_from(from));
	for (int i = 0; i < 50; i++) {
		pid_t child = vfork();
		if (child == 0) {
			close_range(3, ~0U, 0);
			if (argc > 2)
				_exit(0);
			execl("/bin/true", "true", NULL);
			_exit(127);
		}
		if (waitpid(child, &status, 0) != child || status != 0)
			errx(3, "child %d: %d", child, status);
	}
	say("ready");
	stay();
	return 0;
}
