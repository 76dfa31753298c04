/* report_peer.c: who is on the other side, as text. */
#include <string.h>

#include "report.h"

const char *cg_report_peer(const struct cg_peer *peer, char text[64])
{
	cg_addr_text(&peer->addr, text);
	if (!peer->addr.port && strrchr(text, ':'))
		*strrchr(text, ':') = '\0';
	return text;
}

void cg_report_peers(struct cg_buf *out, const struct cg_finding *finding)
{
	char text[64];
	for (unsigned i = 0; i < finding->peer_count; i++)
		cg_buf_fmt(out, "%s%s \xc3\x97 %u", i ? ", " : "  peers: ", cg_report_peer(&finding->peers[i], text),
		           finding->peers[i].count);
	if (finding->peer_count && finding->other_peers)
		cg_buf_fmt(out, " and %u of others", finding->other_peers);
	if (finding->peer_count)
		cg_buf_char(out, '\n');
}
