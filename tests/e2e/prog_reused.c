/*
 * prog_reused HOW PORT: the number of a closed connection is taken by a file, whose opening no wrapper sees, and a call
 * on that file fails with EBADF, though the descriptor is open or was the file's.
 */
#include "prog.h"

static int take_number(int wanted, int flags)
{
	int file = open("/dev/null", flags);
	if (file != wanted)
		errx(3, "the file is %d, the connection was %d", file, wanted);
	return file;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		errx(2, "usage: prog_reused readonly|writeonly|path|closed|closed-twice PORT");
	const char *how = argv[1];
	char buf[8];
	int fd = connect_to(atoi(argv[2]));
	long result = -2;
	close(fd);
	if (strcmp(how, "readonly") == 0) {
		result = write(take_number(fd, O_RDONLY), "x", 1);
	} else if (strcmp(how, "writeonly") == 0) {
		result = read(take_number(fd, O_WRONLY), buf, sizeof(buf));
	} else if (strcmp(how, "path") == 0) {
		result = read(take_number(fd, O_PATH), buf, sizeof(buf));
	} else if (strcmp(how, "closed") == 0) {
		close(take_number(fd, O_RDONLY));
		result = read(fd, buf, sizeof(buf));
	} else if (strcmp(how, "closed-twice") == 0) {
		close(take_number(fd, O_RDONLY));
		result = close(fd);
	}
	say("result %ld %d", result, errno);
	say("ready");
	stay();
	return 0;
}
