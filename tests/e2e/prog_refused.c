/*
 * prog_refused HOW COUNT PORT: connects to a port that refuses. HOW: "block" and "poll" (the connect does not block,
 * and SO_ERROR says that it failed) forget the sockets; "retry" and "repoll" try again on one and the same for six
 * seconds and close it; "fresh" makes sockets and does not connect them.
 */
#include "prog.h"

static int port;

static __attribute__((noinline)) int dial(int fd)
{
	struct sockaddr_in to = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
	return connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ? errno : 0;
}

static int dial_and_wait(int fd)
{
	struct pollfd one = {.fd = fd, .events = POLLOUT};
	int error = dial(fd);
	socklen_t len = sizeof(error);
	if (error == EINPROGRESS && (poll(&one, 1, -1) != 1 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0))
		err(3, "poll");
	return error;
}

static int new_socket(bool blocks)
{
	int fd = socket(AF_INET, SOCK_STREAM | (blocks ? 0 : SOCK_NONBLOCK), 0);
	if (fd < 0)
		err(3, "socket");
	return fd;
}

int main(int argc, char **argv)
{
	if (argc != 4)
		errx(2, "usage: prog_refused block|poll|retry|repoll|fresh COUNT PORT");
	const char *how = argv[1];
	bool blocks = strstr(how, "poll") == NULL, again = how[0] == 'r', fresh = how[0] == 'f';
	port = atoi(argv[3]);
	for (int i = 0; i < atoi(argv[2]); i++) {
		int fd = new_socket(blocks);
		for (int tries = fresh ? 0 : again ? 60 : 1; tries; tries--) {
			int error = dial_and_wait(fd);
			/* After SO_ERROR was asked, the next call but says that the attempt is over. */
			if (error != ECONNREFUSED && !(again && error == ECONNABORTED))
				errx(3, "the connect ended with %d", error);
			if (again)
				doze(100);
		}
		if (again)
			close(fd);
	}
	say("ready");
	stay();
	return 0;
}
