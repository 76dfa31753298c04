/*
 * prog_rebind: binds a port, listens on it and closes it, over and over, for two seconds: it is free again at once,
 * each time. A second holder of the listener, however brief, would have it in use.
 */
#include "prog.h"

int main(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int first = listener(1, false);
	unsigned rounds = 0, busy = 0;
	struct timespec now, end;
	at.sin_port = htons((uint16_t)port_of(first));
	close(first);
	int pair[2];
	connected_pair(pair); /* something to look at meanwhile */
	close(pair[0]);
	read_to_end(pair[1]);
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += 2;
	do {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		busy += bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 1) < 0;
		close(fd);
		rounds++;
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < end.tv_sec || (now.tv_sec == end.tv_sec && now.tv_nsec < end.tv_nsec));
	say("rounds %u", rounds);
	say("busy %u", busy);
	stay();
	return 0;
}
