/* instructions.c: "instructions recv|write N": so many calls of one byte, for an instruction count by callgrind. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char buffer[1 << 16];

static int pair(int *ret_far)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0), near_end = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, (struct sockaddr *)&address, len) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&address, &len) ||
	    connect(near_end, (struct sockaddr *)&address, len))
		exit(1);
	setsockopt(near_end, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
	*ret_far = accept(listener, NULL, NULL);
	close(listener);
	return near_end;
}

int main(int argc, char **argv)
{
	int far_end, near_end = pair(&far_end);
	int count = argc == 3 ? atoi(argv[2]) : 0;
	if (count <= 0 || count > (int)sizeof buffer)
		return 2;
	/* One send of all bytes: the number of other calls does not depend on the count. */
	if (send(far_end, buffer, (size_t)count, 0) != count)
		return 1;
	for (int i = 0; i < count; i++) {
		if ((strcmp(argv[1], "recv") ? write(near_end, "", 1) : recv(near_end, buffer, 1, MSG_WAITALL)) != 1)
			return 1;
	}
	return 0;
}
