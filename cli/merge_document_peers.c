/*
 * merge_document_peers.c: who is on the other side of the sockets of all processes that have a finding.
 */
#include <string.h>

#include "merge_document.h"

enum { DIFFERENT = 64 };

struct sum {
	const char *peer;
	json_int_t count;
};

/* Equal texts are one pointer. */
static unsigned add(struct sum *sums, unsigned known, const struct cg_merge_peers *peers)
{
	for (unsigned i = 0; i < peers->known; i++) {
		unsigned at = 0;
		while (at < known && sums[at].peer != peers->peer[i])
			at++;
		if (at == DIFFERENT)
			continue;
		if (at == known)
			sums[known++] = (struct sum){peers->peer[i], 0};
		sums[at].count += peers->count[i];
	}
	return known;
}

json_t *cg_document_peers(const struct cg_merge_finding *finding, bool open)
{
	struct sum sums[DIFFERENT];
	unsigned known = 0;
	json_t *array = json_array();
	for (const struct cg_merge_member *member = finding->members; member; member = member->next_of_finding)
		if (member->peers && (member->count || !open))
			known = add(sums, known, member->peers);
	for (unsigned n = 0; n < known && n < CG_MERGE_PEERS; n++) {
		unsigned most = 0;
		for (unsigned i = 1; i < known; i++)
			most = sums[i].count > sums[most].count ? i : most;
		json_array_append_new(array, json_pack("{sssI}", "peer", sums[most].peer, "count", sums[most].count));
		sums[most].count = -1;
	}
	return array;
}
