/*
 * prog_lines COUNT: the lines marked here are those that a report has to name: the program's own calls, in helpers that
 * the compiler has inlined.
 */
#include "prog.h"

static volatile int served;

static inline __attribute__((always_inline)) int take(int from)
{
	int fd = accept4(from, NULL, NULL, SOCK_CLOEXEC); /* MARK opened */
	served++;
	return fd;
}

static inline __attribute__((always_inline)) bool more(int fd)
{
	char buf[16];
	ssize_t n = recv(fd, buf, sizeof(buf), 0); /* MARK eof */
	served++;
	return n > 0;
}

static __attribute__((noinline)) void answer(int fd)
{
	if (write(fd, "ok\n", 3) != 3) /* MARK last_use */
		err(3, "write");
	served++;
}

static __attribute__((noinline)) void serve(int from)
{
	int fd = take(from); /* MARK take's caller */
	while (more(fd))     /* MARK more's caller */
		;
	answer(fd);
	served++;
}

int main(int argc, char **argv)
{
	int from = listener(8, true);
	for (int i = 0; i < atoi(argv[argc - 1]); i++)
		serve(from);
	say("ready");
	stay();
	return 0;
}
