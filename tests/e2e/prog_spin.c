/*
 * prog_spin HOW LIMIT: accepts until no descriptor is left, and then tries again every millisecond until stdin ends.
 * "leak": what it accepts is read to its end; "hold": it is kept for later.
 */
#include "prog.h"

static __attribute__((noinline)) void take(int fd, bool reads)
{
	if (reads)
		read_to_end(fd);
	__asm__ volatile("" : : "r"(fd) : "memory");
}

static __attribute__((noinline)) int accept_one(int from)
{
	int fd = accept(from, NULL, NULL);
	__asm__ volatile("" : : "r"(fd) : "memory");
	return fd;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		errx(2, "usage: prog_spin HOW LIMIT");
	struct rlimit limit = {(rlim_t)atoi(argv[2]), (rlim_t)atoi(argv[2])};
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		err(3, "setrlimit");
	int from = listener(128, true), fd;
	for (unsigned failed = 0;; doze(failed ? 1 : 0)) {
		struct pollfd in[2] = {{0, POLLIN, 0}, {from, POLLIN, 0}};
		if (poll(in, 2, -1) < 0 || (in[0].revents && !told_to_go_on()))
			return 0;
		fd = accept_one(from);
		if (fd >= 0)
			take(fd, strcmp(argv[1], "leak") == 0);
		else if (!failed++)
			say("errno %d", errno);
		if (failed == 1000)
			say("spins");
	}
}
