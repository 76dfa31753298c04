/* prog_till: opens sockets until there is no descriptor left; after the first one it waits for a word. */
#include "prog.h"

int main(void)
{
	int n = 0;
	if (socket(AF_INET, SOCK_STREAM, 0) < 0)
		err(3, "socket");
	say("first");
	told_to_go_on();
	for (n = 1; socket(AF_INET, SOCK_STREAM, 0) >= 0; n++)
		;
	say("sockets %d", n);
	say("errno %d", errno);
	stay();
	return 0;
}
