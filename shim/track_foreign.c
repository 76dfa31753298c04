/* track_foreign.c: remembers the latest connections that were closed by another thread than their user. */
#include "track_foreign.h"

#include <string.h>

#include "arena.h"

enum { PLACES = 64 };

static struct {
	_Atomic uint32_t gen; /* odd: being rewritten */
	int32_t fd;
	struct cg_slot slot;
} ring[PLACES] CG_LARGE;
static _Atomic uint32_t next;

void cg_foreign_after_fork(void)
{
	if (atomic_exchange(&next, 0)) /* else a forked child would touch its pages for nothing */
		memset(ring, 0, sizeof ring);
}

void cg_foreign_note(int fd, const struct cg_slot *slot)
{
	uint32_t user = atomic_load(&slot->last_tid);
	if (!atomic_load(&slot->last_use) || !user || user == slot->close_tid)
		return;
	uint32_t at = atomic_fetch_add(&next, 1) % PLACES, gen = atomic_load(&ring[at].gen) | 1;
	atomic_store(&ring[at].gen, gen);
	ring[at].fd = fd;
	memcpy(&ring[at].slot, slot, sizeof *slot);
	atomic_store(&ring[at].gen, gen + 1);
}

bool cg_foreign_find(int fd, uint32_t tid, const struct cg_slot *last, struct cg_slot *ret)
{
	uint32_t end = atomic_load(&next);
	if (atomic_load(&last->last_use) && atomic_load(&last->last_tid) == tid)
		return false;
	for (uint32_t n = 1; n <= PLACES && n <= end; n++) {
		uint32_t at = (end - n) % PLACES, gen = atomic_load(&ring[at].gen);
		if ((gen & 1) || ring[at].fd != fd)
			continue;
		memcpy(ret, &ring[at].slot, sizeof *ret);
		if (atomic_load(&ring[at].gen) == gen && atomic_load(&ret->last_tid) == tid)
			return true;
	}
	return false;
}
