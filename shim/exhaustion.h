/*
 * exhaustion.h: who holds the descriptors, for when they run out. Sweep only.
 */
#ifndef CG_EXHAUSTION_H
#define CG_EXHAUSTION_H

#include "suspects.h"

/* How many descriptors the process may have; 0: not known. */
uint32_t cg_exhaustion_limit(void);

/* Fills in open_places: where the most were opened of those that are open. There has to be a recorder. */
void cg_exhaustion_places(struct cg_finding *finding);

/* The limit, how many are open, and those places. */
void cg_exhaustion_set(struct cg_sweep *sweep, struct cg_finding *ret);

#endif
