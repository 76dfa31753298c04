/*
 * sweep_full.h: what is done before the descriptors run out. Sweep thread or exiting thread, one at a time.
 */
#ifndef CG_SWEEP_FULL_H
#define CG_SWEEP_FULL_H

#include "suspects.h"

/*
 * Once four fifths of the descriptors are taken: loads what is needed to name functions, and names the places of the
 * suspects and those that hold the most, which in a table that is full cannot be done any more.
 */
void cg_sweep_full_prepare(struct cg_sweep *sweep);

void cg_sweep_full_after_fork(void);

#endif
