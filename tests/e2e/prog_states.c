/*
 * prog_states: holds a socket of each kind that `closeguard scan` tells apart, and waits.
 *
 * "states fork" has a child that shares them all.
 */
#include "prog.h"

/* Accepted, and the peer has written `bytes` and gone. */
static int left_by_peer(int from, size_t bytes)
{
	static const char data[128];
	int peer = connect_to(port_of(from)), fd = accept_from(from);
	if (bytes && write(peer, data, bytes) != (ssize_t)bytes)
		err(3, "write");
	close(peer);
	return fd;
}

/* Ended by a reset: the peer closes with data unread. */
static int dead(int from)
{
	int peer = connect_to(port_of(from)), fd = accept_from(from);
	if (write(fd, "x", 1) != 1)
		err(3, "write");
	while (poll(&(struct pollfd){peer, POLLIN, 0}, 1, 1000) < 0)
		;
	close(peer);
	return fd;
}

int main(int argc, char **argv)
{
	int from = listener(8, true), shut[2];
	(void)argv;
	int told = left_by_peer(from, 0);
	read_to_end(told);
	say("eof_ignored %d", told);
	say("fin_unread %d", left_by_peer(from, 0));
	int half = left_by_peer(from, 100);
	char some[60];
	if (read(half, some, sizeof(some)) != sizeof(some))
		errx(3, "half a read");
	say("data_unread %d", half);
	shut[0] = connect_to(port_of(from));
	shut[1] = accept_from(from);
	shutdown(shut[0], SHUT_WR);
	say("fin_wait2 %d", shut[0]);
	say("half_told %d", shut[1]);
	say("dead %d", dead(from));
	say("new %d", socket(AF_INET, SOCK_STREAM, 0));
	for (int i = 0; i < 3; i++)
		close(connect_to(port_of(from)));
	connect_to(port_of(from));
	pid_t child = argc > 1 ? fork() : -1;
	if (child == 0) {
		stay();
		return 0;
	}
	say("child %d", child);
	stay();
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	return 0;
}
