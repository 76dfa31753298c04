/*
 * prog_library_use LIBRARY: connections whose only uses are in the library. One is read from and forgotten; when told,
 * it is written to again, then three more of the same place are read from, in functions of their own, and forgotten.
 */
#include <dlfcn.h>

#include "prog.h"

static ssize_t (*fill)(int fd, void *bytes, size_t size);
static ssize_t (*flush)(int fd, const void *bytes, size_t size);

#define KEEP_FRAME(fd, name) __asm__ volatile("/* " name " */" : : "r"(fd) : "memory")

static __attribute__((noinline)) void first_request(int fd)
{
	char byte;
	if (fill(fd, &byte, 1) != 1)
		err(3, "fill");
	KEEP_FRAME(fd, "first");
}

static __attribute__((noinline)) void later_request(int fd)
{
	char byte;
	if (fill(fd, &byte, 1) != 1)
		err(3, "fill");
	KEEP_FRAME(fd, "later");
}

static __attribute__((noinline)) void late_answer(int fd)
{
	if (flush(fd, "y", 1) < 0)
		err(3, "flush");
	KEEP_FRAME(fd, "late");
}

static __attribute__((noinline)) int open_one(void)
{
	int pair[2];
	connected_pair(pair);
	if (write(pair[0], "x", 1) != 1)
		err(3, "write");
	close(pair[0]);
	KEEP_FRAME(pair[1], "open");
	return pair[1];
}

int main(int argc, char **argv)
{
	void *library = argc == 2 ? dlopen(argv[1], RTLD_NOW) : NULL;
	fill = library ? (ssize_t(*)(int, void *, size_t))dlsym(library, "reader_fill") : NULL;
	flush = library ? (ssize_t(*)(int, const void *, size_t))dlsym(library, "reader_flush") : NULL;
	if (!fill || !flush)
		errx(2, "usage: prog_library_use LIBRARY");
	signal(SIGPIPE, SIG_IGN);
	volatile int fds[4], opened = 0;
	do {
		fds[opened] = open_one();
		if (opened)
			later_request(fds[opened]);
		else
			first_request(fds[opened]);
		if (opened == 0 || opened == 3) {
			say("ready");
			if (!told_to_go_on())
				return 0;
			if (opened == 0)
				late_answer(fds[0]);
		}
	} while (++opened < 4);
	return 0;
}
