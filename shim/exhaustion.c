/* exhaustion.c: who holds the descriptors that have run out. */
#include "exhaustion.h"

#include <string.h>
#include <sys/resource.h>

#include "open_places.h"
#include "recorder.h"
#include "stack.h"
#include "sys.h"

enum { SITES_PER_CHUNK = CG_CHUNK_SIZE / 256 };

static void set_place(struct cg_place *place, uint32_t id)
{
	struct cg_stack_copy stack;
	if (!cg_stack_read(id, &stack))
		return;
	place->known = true;
	place->depth = stack.depth;
	place->stack_flags = stack.flags;
	place->generation = stack.generation;
	memcpy(place->ip, stack.ip, stack.depth * sizeof place->ip[0]);
}

void cg_exhaustion_places(struct cg_finding *finding)
{
	struct cg_open_places list = {0};
	for (unsigned i = 0; i < CG_MAX_SITES; i++) {
		const struct cg_site *site = cg_recorder_site(i, false);
		if (site)
			cg_open_places_enter(&list, site);
		else
			i |= SITES_PER_CHUNK - 1;
	}
	finding->open_place_count = list.count;
	for (unsigned i = 0; i < list.count; i++) {
		finding->open_places[i].open = cg_open_places_at(list.sites[i]);
		set_place(&finding->open_places[i].place, atomic_load(&list.sites[i]->stack));
	}
}

uint32_t cg_exhaustion_limit(void)
{
	struct rlimit limit;
	if (CG_SYS(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, &limit, 0, 0) < 0)
		return 0;
	return limit.rlim_cur < UINT32_MAX ? (uint32_t)limit.rlim_cur : UINT32_MAX;
}

void cg_exhaustion_set(struct cg_sweep *sweep, struct cg_finding *ret)
{
	ret->fd_limit = cg_exhaustion_limit();
	ret->open_fds = sweep->open_fds ? sweep->open_fds : atomic_load(&cg_recorder_header()->open_now);
	if (ret->fd_limit && ret->open_fds > ret->fd_limit)
		ret->open_fds = ret->fd_limit; /* those above a limit that was lowered */
	cg_exhaustion_places(ret);
	if (ret->open_place_count && !ret->opened.known) {
		ret->opened = ret->open_places[0].place;
		ret->opened.call = ret->here.call;
	}
}
