/* prog_cancel: threads are cancelled inside recv, read, recvmsg, accept, send and a lingering close. */
#include "prog.h"

static int port, from;
static _Atomic int cleaned;

static void cleanup(void *unused)
{
	(void)unused;
	cleaned++;
}

static int quiet_connection(void)
{
	int fd = connect_to(port);
	accept_from(from);
	return fd;
}

static void *in_recv(void *unused)
{
	char c;
	pthread_cleanup_push(cleanup, NULL);
	recv(quiet_connection(), &c, 1, 0);
	pthread_cleanup_pop(0);
	return unused;
}

static void *in_read(void *unused)
{
	char c;
	pthread_cleanup_push(cleanup, NULL);
	if (read(quiet_connection(), &c, 1) >= 0)
		c = 0;
	pthread_cleanup_pop(0);
	return unused;
}

static void *in_recvmsg(void *unused)
{
	struct msghdr msg = {0};
	pthread_cleanup_push(cleanup, NULL);
	recvmsg(quiet_connection(), &msg, MSG_WAITALL);
	recvmsg(quiet_connection(), &msg, MSG_WAITALL);
	pause();
	pthread_cleanup_pop(0);
	return unused;
}

static void *in_accept(void *unused)
{
	pthread_cleanup_push(cleanup, NULL);
	accept(listener(1, false), NULL, NULL);
	pthread_cleanup_pop(0);
	return unused;
}

/* A write that the other side does not take. */
static void *in_send(void *unused)
{
	static char much[1 << 16];
	int fd = quiet_connection();
	pthread_cleanup_push(cleanup, NULL);
	while (send(fd, much, sizeof(much), 0) > 0)
		;
	pthread_cleanup_pop(0);
	return unused;
}

/* SO_LINGER makes close wait for what cannot be sent. */
static void *in_close(void *unused)
{
	static char much[1 << 16];
	struct linger wait = {1, 60};
	int fd = quiet_connection();
	while (send(fd, much, sizeof(much), MSG_DONTWAIT) > 0)
		;
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &wait, sizeof(wait));
	pthread_cleanup_push(cleanup, NULL);
	close(fd);
	pthread_cleanup_pop(0);
	return unused;
}

static void cancel_in(const char *name, void *(*run)(void *))
{
	pthread_t thread;
	void *result = NULL;
	int before = cleaned;
	if (pthread_create(&thread, NULL, run, NULL))
		errx(3, "thread");
	doze(150);
	pthread_cancel(thread);
	pthread_join(thread, &result);
	say("%s %s cleaned %d", name, result == PTHREAD_CANCELED ? "cancelled" : "returned", cleaned - before);
}

int main(void)
{
	from = listener(64, false);
	port = port_of(from);
	cancel_in("recv", in_recv);
	cancel_in("read", in_read);
	cancel_in("recvmsg", in_recvmsg);
	cancel_in("accept", in_accept);
	cancel_in("send", in_send);
	cancel_in("close", in_close);
	int pair[2];
	connected_pair(pair);
	close(pair[0]);
	read_to_end(pair[1]);
	say("ready");
	stay();
	return 0;
}
