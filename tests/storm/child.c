/*
 * child.c PORT: what the storm executes: built plainly, statically and with musl. Exchanges a few bytes with the server
 * there, leaks the connection, and ends with 42.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct linger reset = {1, 0};
	char text[16];
	to.sin_port = htons((unsigned short)(argc > 1 ? atoi(argv[1]) : 0));
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return 3;
	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) < 0 || send(fd, "Q child", 7, 0) != 7)
		return 4;
	if (recv(fd, text, 7, MSG_WAITALL) != 7 || memcmp(text, "Q child", 7))
		return 5;
	return recv(fd, text, 1, 0) == 0 ? 42 : 6;
}
