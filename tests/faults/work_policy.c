/*
 * work_policy.c: for a policy that enforces: connections that are drained, lingered on, reaped and ended in FIN_WAIT2.
 * What a peer gets is said only as far as no policy changes it: its response is whole before it is closed.
 */
#include "work.h"

enum { RESPONSE = 20000 };

static int from, port, leaked;
static unsigned whole;

static void *client(void *unused)
{
	char buf[1000];
	for (int i = 0; i < 5; i++) {
		int fd = connect_to(port), left = RESPONSE;
		send_all(fd, "request", 7);
		while (left > 0) {
			ssize_t n = recv(fd, buf, left < (int)sizeof(buf) ? (size_t)left : sizeof(buf), 0);
			if (n <= 0)
				break;
			left -= (int)n;
		}
		whole += left == 0;
		send_all(fd, "more, which nobody reads", 24);
		if (i < 4)
			close(fd); /* the last one's peer stays in FIN_WAIT2 */
	}
	return unused;
}

/* What is leaked is reaped meanwhile, where there is a policy and nothing fails. */
static void wait_for_the_reaper(int fd)
{
	struct tcp_info info;
	for (int i = 0; i < 70; i++) {
		socklen_t len = sizeof(info);
		doze(10);
		if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 && info.tcpi_state != TCP_CLOSE_WAIT)
			break;
	}
}

static void serve(int i)
{
	static char response[RESPONSE];
	char text[7];
	int fd = accept_from(from), on = 1;
	TELL(opened(fd));
	TELL(recv(fd, text, sizeof(text), MSG_WAITALL));
	TELL(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)));
	TELL(send_all(fd, response, sizeof(response)));
	if (i == 0) {
		TELL(close(fd)); /* drained */
	} else if (i == 1) {
		TELL(shutdown(fd, SHUT_WR));
		read_to_end(fd);
		TELL(close(fd));
	} else if (i == 2) {
		FILE *stream = fdopen(fd, "r+");
		TELL(stream != NULL);
		TELL(fclose(stream));
	} else if (i == 3) {
		read_to_end(fd); /* leaked */
		leaked = fd;
	} else {
		TELL(shutdown(fd, SHUT_WR)); /* FIN_WAIT2 */
	}
}

int main(void)
{
	pthread_t thread;
	faults_mark(FAULTS_BEGIN);
	signal(SIGPIPE, SIG_IGN);
	from = listener(8, false);
	port = port_of(from);
	pthread_create(&thread, NULL, client, NULL);
	for (int i = 0; i < 5; i++)
		serve(i);
	pthread_join(thread, NULL);
	say("whole: %u", whole);
	wait_for_the_reaper(leaked);
	ask_for_a_dump();
	doze(50);
	say("over");
	faults_mark(FAULTS_END);
	return 3;
}
