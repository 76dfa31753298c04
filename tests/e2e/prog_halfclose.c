/* prog_halfclose relay|sending|waiting PORT: half-closed connections that are meant to be so; and one that is
 * forgotten. */
#include "prog.h"

/* The client has finished; that is told to the server, whose answer may come for a long time. */
static void relay(int from, int port)
{
	char buf[64];
	int client = accept_from(from), server = connect_to(port);
	ssize_t n;
	while ((n = read(client, buf, sizeof(buf))) > 0)
		if (write(server, buf, (size_t)n) != n)
			err(3, "write");
	shutdown(server, SHUT_WR);
	say("ready");
	stay();
}

/* The client has finished asking and is still being answered. */
static void send_on(int from)
{
	int client = accept_from(from), pause_ms = 100;
	struct timeval soon = {0, pause_ms * 1000};
	read_to_end(client);
	say("ready");
	setsockopt(0, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon));
	fcntl(0, F_SETFL, O_NONBLOCK);
	for (char c; read(0, &c, 1) != 0; doze((unsigned)pause_ms))
		if (write(client, "more\n", 5) != 5)
			err(3, "write");
	close(client);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		errx(2, "usage: prog_halfclose relay|sending PORT");
	int from = listener(8, true);
	if (strcmp(argv[1], "relay") == 0)
		relay(from, atoi(argv[2]));
	else
		send_on(from);
	return 0;
}
