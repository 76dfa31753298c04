/* open_places.c: a short list that stays sorted. */
#include "open_places.h"

#include <string.h>

uint64_t cg_open_places_at(const struct cg_site *site)
{
	uint64_t opened = atomic_load(&site->opened), closed = atomic_load(&site->closed);
	return atomic_load(&site->stack) && opened > closed ? opened - closed : 0;
}

void cg_open_places_enter(struct cg_open_places *list, const struct cg_site *site)
{
	unsigned at = list->count, kept = list->count < CG_OPEN_PLACES ? list->count : CG_OPEN_PLACES - 1;
	uint64_t open = cg_open_places_at(site);
	while (at > 0 && cg_open_places_at(list->sites[at - 1]) < open)
		at--;
	if (!open || at == CG_OPEN_PLACES)
		return;
	memmove(&list->sites[at + 1], &list->sites[at], (kept - at) * sizeof(const struct cg_site *));
	list->sites[at] = site;
	list->count = kept + 1;
}
