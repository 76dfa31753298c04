/*
 * calls.c: times calls in slices, on request: each line of input "WHAT NANOSECONDS" is answered by "CALLS NANOSECONDS".
 *
 * The driver gives slices to differently loaded copies of this program in turn, so that the machine's moods hit all of
 * them alike. WHAT: recv (one byte that is there), eagain (a recv of nothing), write (one byte), connection (connect,
 * accept, a request, an answer and both closes).
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 4096, CONNECTIONS = 16 };

static int listener, near_end, far_end;
static struct sockaddr_in address;
static char buffer[BATCH];

static void need(int good, const char *what)
{
	if (!good) {
		perror(what);
		exit(1);
	}
}

/* Of this thread alone: what other processes take on a busy machine is not the call's cost. */
static uint64_t cpu_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int dial(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	need(fd >= 0 && !connect(fd, (struct sockaddr *)&address, sizeof address), "connect");
	return fd;
}

static void setup(void)
{
	socklen_t len = sizeof address;
	int on = 1;
	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	need(!bind(listener, (struct sockaddr *)&address, sizeof address) && !listen(listener, 128), "listen");
	need(!getsockname(listener, (struct sockaddr *)&address, &len), "getsockname");
	near_end = dial();
	far_end = accept4(listener, NULL, NULL, 0);
	need(far_end >= 0, "accept4");
	/* Corked: a write of one byte only appends to what is queued, and no segment's cost hides the call's. */
	need(!setsockopt(near_end, IPPROTO_TCP, TCP_CORK, &on, sizeof on), "TCP_CORK");
}

static uint64_t time_recv(void)
{
	need(send(far_end, buffer, BATCH, 0) == BATCH, "send");
	uint64_t start = cpu_ns();
	for (int i = 0; i < BATCH; i++)
		need(recv(near_end, buffer, 1, 0) == 1, "recv");
	return cpu_ns() - start;
}

static uint64_t time_eagain(void)
{
	uint64_t start = cpu_ns();
	for (int i = 0; i < BATCH; i++)
		need(recv(near_end, buffer, 1, MSG_DONTWAIT) < 0, "recv of nothing");
	return cpu_ns() - start;
}

static uint64_t time_write(void)
{
	uint64_t start = cpu_ns();
	for (int i = 0; i < BATCH; i++)
		need(write(near_end, buffer, 1) == 1, "write");
	uint64_t taken = cpu_ns() - start;
	while (recv(far_end, buffer, BATCH, MSG_DONTWAIT) > 0)
		;
	return taken;
}

static uint64_t time_connections(void)
{
	char byte = 'q';
	uint64_t start = cpu_ns();
	for (int i = 0; i < CONNECTIONS; i++) {
		int client = dial(), server = accept4(listener, NULL, NULL, 0);
		need(server >= 0, "accept4");
		need(write(client, &byte, 1) == 1 && read(server, &byte, 1) == 1, "request");
		need(write(server, &byte, 1) == 1 && read(client, &byte, 1) == 1, "answer");
		close(client);
		need(read(server, &byte, 1) == 0, "end");
		close(server);
	}
	return cpu_ns() - start;
}

static const struct {
	const char *name;
	uint64_t (*time)(void);
	uint64_t calls;
} whats[] = {
    {"recv", time_recv, BATCH},
    {"eagain", time_eagain, BATCH},
    {"write", time_write, BATCH},
    {"connection", time_connections, CONNECTIONS},
};

static void slice(const char *what, uint64_t length)
{
	for (size_t i = 0; i < sizeof whats / sizeof *whats; i++) {
		if (strcmp(whats[i].name, what))
			continue;
		uint64_t calls = 0, taken = 0;
		while (taken < length) {
			taken += whats[i].time();
			calls += whats[i].calls;
		}
		printf("%llu %llu\n", (unsigned long long)calls, (unsigned long long)taken);
		fflush(stdout);
		return;
	}
	exit(2);
}

int main(void)
{
	char line[128], what[32];
	unsigned long long length;
	setup();
	while (fgets(line, sizeof line, stdin)) {
		need(sscanf(line, "%31s %llu", what, &length) == 2, "a line of input");
		slice(what, length);
	}
	return 0;
}
