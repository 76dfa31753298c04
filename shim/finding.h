/*
 * finding.h: makes the finding that reports are printed from, out of a group.
 */
#ifndef CG_FINDING_H
#define CG_FINDING_H

#include "group.h"

/*
 * Fills *ret. group may be NULL: the finding is told from what the recorder kept of it (an event group of an earlier
 * sweep, or one that is resolved). Keeps what the advice depends on for readers of the recorder. Asks /proc who polls
 * and who else holds the sockets shown. Sweep only.
 */
void cg_finding_make(struct cg_sweep *sweep, struct cg_kept_finding *kept, const struct cg_group *group,
                     struct cg_finding *ret);

#endif
