/*
 * prog_busy_numbers: forgets a connection, over and over, so that there is always more to tell, and opens and closes a
 * file meanwhile: the lowest free number is the one it gets, each time.
 */
#include "prog.h"

static double seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(void)
{
	unsigned rounds = 0, other = 0, forgotten = 0;
	double start = seconds();
	while (seconds() - start < 4) {
		int pair[2];
		connected_pair(pair);
		close(pair[0]);
		read_to_end(pair[1]);
		forgotten++;
		int file = open("/dev/null", O_RDONLY);
		double leaked = seconds();
		while (seconds() - leaked < 0.2) {
			close(file);
			other += open("/dev/null", O_RDONLY) != file;
			rounds++;
		}
		close(file);
	}
	say("rounds %u", rounds);
	say("other %u", other);
	say("forgotten %u", forgotten);
	stay();
	return 0;
}
