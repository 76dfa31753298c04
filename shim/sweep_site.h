/*
 * sweep_site.h: which place in the code a finding is told with.
 */
#ifndef CG_SWEEP_SITE_H
#define CG_SWEEP_SITE_H

#include "group.h"
#include "report.h"

/*
 * Chooses the finding's place before its lines are written, and keeps it for readers of the recorder. Of its opening,
 * frames that other outstanding findings went through too are passed over where another tells them apart. Sweep only.
 */
void cg_sweep_site(const struct cg_report *report, const struct cg_groups *groups, struct cg_kept_finding *kept,
                   struct cg_finding *finding);

#endif
