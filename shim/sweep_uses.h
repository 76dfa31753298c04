/*
 * sweep_uses.h: of which connections the uses are told by stacks.
 */
#ifndef CG_SWEEP_USES_H
#define CG_SWEEP_USES_H

#include "suspects.h"

/*
 * One address is all that is kept of a last use, and where it is in a library (TLS, say) all connections have the same.
 * Of suspects for which that is so, and of all that their places open from now on, the next uses' stacks are taken; so
 * many in an interval. After the suspects are judged. Sweep only.
 */
void cg_sweep_uses_watch(struct cg_sweep *sweep);

#endif
