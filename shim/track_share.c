/* track_share.c: who else may hold a connection. */
#include "track_share.h"

#include "track.h"

/* When the first recorder of this line of forks was made, by two clocks. It goes over to the children. */
static struct {
	_Atomic uint64_t ns, ticks;
} anchor;

void cg_track_share_before_fork(void)
{
	const struct cg_header *h = cg_recorder_header();
	if (!h || atomic_load(&anchor.ns))
		return;
	atomic_store(&anchor.ticks, h->process_start);
	atomic_store(&anchor.ns, h->start_ns);
}

/*
 * The recorder is younger than its process: counting from the process's start as if it were the recorder's gives too
 * early a time, never too late a one. So does a suspend of the machine, during which the monotonic clock stands still.
 */
static uint64_t born(const struct cg_slot *slot)
{
	static const uint64_t tick_ns = 10000000; /* USER_HZ is 100 */
	const struct cg_header *h = cg_recorder_header();
	uint64_t ns = atomic_load(&anchor.ns), ticks = atomic_load(&anchor.ticks);
	if (!ns && h) {
		ns = h->start_ns;
		ticks = h->process_start;
	}
	/* What was duplicated was opened some time before. */
	bool dupped = atomic_load(&slot->flags) & CG_SLOT_DUPPED;
	return !ns || !ticks || dupped || slot->open_ns < ns ? 0 : ticks + (slot->open_ns - ns) / tick_ns;
}

struct cg_share cg_track_share(const struct cg_slot *slot)
{
	uint32_t flags = atomic_load(&slot->flags);
	bool opened_here = slot->origin == CG_ORIGIN_SEEN && !(flags & CG_SLOT_INHERITED);
	bool shared = (flags & CG_SLOT_DUPPED) || cg_track_forked_since(slot) || atomic_load(&cg_track_forking);
	struct cg_share share = {.sent = flags & CG_SLOT_SENT, .inherited = !opened_here, .born = born(slot)};
	if (opened_here)
		share.reach = shared ? CG_REACH_KIN : CG_REACH_OWN;
	else if (flags & CG_SLOT_KIN)
		share.reach = CG_REACH_KIN;
	return share;
}
