/* prog_peers COUNT PORT: connects so often to the port, and thrice to itself; reads each to its end and closes none. */
#include "prog.h"

int main(int argc, char **argv)
{
	if (argc != 3)
		errx(2, "usage: prog_peers COUNT PORT");
	for (volatile int i = 0; i < atoi(argv[1]); i++)
		read_to_end(connect_to(atoi(argv[2])));
	for (volatile int i = 0; i < 3; i++) {
		int pair[2];
		connected_pair(pair);
		close(pair[0]);
		read_to_end(pair[1]);
	}
	say("ready");
	stay();
	return 0;
}
