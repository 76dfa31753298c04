/*
 * prog_header WAIT_MS: uses everything in closeguard.h on one leaked connection and prints what each function returned.
 * Valid as C and as C++, so it does without prog.h.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "closeguard.h"

static void connect_pair(int pair[2])
{
	struct sockaddr_in at;
	socklen_t len = sizeof(at);
	int from = socket(AF_INET, SOCK_STREAM, 0);
	memset(&at, 0, sizeof(at));
	at.sin_family = AF_INET;
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	pair[0] = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(from, (struct sockaddr *)&at, len) < 0 || listen(from, 1) < 0 ||
	    getsockname(from, (struct sockaddr *)&at, &len) < 0 || connect(pair[0], (struct sockaddr *)&at, len) < 0)
		exit(3);
	pair[1] = accept(from, NULL, NULL);
	close(from);
	if (pair[1] < 0)
		exit(3);
}

int main(int argc, char **argv)
{
	int pair[2];
	char c;
	connect_pair(pair);
	printf("present %d\n", closeguard_present());
	printf("label %d\n", closeguard_label(pair[1], "the orders pool"));
	printf("label_bad %d\n", closeguard_label(-1, "nothing"));
	printf("ignore_bad %d\n", closeguard_ignore(0, "a pipe or /dev/null"));
	printf("check_open %zu\n", closeguard_check());
	close(pair[0]);
	if (read(pair[1], &c, 1) != 0)
		return 3;
	printf("check_young %zu\n", closeguard_check());
	printf("check_older %zu\n", closeguard_check_older(3600000));
	usleep(argc > 1 ? (useconds_t)atoi(argv[1]) * 1000 : 0);
	printf("check_leaked %zu\n", closeguard_check());
	printf("check_older_now %zu\n", closeguard_check_older(1000));
	printf("ignore %d\n", closeguard_ignore(pair[1], "the test is done with it"));
	printf("check_ignored %zu\n", closeguard_check());
	close(pair[1]);
	return 0;
}
