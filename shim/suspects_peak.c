/* suspects_peak.c: how many connections of a place were in use, or alive, at the same time, told from those left. */
#include "recorder.h"
#include "suspects.h"
#include "track.h"

enum { SPANS = 512 }; /* of more suspects the others are not looked at: what they add to a peak is not known */

static const uint64_t TICK_NS = 100000000; /* last uses are known to so much */

/* From the opening to the last use, and to when it became closable. */
struct span {
	uint32_t place;
	uint64_t from, used, alive;
};

struct peaks {
	unsigned used, alive;
};

static bool is_before(const struct span *a, const struct span *b)
{
	return a->place != b->place ? a->place < b->place : a->from < b->from;
}

static void sort(struct span *spans, unsigned n)
{
	for (unsigned gap = n / 2; gap; gap /= 2) {
		for (unsigned i = gap; i < n; i++) {
			struct span moved = spans[i];
			unsigned at = i;
			for (; at >= gap && is_before(&moved, &spans[at - gap]); at -= gap)
				spans[at] = spans[at - gap];
			spans[at] = moved;
		}
	}
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static unsigned collect(const struct cg_sweep *sweep, struct span *spans, unsigned room)
{
	unsigned n = 0;
	for (const struct cg_suspect *c = sweep->suspects; c && n < room; c = c->next) {
		const struct cg_slot *slot = &c->facts.slot;
		bool counts = c->facts.fd >= 0 && c->facts.has_slot && c->judgement.kind != CG_KIND_NONE;
		if (!counts || slot->role != CG_ROLE_CONNECTED || !slot->open_stack)
			continue;
		uint64_t used = cg_suspects_last_use(slot) ? cg_suspects_last_use(slot) + TICK_NS : 0;
		spans[n++] = (struct span){.place = slot->open_stack,
		                           .from = slot->open_ns,
		                           .used = later(used, slot->open_ns),
		                           .alive = later(sweep->now_ns - c->judgement.age_ns, slot->open_ns)};
	}
	return n;
}

static void raise(_Atomic uint32_t *peak, unsigned count)
{
	if (count > atomic_load_explicit(peak, memory_order_relaxed))
		atomic_store_explicit(peak, count, memory_order_relaxed);
}

static void note_peaks(uint32_t place, struct peaks peaks)
{
	struct cg_site *site = cg_track_site(place, false);
	if (!site)
		return;
	raise(&site->busiest, peaks.used);
	raise(&site->most_live, peaks.alive);
}

/* Of the spans from `first` to `at`, of one place: how many had not ended when the one at `at` began. */
static void compare(const struct span *spans, unsigned first, unsigned at, struct peaks *peaks)
{
	struct peaks open = {0, 0};
	for (unsigned i = first; i <= at; i++) {
		open.used += spans[i].used >= spans[at].from;
		open.alive += spans[i].alive >= spans[at].from;
	}
	if (open.used > peaks->used)
		peaks->used = open.used;
	if (open.alive > peaks->alive)
		peaks->alive = open.alive;
}

void cg_suspects_note_peaks(struct cg_sweep *sweep)
{
	unsigned room = sweep->suspect_count < SPANS ? sweep->suspect_count : SPANS;
	struct span *spans = room ? cg_arena_alloc(&sweep->arena, room * sizeof *spans) : NULL;
	unsigned n = spans ? collect(sweep, spans, room) : 0, first = 0;
	struct peaks peaks = {0, 0};
	sort(spans, n);
	for (unsigned at = 0; at < n; at++) {
		compare(spans, first, at, &peaks);
		if (at + 1 < n && spans[at + 1].place == spans[first].place)
			continue;
		note_peaks(spans[first].place, peaks);
		first = at + 1;
		peaks = (struct peaks){0, 0};
	}
}
