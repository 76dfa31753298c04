/* op_close.c: descriptors go, one at a time or by the range. */
#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "model.h"

static int close_somehow(struct actor *a, int fd)
{
	if (with_unseen && chance(a, 20))
		return unseen_close(fd);
	unseen_clear(fd);
	switch (pick(a, 5)) {
	case 0:
		return (int)syscall(SYS_close, fd);
	case 1:
		return close_range((unsigned)fd, (unsigned)fd, 0);
	default:
		return close(fd);
	}
}

void op_close(struct actor *a, struct set *s)
{
	struct item *item = any_item(a, s);
	if (!item)
		return;
	int fd = item->fd, r;
	bool file = item->file;
	if (file) {
		unseen_clear(fd);
		r = fclose(item->file);
	} else {
		r = close_somehow(a, fd);
	}
	set_remove(a, s, item);
	say(a, "%s %d: %d", file ? "fclose" : "close", fd, r);
}

/* The set's whole high range at once; streams there are left alone by closing up to the first of them only. */
void op_close_high(struct actor *a, struct set *s)
{
	int end = s->high + HIGH_SPAN;
	for (int i = 0; i < s->count; i++) {
		if (s->items[i].file && s->items[i].fd >= s->high && s->items[i].fd < end)
			end = s->items[i].fd;
	}
	if (end == s->high)
		return;
	for (int fd = s->high; fd < end; fd++)
		unseen_clear(fd);
	int r = close_range((unsigned)s->high, (unsigned)end - 1, 0);
	if (r)
		die("close_range");
	for (int i = s->count - 1; i >= 0; i--) {
		if (s->items[i].fd >= s->high && s->items[i].fd < end)
			set_remove(a, s, &s->items[i]);
	}
	say(a, "close_range %d to %d", s->high, end - 1);
}

void op_shutdown(struct actor *a, struct set *s)
{
	static const int hows[] = {SHUT_RD, SHUT_WR, SHUT_RDWR};
	struct item *item = any_item(a, s);
	if (!item || (item->conn->what == LISTENING && chance(a, 90)))
		return;
	int how = hows[pick(a, 3)];
	int r = chance(a, 20) ? (int)syscall(SYS_shutdown, item->fd, how) : shutdown(item->fd, how);
	if (item->conn->what == LISTENING && !r && how != SHUT_WR) {
		/* The backlog is gone with it; the far ends have been reset. */
		item->conn->what = FRESH;
		for (int i = 0; i < item->conn->pendings; i++) {
			if (item->conn->pending[i] >= 0)
				far_ask('f', item->conn->pending[i], 0);
		}
		item->conn->pendings = 0;
	}
	say(a, "shutdown %d %d: %d", item->fd, how, r);
}
