/*
 * sweep_reap.h: what the policy says of suspects, and what is done about them.
 */
#ifndef CG_SWEEP_REAP_H
#define CG_SWEEP_REAP_H

#include "suspects.h"

/* Makes the policy's word available to the judgement of the coming look. */
void cg_sweep_reap_prepare(struct cg_sweep *sweep, bool may_load);

#endif
