/* op_dup.c: descriptors of a socket multiply, move and change their flags. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "model.h"

void op_dup(struct actor *a, struct set *s)
{
	struct item *item = any_item(a, s);
	if (!item || set_full(s))
		return;
	int from = item->fd, fd;
	switch (pick(a, 4)) {
	case 0:
		fd = dup(from);
		break;
	case 1:
		fd = fcntl(from, F_DUPFD, 0);
		break;
	case 2:
		fd = (int)syscall(SYS_dup, from);
		break;
	default:
		fd = fcntl(from, F_DUPFD_CLOEXEC, 0);
	}
	unseen_clear(fd);
	set_add(s, fd, item->conn);
	say(a, "dup %d: %d", from, fd);
}

/* A number of the set's high range that nothing has, or -1. */
static int free_high(struct actor *a, const struct set *s)
{
	int fd = s->high + (int)pick(a, HIGH_SPAN);
	return fcntl(fd, F_GETFD) < 0 && errno == EBADF ? fd : -1;
}

void op_dup_high(struct actor *a, struct set *s)
{
	struct item *item = any_item(a, s);
	int target = free_high(a, s);
	if (!item || set_full(s) || target < 0)
		return;
	int from = item->fd, fd;
	if (with_unseen && chance(a, 20)) {
		fd = unseen_dup3(from, target);
	} else {
		switch (pick(a, 4)) {
		case 0:
			fd = dup2(from, target);
			break;
		case 1:
			fd = dup3(from, target, O_CLOEXEC);
			break;
		case 2:
			fd = (int)syscall(SYS_dup3, from, target, 0);
			break;
		default:
			fd = fcntl(from, F_DUPFD, target);
		}
		unseen_clear(fd);
	}
	set_add(s, fd, item->conn);
	say(a, "dup %d to the high number %d", from, fd);
}

/* dup2 over an open descriptor closes what was there, in the same instant. */
void op_dup_over(struct actor *a, struct set *s)
{
	struct item *from = any_item(a, s), *to = any_item(a, s);
	if (!from)
		return;
	int r;
	if (with_unseen && from != to && chance(a, 20)) {
		r = unseen_dup3(from->fd, to->fd);
	} else {
		switch (pick(a, 3)) {
		case 0:
			r = dup2(from->fd, to->fd);
			break;
		case 1:
			r = dup3(from->fd, to->fd, 0);
			break;
		default:
			r = (int)syscall(SYS_dup3, from->fd, to->fd, O_CLOEXEC);
		}
		if (r >= 0 && from != to)
			unseen_clear(to->fd);
	}
	say(a, "dup %d over %d: %d", from->fd, to->fd, r);
	if (r >= 0)
		set_repoint(a, to, from->conn);
}

static void carrier_send(const struct actor *a, int fd)
{
	char byte = 'f', control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr msg = {
	    .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(cmsg), &fd, sizeof fd);
	if (sendmsg(a->carrier[0], &msg, 0) != 1)
		die("sendmsg with a descriptor");
}

static int carrier_receive(struct actor *a)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr msg = {
	    .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
	int fd = -1;
	if (recvmsg(a->carrier[1], &msg, chance(a, 50) ? MSG_CMSG_CLOEXEC : 0) != 1 || !CMSG_FIRSTHDR(&msg))
		die("recvmsg with a descriptor");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof fd);
	unseen_clear(fd);
	return fd;
}

/* A descriptor is sent to ourselves; the original may be closed while only the message holds the socket. */
void op_carry(struct actor *a, struct set *s)
{
	struct item *item = any_item(a, s);
	if (!item || set_full(s))
		return;
	struct conn *conn = item->conn;
	int from = item->fd;
	bool leave = chance(a, 50) && !item->file;
	carrier_send(a, from);
	conn->refs++;
	if (leave) {
		unseen_clear(from);
		close(from);
		set_remove(a, s, item);
	}
	int fd = carrier_receive(a);
	set_add(s, fd, conn);
	conn->refs--;
	say(a, "carry %d%s: %d", from, leave ? " and close it" : "", fd);
}

void op_cloexec(struct actor *a, struct set *s)
{
	struct item *item = any_item(a, s);
	if (item)
		fcntl(item->fd, F_SETFD, chance(a, 70) ? FD_CLOEXEC : 0);
}

void op_nonblock(struct actor *a, struct set *s)
{
	struct item *item = any_item(a, s);
	if (item)
		fcntl(item->fd, F_SETFL, chance(a, 70) ? O_NONBLOCK : 0);
}

void op_linger(struct actor *a, struct set *s)
{
	struct item *item = any_of(a, s, CONNECTED);
	struct linger linger = {.l_onoff = chance(a, 70), .l_linger = 0};
	if (!item)
		return;
	setsockopt(item->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	say(a, "linger 0 %s on %d", linger.l_onoff ? "on" : "off", item->fd);
}

/* Hands a socket with one descriptor from one set to the other; the caller holds s only when it is the shared one. */
void op_move(struct actor *a, struct set *s)
{
	struct set *to = s == &shared ? &a->own : &shared;
	struct item *item = any_item(a, s);
	if (!item || item->conn->refs != 1 || item->file || item->fd >= HIGH_BASE)
		return;
	if (to == &shared)
		pthread_mutex_lock(&shared.lock);
	if (!set_full(to)) {
		say(a, "move %d to the %s set", item->fd, to == &shared ? "shared" : "own");
		set_add(to, item->fd, item->conn);
		set_remove(a, s, item);
	}
	if (to == &shared)
		pthread_mutex_unlock(&shared.lock);
}
