/* op_io.c: bytes are read and written, and ends of streams are met. */
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "model.h"

enum { CHUNK = 64, END_WAIT_MS = 20 };

static bool readable(int fd, int timeout_ms)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	return poll(&wait, 1, timeout_ms) == 1;
}

static ssize_t read_somehow(struct actor *a, int fd, size_t n)
{
	char buf[CHUNK];
	struct iovec iov[2] = {{.iov_base = buf, .iov_len = n / 2}, {.iov_base = buf + n / 2, .iov_len = n - n / 2}};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
	switch (pick(a, 7)) {
	case 0:
		return read(fd, buf, n);
	case 1:
		return readv(fd, iov, 2);
	case 2:
		return recvmsg(fd, &msg, 0);
	case 3:
		return recvfrom(fd, buf, n, MSG_DONTWAIT, NULL, NULL);
	case 4:
		return recv(fd, buf, n, MSG_PEEK | MSG_DONTWAIT);
	case 5:
		return chance(a, 20) ? read(fd, buf, 0) : read(fd, buf, n);
	default:
		return recv(fd, buf, n, 0);
	}
}

void op_read(struct actor *a, struct set *s)
{
	struct item *item = any_of(a, s, CONNECTED);
	char byte;
	if (!item)
		return;
	if (!readable(item->fd, 0)) {
		/* Only what cannot block. */
		ssize_t r = recv(item->fd, &byte, 1, MSG_DONTWAIT);
		say(a, "recv of nothing from %d: %zd", item->fd, r);
		return;
	}
	ssize_t r = read_somehow(a, item->fd, 1 + pick(a, CHUNK));
	say(a, "read from %d: %zd", item->fd, r);
}

void op_read_to_end(struct actor *a, struct set *s)
{
	struct item *item = any_of(a, s, CONNECTED);
	ssize_t r = -1;
	char buf[CHUNK];
	if (!item)
		return;
	while (readable(item->fd, END_WAIT_MS)) {
		r = chance(a, 50) ? read(item->fd, buf, sizeof buf) : recv(item->fd, buf, sizeof buf, 0);
		if (r <= 0)
			break;
	}
	say(a, "read to the end of %d: %zd", item->fd, r);
}

void op_write(struct actor *a, struct set *s)
{
	static char bytes[CHUNK * 2];
	struct item *item = any_of(a, s, CONNECTED);
	if (!item)
		return;
	size_t n = 1 + pick(a, sizeof bytes);
	struct iovec iov = {.iov_base = bytes, .iov_len = n};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t r;
	switch (pick(a, 4)) {
	case 0:
		r = write(item->fd, bytes, n);
		break;
	case 1:
		r = writev(item->fd, &iov, 1);
		break;
	case 2:
		r = sendmsg(item->fd, &msg, MSG_NOSIGNAL);
		break;
	default:
		r = send(item->fd, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	say(a, "write %zu to %d: %zd", n, item->fd, r);
}

/* Reads that happen inside libc: no wrapper sees them. The stream stays with its descriptor until fclose. */
void op_stdio(struct actor *a, struct set *s)
{
	struct item *item = any_of(a, s, CONNECTED);
	int c = 0, got = 0;
	if (!item)
		return;
	if (!item->file)
		item->file = fdopen(item->fd, "r+");
	if (!item->file)
		die("fdopen");
	fcntl(item->fd, F_SETFL, O_NONBLOCK);
	if (chance(a, 50)) {
		while ((c = fgetc(item->file)) != EOF)
			got++;
		clearerr(item->file);
	} else {
		fputs("line\n", item->file);
		fflush(item->file);
	}
	say(a, "stdio on %d: %d read", item->fd, got);
}
