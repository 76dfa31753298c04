/*
 * prog_numbers: a healthy connection, and a thread that opens and closes a file at full speed for two seconds: the
 * lowest free number is the one it gets, each time.
 */
#include "prog.h"

int main(void)
{
	int from = listener(1, false), to = connect_to(port_of(from)), fd = accept(from, NULL, NULL);
	if (to < 0 || fd < 0)
		err(3, "connection");
	sleep(1); /* the library has started its thread and looked around */
	int first = open("/dev/null", O_RDONLY);
	unsigned rounds = 0, other = 0;
	struct timespec now, end;
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += 2;
	do {
		close(first);
		other += open("/dev/null", O_RDONLY) != first;
		if (other)
			break;
		rounds++;
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < end.tv_sec || (now.tv_sec == end.tv_sec && now.tv_nsec < end.tv_nsec));
	say("rounds %u", rounds);
	say("other %u", other);
	stay();
	return 0;
}
