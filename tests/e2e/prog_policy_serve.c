/*
 * prog_policy_serve.c: a server that answers more than it has asked: it reads the beginning of each request, sends a
 * response of SIZE bytes and closes, in the way that its first argument names. The second says how many connections it
 * serves. At the end: "served N close_us LONGEST stale EVENTS", where EVENTS came for connections already closed.
 */
#include "prog.h"

#include <sys/epoll.h>
#include <sys/syscall.h>

enum { REQUEST = 1000, SIZE = 1 << 20, SETS = 2, MOST = 4096 };

static char response[SIZE];
static long longest_us;
static int null_fd;

static long now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Ways to close. */

static void close_plainly(int fd)
{
	close(fd);
}

static void close_raw(int fd)
{
	syscall(SYS_close, fd);
}

static void close_by_dup2(int fd)
{
	dup2(null_fd, fd);
	close(fd);
}

static void timed(void (*closer)(int fd), int fd)
{
	long start = now_us(), took;
	closer(fd);
	took = now_us() - start;
	longest_us = took > longest_us ? took : longest_us;
}

static void read_request(int fd)
{
	char buf[REQUEST];
	for (size_t n = 0; n < sizeof buf;) {
		ssize_t r = read(fd, buf + n, sizeof buf - n);
		if (r < 0 && errno == EAGAIN)
			poll(&(struct pollfd){fd, POLLIN, 0}, 1, -1);
		else if (r <= 0)
			err(3, "read");
		else
			n += (size_t)r;
	}
}

static void send_response(int fd)
{
	for (size_t n = 0; n < SIZE;) {
		ssize_t r = write(fd, response + n, SIZE - n);
		if (r < 0 && errno == EAGAIN)
			poll(&(struct pollfd){fd, POLLOUT, 0}, 1, -1);
		else if (r < 0)
			err(3, "write");
		else
			n += (size_t)r;
	}
}

static void serve(int fd, void (*closer)(int fd))
{
	read_request(fd);
	send_response(fd);
	timed(closer, fd);
}

/* The last part of the response waits in the stream until fclose. */
static void serve_stream(int fd)
{
	static char room[1 << 16];
	FILE *out = fdopen(fd, "w");
	read_request(fd);
	setvbuf(out, room, _IOFBF, sizeof room);
	if (!out || fwrite(response, 1, SIZE - 1, out) != SIZE - 1 || fputc('x', out) == EOF || fclose(out) != 0)
		err(3, "stream");
}

static void serve_in_a_child(int from, int fd, bool in_a_hurry)
{
	pid_t pid = fork();
	if (pid == 0) {
		close(from);
		serve(fd, close_plainly);
		if (in_a_hurry)
			_exit(0);
		exit(0);
	}
	close(fd);
	waitpid(pid, NULL, 0);
}

static void serve_in_workers(int from, int rounds)
{
	for (int i = 0; i < 2; i++) {
		if (fork() != 0)
			continue;
		for (int n = 0; n < rounds / 2; n++)
			serve(accept_from(from), close_plainly);
		exit(0);
	}
	while (wait(NULL) > 0)
		;
}

/* An event loop. Each connection's number is its data; what was closed must not come up again. */

static struct {
	int fd;
	size_t read, written;
	bool closed;
} connections[MOST];

static int sets[SETS], set_count;
static long stale;

static void add(int number, int fd)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP, .data.u32 = (uint32_t)number};
	for (int i = 0; i < set_count; i++)
		if (epoll_ctl(sets[i], EPOLL_CTL_ADD, fd, &event) < 0)
			err(3, "epoll_ctl");
}

/* True when it is over. */
static bool go_on(int number)
{
	char buf[REQUEST];
	int fd = connections[number].fd;
	ssize_t r;
	while (connections[number].read < REQUEST) {
		r = read(fd, buf, REQUEST - connections[number].read);
		if (r <= 0)
			return false;
		connections[number].read += (size_t)r;
	}
	while (connections[number].written < SIZE) {
		r = write(fd, response + connections[number].written, SIZE - connections[number].written);
		if (r < 0)
			return false;
		connections[number].written += (size_t)r;
	}
	return true;
}

static int handle(int set, int timeout)
{
	struct epoll_event events[64];
	int over = 0, n = epoll_wait(sets[set], events, 64, timeout);
	for (int i = 0; i < n; i++) {
		int number = (int)events[i].data.u32;
		if (number == MOST)
			continue;
		stale += connections[number].closed;
		if (connections[number].closed || !go_on(number))
			continue;
		connections[number].closed = true;
		timed(close_plainly, connections[number].fd);
		over++;
	}
	return over;
}

static void serve_by_events(int from, int rounds)
{
	int taken = 0, over = 0;
	add(MOST, from);
	while (over < rounds) {
		for (int fd; (fd = accept4(from, NULL, NULL, SOCK_NONBLOCK)) >= 0; taken++) {
			connections[taken].fd = fd;
			add(taken, fd);
		}
		for (int i = 0; i < set_count; i++)
			over += handle(i, i == 0 ? 100 : 0);
	}
	/* What was closed last is still being drained. */
	for (long end = now_us() + 300000; now_us() < end;)
		for (int i = 0; i < set_count; i++)
			handle(i, 10);
}

int main(int argc, char **argv)
{
	int rounds = argc > 2 ? atoi(argv[2]) : 1, from = listener(256, true);
	const char *how = argv[1];
	null_fd = open("/dev/null", O_RDWR);
	set_count = strcmp(how, "events") == 0 ? 1 : strcmp(how, "events_twice") == 0 ? SETS : 0;
	for (int i = 0; i < set_count; i++)
		sets[i] = epoll_create1(0);
	if (set_count) {
		fcntl(from, F_SETFL, O_NONBLOCK);
		serve_by_events(from, rounds);
	} else if (strcmp(how, "workers") == 0) {
		serve_in_workers(from, rounds);
	}
	for (int i = 0; i < rounds && !set_count && strcmp(how, "workers") != 0; i++) {
		int fd = accept4(from, NULL, NULL, strcmp(how, "exit") == 0 ? SOCK_NONBLOCK : 0);
		if (strncmp(how, "children", 8) == 0)
			serve_in_a_child(from, fd, how[8]);
		else if (strcmp(how, "stream") == 0)
			serve_stream(fd);
		else
			serve(fd, strcmp(how, "raw") == 0    ? close_raw
			          : strcmp(how, "dup2") == 0 ? close_by_dup2
			                                     : close_plainly);
	}
	say("served %d close_us %ld stale %ld", rounds, longest_us, stale);
	if (strcmp(how, "exit") == 0)
		exit(0);
	close(from);
	stay();
	return 0;
}
