/* op_far.c: what the far ends and the children do. */
#include "model.h"

static void far_op(struct actor *a, struct set *s, char op, bool last)
{
	struct item *item = any_with_peer(a, s);
	if (!item)
		return;
	int r = far_ask(op, item->conn->peer, 1 + (int)pick(a, 100));
	if (last)
		item->conn->peer = -1;
	say(a, "peer of %d: %c: %d", item->fd, op, r);
}

void op_peer_write(struct actor *a, struct set *s)
{
	far_op(a, s, 'w', false);
}

void op_peer_drain(struct actor *a, struct set *s)
{
	far_op(a, s, 'd', false);
}

void op_peer_shut(struct actor *a, struct set *s)
{
	far_op(a, s, 's', false);
}

void op_peer_fin(struct actor *a, struct set *s)
{
	far_op(a, s, 'f', true);
}

void op_peer_reset(struct actor *a, struct set *s)
{
	far_op(a, s, 'r', true);
}

/* The far end of a socket that is closed here, which a child may still hold, or of one in a backlog. */
void op_peer_gone(struct actor *a, struct set *s)
{
	struct item *item = any_of(a, s, LISTENING);
	if (item && item->conn->pendings > 0 && chance(a, 50)) {
		int *last = &item->conn->pending[item->conn->pendings - 1];
		if (*last < 0)
			return;
		if (chance(a, 50))
			far_ask('w', *last, 10);
		far_ask('s', *last, 0);
		say(a, "peer in the backlog of %d sends its FIN", item->fd);
	} else if (a->gones > 0) {
		int i = (int)pick(a, (uint64_t)a->gones);
		far_ask(chance(a, 80) ? 'f' : 'r', a->gone[i], 0);
		a->gone[i] = a->gone[--a->gones];
		say(a, "peer of a closed socket ends");
	}
}

void op_fork_exit(struct actor *a, struct set *s)
{
	(void)s;
	child_exits(a);
}

void op_spawn(struct actor *a, struct set *s)
{
	(void)s;
	child_execs(a);
}

void op_fork_stay(struct actor *a, struct set *s)
{
	(void)s;
	child_stays(a);
}

void op_child_stop(struct actor *a, struct set *s)
{
	(void)s;
	child_stop_one(a);
}
