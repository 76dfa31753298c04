/*
 * sweep_trouble.h: says what a sweep could not have.
 */
#ifndef CG_SWEEP_TROUBLE_H
#define CG_SWEEP_TROUBLE_H

#include "suspects.h"

/*
 * After a look: a line for each thing that is off here, once, told with the first finding. Where connections could not
 * be looked at in any way there will be none: that is told by the last look.
 */
void cg_sweep_note_troubles(const struct cg_sweep *sweep);

void cg_sweep_trouble_after_fork(void);

#endif
