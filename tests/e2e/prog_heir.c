/*
 * prog_heir WHAT: has inherited a connection as descriptor 10. "reap": reads its end and forgets it; "drain": reads
 * a byte and closes it. Ends with descriptor 11's other end.
 */
#include "prog.h"

enum { HEIRLOOM = 10, END = 11 };

int main(int argc, char **argv)
{
	char byte;
	bool drain = argc == 2 && strcmp(argv[1], "drain") == 0;
	if (read(HEIRLOOM, &byte, 1) != drain)
		errx(3, "the end, or the byte in front of it, was not read");
	if (drain && close(HEIRLOOM) < 0)
		err(3, "close");
	while (read(END, &byte, 1) > 0)
		;
	return 0;
}
