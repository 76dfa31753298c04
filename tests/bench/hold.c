/*
 * hold.c: holds idle connections until the end of its input.
 *
 *   hold far               accepts whatever comes; prints its port first
 *   hold near ADDR PORT N  opens N connections to it; prints "ready" when they are there
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static void need(int good, const char *what)
{
	if (!good) {
		perror(what);
		exit(1);
	}
}

static int far_ends(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	need(!bind(listener, (struct sockaddr *)&address, len) && !listen(listener, 4096), "listen");
	need(!getsockname(listener, (struct sockaddr *)&address, &len), "getsockname");
	printf("%d\n", ntohs(address.sin_port));
	fflush(stdout);
	struct pollfd wait[2] = {{.fd = listener, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
	while (poll(wait, 2, -1) > 0 && !wait[1].revents)
		need(accept(listener, NULL, NULL) >= 0, "accept");
	return 0;
}

static int near_ends(const char *to, const char *port, int count)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(port))};
	char byte;
	need(inet_pton(AF_INET, to, &address.sin_addr) == 1, "address");
	for (int i = 0; i < count; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		need(fd >= 0 && !connect(fd, (struct sockaddr *)&address, sizeof address), "connect");
	}
	puts("ready");
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	return 0;
}

int main(int argc, char **argv)
{
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (argc == 2 && !strcmp(argv[1], "far"))
		return far_ends();
	if (argc == 5 && !strcmp(argv[1], "near"))
		return near_ends(argv[2], argv[3], atoi(argv[4]));
	return 2;
}
