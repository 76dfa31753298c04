/* prog_misuse HOW PORT: closes a connection twice, or uses it after it was closed. Prints what the call answered. */
#include "prog.h"

int main(int argc, char **argv)
{
	if (argc != 3)
		errx(2, "usage: prog_misuse double|read|send|recv|shutdown|setsockopt PORT");
	char buf[8];
	int fd = connect_to(atoi(argv[2])), on = 1;
	long result = -2;
	close(fd);
	errno = 0;
	if (strcmp(argv[1], "double") == 0)
		result = close(fd);
	else if (strcmp(argv[1], "read") == 0)
		result = read(fd, buf, sizeof(buf));
	else if (strcmp(argv[1], "recv") == 0)
		result = recv(fd, buf, sizeof(buf), 0);
	else if (strcmp(argv[1], "send") == 0)
		result = send(fd, "x", 1, MSG_NOSIGNAL);
	else if (strcmp(argv[1], "shutdown") == 0)
		result = shutdown(fd, SHUT_RDWR);
	else if (strcmp(argv[1], "setsockopt") == 0)
		result = setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	say("result %ld %d", result, errno);
	stay();
	return 0;
}
