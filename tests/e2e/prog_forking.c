/* prog_forking COUNT: a server that forks for each connection and forgets to close its own copy. */
#include "prog.h"

int main(int argc, char **argv)
{
	int from = listener(8, true);
	for (int i = 0; i < atoi(argv[argc - 1]); i++) {
		int fd = accept_from(from);
		pid_t child = fork();
		if (child == 0) {
			read_to_end(fd);
			close(fd);
			_exit(0);
		}
		waitpid(child, NULL, 0);
	}
	say("ready");
	stay();
	return 0;
}
