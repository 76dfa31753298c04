/* suspects_busy.c: descriptors that may be closed at this very moment, and so are not looked at. */
#include "clock.h"
#include "procfs.h"
#include "recorder.h"
#include "suspects_parts.h"
#include "track.h"

/* Programs close what they have just opened or used, and what has just ended. */
static const uint64_t settled_ns = 100000000, tick_ns = 100000000;

static const struct cg_sweep *current; /* the look that is under way */

/* By the slot's tick, which is as old as the last event or look was at the use. */
static bool used_since(const struct cg_slot *slot, uint64_t ns)
{
	const struct cg_header *h = cg_recorder_header();
	uint64_t tick = h && ns > h->start_ns ? (ns - h->start_ns) / tick_ns : 0;
	return atomic_load(&slot->last_use) && atomic_load(&slot->last_tick) >= tick;
}

static bool is_busy(const struct cg_sweep *sweep, const struct cg_slot *slot)
{
	uint64_t quiet = sweep->warn_after_ns / 4 < settled_ns ? sweep->warn_after_ns / 4 : settled_ns;
	if (sweep->thorough)
		return false;
	if (cg_clock_since(sweep->now_ns, slot->open_ns) < quiet)
		return true;
	if (atomic_load(&slot->flags) & (CG_SLOT_EOF | CG_SLOT_ERROR))
		return cg_clock_since(sweep->now_ns, slot->eof_ns) < quiet;
	return used_since(slot, sweep->before_ns ? sweep->before_ns : sweep->now_ns - quiet);
}

bool cg_suspects_is_busy(struct cg_sweep *sweep, const struct cg_slot *slot)
{
	bool busy = is_busy(sweep, slot);
	sweep->spared |= busy;
	return busy;
}

static bool is_left_alone(int fd, bool sockets_wanted)
{
	const struct cg_slot *slot = cg_slot_at(fd);
	uint8_t kind = slot ? atomic_load(&slot->kind) : CG_FD_NONE;
	if (kind == CG_FD_LISTENER)
		return !sockets_wanted;
	return kind == CG_FD_CONN && (!sockets_wanted || (current && is_busy(current, slot)));
}

void cg_suspects_begin(struct cg_sweep *sweep)
{
	current = sweep;
	cg_proc_leaves_alone = is_left_alone;
	if (sweep->looked_ns != sweep->now_ns) {
		sweep->before_ns = sweep->looked_ns;
		sweep->looked_ns = sweep->now_ns;
	}
}
