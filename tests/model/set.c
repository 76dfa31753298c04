/* set.c: which descriptors an actor owns, and which of them are the same socket. */
#include <stdlib.h>

#include "model.h"

struct set shared = {.lock = PTHREAD_MUTEX_INITIALIZER};

uint64_t pick(struct actor *a, uint64_t below)
{
	uint64_t z = (a->random += 0x9e3779b97f4a7c15u);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (z ^ (z >> 31)) % below;
}

bool chance(struct actor *a, unsigned percent)
{
	return pick(a, 100) < percent;
}

struct conn *conn_new(enum what what, int peer)
{
	struct conn *conn = calloc(1, sizeof *conn);
	if (!conn)
		die("calloc");
	conn->what = what;
	conn->peer = peer;
	conn->was_connected = what == CONNECTED;
	return conn;
}

/* Remembers a far end, so that the peer can still close it when only a child has the socket. */
static void keep_gone(struct actor *a, int peer)
{
	if (peer < 0)
		return;
	if (a->gones == MAX_GONE) {
		far_ask('f', a->gone[0], 0);
		a->gone[0] = a->gone[--a->gones];
	}
	a->gone[a->gones++] = peer;
}

static void conn_drop(struct actor *a, struct conn *conn)
{
	if (--conn->refs)
		return;
	keep_gone(a, conn->peer);
	for (int i = 0; i < conn->pendings; i++)
		keep_gone(a, conn->pending[i]);
	free(conn);
}

bool set_full(const struct set *s)
{
	return s->count >= MAX_ITEMS - 1;
}

struct item *set_add(struct set *s, int fd, struct conn *conn)
{
	struct item *item = &s->items[s->count++];
	*item = (struct item){.fd = fd, .conn = conn};
	if (fd < 0)
		die("a descriptor that should be there");
	conn->refs++;
	return item;
}

struct item *set_find(struct set *s, int fd)
{
	for (int i = 0; i < s->count; i++) {
		if (s->items[i].fd == fd)
			return &s->items[i];
	}
	return NULL;
}

void set_remove(struct actor *a, struct set *s, struct item *item)
{
	struct conn *conn = item->conn;
	*item = s->items[--s->count];
	conn_drop(a, conn);
}

void set_repoint(struct actor *a, struct item *item, struct conn *conn)
{
	struct conn *before = item->conn;
	conn->refs++;
	item->conn = conn;
	conn_drop(a, before);
}

static bool has_peer(const struct item *item)
{
	return item->conn->what == CONNECTED && item->conn->peer >= 0;
}

static bool is_what(const struct item *item, int what)
{
	return what < 0 || (int)item->conn->what == what;
}

static struct item *pick_where(struct actor *a, struct set *s, int what, bool peer)
{
	int n = s->count;
	for (int i = n ? (int)pick(a, (uint64_t)n) : 0, seen = 0; seen < n; seen++, i = (i + 1) % n) {
		if (is_what(&s->items[i], what) && (!peer || has_peer(&s->items[i])))
			return &s->items[i];
	}
	return NULL;
}

struct item *any_item(struct actor *a, struct set *s)
{
	return pick_where(a, s, -1, false);
}

struct item *any_of(struct actor *a, struct set *s, enum what what)
{
	return pick_where(a, s, (int)what, false);
}

struct item *any_with_peer(struct actor *a, struct set *s)
{
	return pick_where(a, s, CONNECTED, true);
}
