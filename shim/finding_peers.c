/* finding_peers.c: counts the peers of a group. */
#include "finding_peers.h"

#include <string.h>

enum { DIFFERENT = 64 }; /* as many are told apart; the sockets of more count as others' */

static bool same(const struct cg_addr *a, const struct cg_addr *b)
{
	return a->family == b->family && a->port == b->port && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

static struct cg_addr peer_of(const struct cg_suspect *c)
{
	struct cg_addr addr = c->facts.tcp.peer;
	if (c->facts.in_backlog || (c->facts.has_slot && c->facts.slot.role == CG_ROLE_ACCEPTED))
		addr.port = 0;
	return addr;
}

static unsigned count_peers(const struct cg_group *group, struct cg_peer *peers, uint32_t *ret_others)
{
	unsigned known = 0;
	for (const struct cg_suspect *c = group->first; c; c = c->next_of_group) {
		struct cg_addr addr = peer_of(c);
		unsigned i = 0;
		while (i < known && !same(&peers[i].addr, &addr))
			i++;
		if (addr.family && i == known && known < DIFFERENT)
			peers[known++] = (struct cg_peer){.addr = addr};
		if (addr.family && i < known)
			peers[i].count++;
		else
			*ret_others += addr.family != 0;
	}
	return known;
}

/* The most frequent of those that are left; the first seen of equals. */
static unsigned most_frequent(const struct cg_peer *peers, unsigned known)
{
	unsigned most = 0;
	for (unsigned i = 1; i < known; i++)
		if (peers[i].count > peers[most].count)
			most = i;
	return most;
}

void cg_finding_peers(struct cg_kept_finding *kept, const struct cg_group *group, struct cg_finding *ret)
{
	struct cg_peer peers[DIFFERENT];
	unsigned known = count_peers(group, peers, &ret->other_peers);
	for (unsigned left = known; left; left--) {
		unsigned at = most_frequent(peers, known);
		if (ret->peer_count < CG_PEERS_SHOWN)
			ret->peers[ret->peer_count++] = peers[at];
		else
			ret->other_peers += peers[at].count;
		peers[at].count = 0;
	}
	const struct cg_peer *first = &ret->peers[0];
	kept->peer = (struct cg_kept_peer){
	    .family = first->addr.family, .port = first->addr.port, .count = ret->peer_count ? first->count : 0};
	memcpy(kept->peer.bytes, first->addr.bytes, sizeof kept->peer.bytes);
}
