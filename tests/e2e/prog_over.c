/*
 * prog_over HOW: what was told and is over, or is told of more than once. After "go": resolved, dead: a leak is closed;
 * twice: one more double close at the same place.
 */
#include "prog.h"

static __attribute__((noinline)) void close_twice(void)
{
	int pair[2];
	connected_pair(pair);
	close(pair[0]);
	close(pair[1]);
	close(pair[1]);
}

static __attribute__((noinline)) void reset_by_peer(int pair[2])
{
	struct linger linger = {1, 0};
	char c;
	setsockopt(pair[0], SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	close(pair[0]);
	if (read(pair[1], &c, 1) >= 0 || errno != ECONNRESET)
		err(3, "read");
}

static __attribute__((noinline)) void end_by_peer(int pair[2])
{
	char c;
	if (send(pair[1], "y", 1, MSG_NOSIGNAL) != 1 || read(pair[0], &c, 1) != 1)
		err(3, "send");
	close(pair[0]);
	read_to_end(pair[1]);
}

int main(int argc, char **argv)
{
	const char *how = argv[argc - 1];
	int pair[2] = {-1, -1};
	bool twice = *how == 't';
	if (!twice) {
		connected_pair(pair);
		(*how == 'd' ? reset_by_peer : end_by_peer)(pair);
		say("ready");
		if (told_to_go_on())
			close(pair[1]);
	}
	do {
		if (twice)
			close_twice();
		say(twice ? "ready" : "done");
	} while (told_to_go_on());
	return 0;
}
