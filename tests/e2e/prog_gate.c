/*
 * prog_gate HOW COUNT MS: takes in COUNT connections, whose peers leave, reads their ends and keeps them for MS
 * milliseconds. HOW: "keep" ends with them open, "shutdown" closes them and then the listener, "close" closes them,
 * goes on for two seconds, and ends.
 */
#include "prog.h"

int main(int argc, char **argv)
{
	enum { MOST = 64 };
	if (argc != 4)
		errx(2, "usage: prog_gate keep|shutdown|close COUNT MS");
	int held[MOST], count = atoi(argv[2]) < MOST ? atoi(argv[2]) : MOST, from = listener(MOST, false);
	for (int i = 0; i < count; i++) {
		int peer = connect_to(port_of(from));
		held[i] = accept_from(from);
		close(peer);
		read_to_end(held[i]);
	}
	doze(atoi(argv[3]));
	if (strcmp(argv[1], "keep") != 0)
		while (count)
			close(held[--count]);
	if (strcmp(argv[1], "close") == 0)
		doze(2000);
	close(from);
	return 0;
}
