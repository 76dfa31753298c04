/* sweep_full.c: names for what will be told when no file can be opened any more. */
#include "sweep_full.h"

#include "arena.h"
#include "exhaustion.h"
#include "log.h"
#include "recorder.h"
#include "stack.h"
#include "sweep_names.h"
#include "sweep_report_parts.h"
#include "symbol.h"

enum { SUSPECTS_NAMED = 256 };

static bool prepared;

static void name(uint64_t ip, uint32_t generation)
{
	struct cg_frame frames[CG_FRAMES_PER_IP];
	(void)cg_symbol_resolve(NULL, ip, generation, frames, CG_FRAMES_PER_IP);
}

static void name_stack(uint32_t id)
{
	struct cg_stack_copy stack;
	for (unsigned i = 0; cg_stack_read(id, &stack) && i < stack.depth; i++)
		name(stack.ip[i], stack.generation);
}

static void name_suspects(const struct cg_sweep *sweep)
{
	unsigned count = 0;
	for (const struct cg_suspect *c = sweep->suspects; c && count++ < SUSPECTS_NAMED; c = c->next) {
		name_stack(c->facts.slot.open_stack);
		name_stack(c->facts.slot.eof_stack);
	}
}

static void name_holders(struct cg_sweep *sweep)
{
	struct cg_finding *finding = cg_arena_alloc(&sweep->arena, sizeof *finding);
	if (!finding)
		return;
	cg_exhaustion_places(finding);
	for (unsigned i = 0; i < finding->open_place_count; i++)
		for (unsigned at = 0; at < finding->open_places[i].place.depth; at++)
			name(finding->open_places[i].place.ip[at], finding->open_places[i].place.generation);
}

void cg_sweep_full_prepare(struct cg_sweep *sweep)
{
	struct cg_header *h = cg_recorder_header();
	uint64_t limit = h && !prepared ? cg_exhaustion_limit() : 0;
	if (!limit || 5ull * atomic_load(&h->open_now) < 4 * limit)
		return;
	prepared = true;
	cg_log_keep_in_full_table();
	cg_sweep_names_begin(CG_NAMES_BUDGET_NS, true);
	name_suspects(sweep);
	name_holders(sweep);
	cg_symbol_end();
}

void cg_sweep_full_after_fork(void)
{
	prepared = false;
}
