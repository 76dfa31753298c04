/* sweep_suppress.h: the suppressions that come with the library, for what is nobody's bug. */
#ifndef CG_SWEEP_SUPPRESS_H
#define CG_SWEEP_SUPPRESS_H

#include "policy.h"

/*
 * Those of the file beside the library, read once, when first asked for; *ret_count is 0 where there is no such file or
 * CLOSEGUARD_SUPPRESS is off. Owned by the library. Sweep only.
 */
const struct cg_policy_suppression *cg_sweep_shipped(unsigned *ret_count);

#endif
