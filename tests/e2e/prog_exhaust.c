/* prog_exhaust LIMIT: leaks every connection until accept fails with EMFILE, and stays so. */
#include "prog.h"

int main(int argc, char **argv)
{
	if (argc != 2)
		errx(2, "usage: prog_exhaust LIMIT");
	struct rlimit limit = {(rlim_t)atoi(argv[1]), (rlim_t)atoi(argv[1])};
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		err(3, "setrlimit");
	int from = listener(128, true), fd;
	while ((fd = accept(from, NULL, NULL)) >= 0)
		read_to_end(fd);
	say("errno %d", errno);
	stay();
	return 0;
}
