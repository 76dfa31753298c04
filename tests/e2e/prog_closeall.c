/*
 * prog_closeall HOW: after its first connections it closes every descriptor that it did not open, or puts a connection
 * of its own on each of their numbers; then it goes on. Data that passes has to be whole: nobody else reads or writes
 * there.
 */
#include <dirent.h>

#include "prog.h"

static void use_and_close(void)
{
	int pair[2];
	connected_pair(pair);
	close(pair[0]);
	read_to_end(pair[1]);
	close(pair[1]);
}

/* One connection gets all the numbers of descriptors that are not the program's own. */
static void cover_foreign(const int pair[2])
{
	DIR *dir = opendir("/proc/self/fd");
	for (struct dirent *entry; (entry = readdir(dir));) {
		int other = atoi(entry->d_name);
		if (other > 2 && other != dirfd(dir) && other != pair[0] && other != pair[1] &&
		    dup2(pair[1], other) != other)
			err(3, "dup2");
	}
	closedir(dir);
}

static void pass_data(int pair[2])
{
	unsigned char sent[4096], got[4096];
	for (int round = 0; round < 100; round++) {
		size_t have = 0;
		for (size_t i = 0; i < sizeof(sent); i++)
			sent[i] = (unsigned char)(i * 7 + (size_t)round);
		if (write(pair[0], sent, sizeof(sent)) != (ssize_t)sizeof(sent))
			err(3, "write");
		while (have < sizeof(got)) {
			ssize_t n = read(pair[1], got + have, sizeof(got) - have);
			if (n <= 0)
				errx(3, "data is missing in round %d", round);
			have += (size_t)n;
		}
		if (memcmp(sent, got, sizeof(got)) != 0)
			errx(3, "data was changed in round %d", round);
		if (round % 10 == 0)
			use_and_close();
		doze(10);
	}
	fcntl(pair[1], F_SETFL, O_NONBLOCK);
	if (read(pair[1], got, sizeof(got)) >= 0 || errno != EAGAIN)
		errx(3, "data from nowhere");
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "closefrom";
	int pair[2];
	use_and_close();
	doze(500);
	if (strcmp(how, "closefrom") == 0) {
		closefrom(3);
		connected_pair(pair);
	} else if (strcmp(how, "loop") == 0) {
		for (int fd = 3; fd < 70000; fd++)
			close(fd);
		connected_pair(pair);
	} else {
		connected_pair(pair);
		cover_foreign(pair);
	}
	pass_data(pair);
	close(pair[0]);
	read_to_end(pair[1]);
	int more[2];
	connected_pair(more);
	close(more[0]);
	read_to_end(more[1]);
	say("ready");
	stay();
	return 0;
}
