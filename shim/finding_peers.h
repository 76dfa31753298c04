/*
 * finding_peers.h: who is on the other side of a finding's sockets.
 */
#ifndef CG_FINDING_PEERS_H
#define CG_FINDING_PEERS_H

#include "group.h"

/*
 * Counts the peers of all sockets of a group; of those that were accepted the addresses alone, since the ports are the
 * peers' own choice. The most frequent one is kept for readers of the recorder. Sweep only.
 */
void cg_finding_peers(struct cg_kept_finding *kept, const struct cg_group *group, struct cg_finding *ret);

#endif
