/*
 * scan_peers.c: the addresses that most of a list's sockets lead to.
 */
#include <stdlib.h>
#include <string.h>

#include "scan_line.h"

enum { PEERS = 3 };

struct peer {
	struct cg_addr addr;
	size_t count;
};

static int by_count(const void *a, const void *b)
{
	const struct peer *one = a, *other = b;
	return one->count == other->count ? memcmp(&one->addr, &other->addr, sizeof one->addr)
	                                  : (one->count < other->count) - (one->count > other->count);
}

static int by_address(const void *a, const void *b)
{
	return memcmp(&((const struct peer *)a)->addr, &((const struct peer *)b)->addr, sizeof(struct cg_addr));
}

/* The addresses with the most sockets, without their ports. Those that never tell one are left out. */
void cg_scan_line_peers(const struct cg_scan *scan, const size_t *list, size_t count, struct cg_buf *line)
{
	struct peer *peers = calloc(count + 1, sizeof *peers);
	size_t known = 0, kept = 0;
	char text[64];
	for (size_t i = 0; peers && i < count; i++) {
		if (!scan->sockets[list[i]].tcp.peer.family)
			continue;
		peers[known] = (struct peer){scan->sockets[list[i]].tcp.peer, 1};
		peers[known++].addr.port = 0;
	}
	if (known)
		qsort(peers, known, sizeof *peers, by_address);
	for (size_t i = 0; i < known; i++) {
		if (kept && by_address(&peers[kept - 1], &peers[i]) == 0)
			peers[kept - 1].count++;
		else
			peers[kept++] = peers[i];
	}
	if (kept) {
		qsort(peers, kept, sizeof *peers, by_count);
		cg_scan_line_label(line, "peers");
		for (size_t i = 0; i < kept && i < PEERS; i++) {
			cg_addr_text(&peers[i].addr, text);
			*strrchr(text, ':') = '\0';
			cg_buf_fmt(line, "%s%s (%zu)", i ? ", " : "", text, peers[i].count);
		}
		if (kept > PEERS)
			cg_buf_fmt(line, " and %zu more", kept - PEERS);
		cg_scan_line_put(line, NULL);
	}
	free(peers);
}
