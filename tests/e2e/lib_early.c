/* lib_early: a preloaded library whose constructor and destructor use sockets, before and after everybody else's. */
#include "prog.h"

static void use_sockets(void)
{
	int pair[2], copy;
	connected_pair(pair);
	copy = dup(pair[1]);
	if (write(pair[0], "x", 1) != 1)
		err(3, "write");
	shutdown(pair[0], SHUT_WR);
	read_to_end(pair[1]);
	close(pair[0]);
	close(pair[1]);
	close(copy);
	free(calloc(1, 100));
}

__attribute__((constructor(101))) static void early(void)
{
	use_sockets();
}

__attribute__((destructor(101))) static void late(void)
{
	use_sockets();
}
