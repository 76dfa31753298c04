/* prog_stderr: forgets a connection, and writes lines to stderr before it is told of it and after. */
#include "prog.h"

int main(void)
{
	int pair[2];
	fprintf(stderr, "first line of the program\n");
	connected_pair(pair);
	close(pair[0]);
	read_to_end(pair[1]);
	say("ready");
	while (told_to_go_on()) {
		fprintf(stderr, "next line of the program\n");
		say("written");
	}
	return 0;
}
