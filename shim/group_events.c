/* group_events.c: what happened and is over becomes findings that add up. */
#include <string.h>

#include "detect_event.h"
#include "group.h"
#include "group_parts.h"
#include "recorder.h"
#include "track.h"

/* How long an orderly shutdown may take from its first close to the end, or to the close of the listener. */
static const uint64_t shutdown_ns = 1000000000u;

static uint64_t next_event = 1; /* the first that no sweep has taken up */

void cg_group_events_after_fork(void)
{
	next_event = 1;
}

static enum cg_kind kind_of_event(uint32_t kind)
{
	switch (kind) {
	case CG_EVENT_DOUBLE_CLOSE:
		return CG_KIND_DOUBLE_CLOSE;
	case CG_EVENT_USE_AFTER_CLOSE:
		return CG_KIND_USE_AFTER_CLOSE;
	case CG_EVENT_LATE_CLOSE:
		return CG_KIND_CLOSE_WAIT;
	case CG_EVENT_FD_EXHAUSTED:
		return CG_KIND_FD_EXHAUSTION;
	default:
		return CG_KIND_NONE;
	}
}

static void add_event(struct cg_sweep *sweep, struct cg_groups *groups, const struct cg_event *event)
{
	enum cg_kind kind = kind_of_event(atomic_load(&event->kind));
	bool late = kind == CG_KIND_CLOSE_WAIT;
	uint64_t calls = atomic_load(&cg_recorder_header()->count.exhausted);
	struct cg_group_key key = {.kind = kind,
	                           .cause = late ? CG_CAUSE_LATE_CLOSE : CG_CAUSE_NONE,
	                           .open_stack = event->slot.open_stack,
	                           .eof_stack = late ? event->slot.eof_stack : event->stack};
	cg_recorder_label_of(&event->slot, key.label);
	if (kind == CG_KIND_FD_EXHAUSTION)
		key.open_stack = 0;
	struct cg_group *group = kind == CG_KIND_NONE ? NULL : cg_group_of(sweep, groups, &key);
	if (!group)
		return;
	group->is_event = true;
	if (kind != CG_KIND_FD_EXHAUSTION || !group->kept->reported) { /* what was told as a leak's stays that */
		group->kept->verdict = late ? CG_VERDICT_LATE : CG_VERDICT_INFO;
		group->kept->confidence = late ? 900 : 950;
	}
	group->quiet = false;
	memcpy(&group->event, event, sizeof group->event);
	if (!group->first_ns)
		group->first_ns = event->ns;
	group->kept->total++;
	if (kind == CG_KIND_FD_EXHAUSTION && calls > group->kept->total)
		group->kept->total = calls; /* of which not each is an event */
	group->mature = (unsigned)group->kept->total;
}

/*
 * A double close may turn out to have been the first of a row of closes, and a late close the first of an orderly
 * shutdown: they are believed a moment later.
 */
static bool is_settled(const struct cg_sweep *sweep, const struct cg_event *event)
{
	uint32_t kind = atomic_load(&event->kind);
	if (kind == CG_EVENT_LATE_CLOSE && !sweep->final && !sweep->thorough)
		return sweep->now_ns > event->ns + shutdown_ns;
	return kind != CG_EVENT_DOUBLE_CLOSE || sweep->now_ns > event->ns + 20000000;
}

/*
 * Closed because the program ends, which says nothing of how long it keeps sockets while it runs: just before its end,
 * or after its last listener was closed (or shortly before), nothing new was opened, and the end had been read before.
 */
static bool is_of_a_shutdown(const struct cg_sweep *sweep, const struct cg_event *event)
{
	uint64_t shutdown = atomic_load(&cg_track_shutdown_ns);
	return atomic_load(&event->kind) == CG_EVENT_LATE_CLOSE &&
	       ((sweep->ending && event->ns + shutdown_ns >= sweep->now_ns) ||
	        (event->slot.eof_ns < shutdown && event->ns + shutdown_ns >= shutdown));
}

static void uncount_late_close(const struct cg_event *event)
{
	struct cg_header *h = cg_recorder_header();
	struct cg_site *site = cg_track_site(event->slot.open_stack, false);
	atomic_fetch_sub(&h->count.late_closes, 1);
	if (site)
		atomic_fetch_sub(&site->closed_late, 1);
}

void cg_group_add_events(struct cg_sweep *sweep, struct cg_groups *groups)
{
	struct cg_header *h = cg_recorder_header();
	uint64_t end = atomic_load(&h->count.event_seq);
	if (end > CG_MAX_EVENTS && next_event < end - CG_MAX_EVENTS)
		next_event = end - CG_MAX_EVENTS;
	for (; next_event < end; next_event++) {
		struct cg_event *place = cg_recorder_event(next_event, false), event;
		if (!place || atomic_load(&place->seq) != next_event)
			continue;
		if (!is_settled(sweep, place)) {
			sweep->waiting = true;
			return;
		}
		memcpy(&event, place, sizeof event);
		if (atomic_load(&place->seq) != next_event)
			continue;
		if (is_of_a_shutdown(sweep, &event))
			uncount_late_close(&event);
		else
			add_event(sweep, groups, &event);
	}
}

bool cg_group_last_event(const struct cg_kept_finding *kept, struct cg_event *ret)
{
	struct cg_header *h = cg_recorder_header();
	uint64_t end = h ? atomic_load(&h->count.event_seq) : 0;
	for (uint64_t seq = end; seq-- > 1 && seq + CG_MAX_EVENTS > end;) {
		const struct cg_event *place = cg_recorder_event(seq, false);
		if (!place || atomic_load(&place->seq) != seq || !cg_event_is_of(place, kept))
			continue;
		memcpy(ret, place, sizeof *ret);
		if (atomic_load(&place->seq) == seq)
			return true;
	}
	return false;
}

bool cg_groups_pending(void)
{
	struct cg_header *h = cg_recorder_header();
	return h && next_event < atomic_load(&h->count.event_seq);
}
