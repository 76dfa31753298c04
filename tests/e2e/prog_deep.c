/* prog_deep DEPTH: opens a connection and reads it to its end that many calls below main, and does not close it. */
#include "prog.h"

static __attribute__((noinline)) void leak_below(int depth)
{
	int pair[2];
	if (depth > 0) {
		leak_below(depth - 1);
		__asm__ volatile("" : : "r"(depth) : "memory"); /* no tail call */
		return;
	}
	connected_pair(pair);
	close(pair[0]);
	read_to_end(pair[1]);
}

int main(int argc, char **argv)
{
	leak_below(argc > 1 ? atoi(argv[1]) : 0);
	say("leaked");
	stay();
	return 0;
}
