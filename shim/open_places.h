/* open_places.h: of all places that open connections, those that hold the most. */
#ifndef CG_OPEN_PLACES_H
#define CG_OPEN_PLACES_H

#include "detect.h"

struct cg_open_places {
	unsigned count;
	const struct cg_site *sites[CG_OPEN_PLACES]; /* the heaviest first */
};

/* How many of the connections that were opened there are open. Any context. */
uint64_t cg_open_places_at(const struct cg_site *site);

/* Enters a site into the list, if it holds enough. The list begins zeroed; the site is borrowed. */
void cg_open_places_enter(struct cg_open_places *list, const struct cg_site *site);

#endif
