/*
 * work_serve.c: clients and servers in threads; some connections are leaked, reset, half-closed, duplicated, closed
 * twice; the dump signal; sweeps in between. Ends with status 7, or by argument with _exit or quick_exit.
 */
#include "work.h"

enum { CONNECTIONS = 6 };

static int from, port;
static unsigned got[2][CONNECTIONS], bytes[2][CONNECTIONS];

static void *client(void *unused)
{
	for (int i = 0; i < CONNECTIONS; i++) {
		char text[64 + CONNECTIONS];
		int fd = connect_to(port);
		memset(text, 'a' + i, sizeof(text));
		if (!send_all(fd, text, sizeof(text)))
			say("the request was cut");
		shutdown(fd, SHUT_WR);
		got[0][i] = sum_to_end(fd, &bytes[0][i]);
		close(fd);
	}
	return unused;
}

static void *server(void *unused)
{
	char text[3000];
	memset(text, 'z', sizeof(text));
	for (int i = 0; i < CONNECTIONS; i++) {
		int fd = accept_from(from);
		got[1][i] = sum_to_end(fd, &bytes[1][i]);
		if (!send_all(fd, text, sizeof(text) - (size_t)i))
			say("the answer was cut");
		if (i % 2)
			close(fd);
		else
			shutdown(fd, SHUT_WR); /* and forgotten */
	}
	return unused;
}

static void reset_one(void)
{
	struct linger at_once = {1, 0};
	int pair[2];
	char c;
	connected_pair(pair);
	TELL(setsockopt(pair[0], SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)));
	TELL(close(pair[0]));
	TELL(read(pair[1], &c, 1));
	TELL(write(pair[1], "x", 1) < 0 && errno == EPIPE);
}

static void close_twice(void)
{
	int pair[2];
	connected_pair(pair);
	int copy = dup(pair[1]), second = fcntl(pair[0], F_DUPFD_CLOEXEC, 100);
	TELL(opened(copy));
	TELL(second >= 100);
	TELL(dup2(copy, 60));
	TELL(close(pair[1]));
	TELL(close(60));
	TELL(close(60)); /* a number that nobody takes meanwhile */
	TELL(close(copy));
	TELL(recv(second, &second, 1, 0));
	TELL(close(pair[0]));
}

static void run_threads(void)
{
	pthread_t threads[2];
	pthread_create(&threads[0], NULL, server, NULL);
	pthread_create(&threads[1], NULL, client, NULL);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	for (int i = 0; i < CONNECTIONS; i++)
		say("%d: %u %u, %u %u", i, got[0][i], bytes[0][i], got[1][i], bytes[1][i]);
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "return";
	int pair[2];
	faults_mark(FAULTS_BEGIN);
	signal(SIGPIPE, SIG_IGN);
	from = listener(8, false);
	port = port_of(from);
	connected_pair(pair);
	close(pair[0]);
	read_to_end(pair[1]);
	run_threads();
	reset_one();
	close_twice();
	doze(250);
	ask_for_a_dump();
	connected_pair(pair);
	TELL(write(pair[0], "unread", 6));
	close(pair[0]);
	doze(100);
	TELL(close_range(1000, ~0u, 0));
	say("over");
	faults_mark(FAULTS_END);
	if (!strcmp(how, "_exit"))
		_exit(7);
	if (!strcmp(how, "quick_exit"))
		quick_exit(7);
	return 7;
}
