/* sweep_uses.c: chooses the connections whose uses are told by stacks. */
#include "sweep_uses.h"

#include <string.h>

#include "modules.h"
#include "recorder.h"
#include "report_site.h"
#include "sweep_policy.h"
#include "track.h"

/*
 * Some microseconds each, all of them less than a thousandth of a core at the usual interval; and no more once half of
 * the room for stacks is taken, which openings need.
 */
enum { STACKS = 256, ROOM = CG_STACK_ARENA / 2 };

/* The last answer: the suspects of a place follow each other, and are many. */
struct answer {
	uint64_t ip;
	bool passed_over;
};

/* By its module alone: names are not known here, and are not needed for libraries. */
static bool is_passed_over(uint64_t ip)
{
	const struct cg_report report = {.passes_over = cg_sweep_policy_passes_over};
	const struct cg_module *module = cg_modules_find(ip, atomic_load(&cg_recorder_header()->module_generation));
	const char *slash = module ? strrchr(module->path, '/') : NULL;
	struct cg_frame frame = {.module = "[jit]"};
	struct cg_buf name;
	if (module) {
		cg_buf_init(&name, frame.module, sizeof frame.module);
		cg_buf_str(&name, slash ? slash + 1 : module->path);
	}
	return cg_site_passed_over(&report, &frame);
}

/* Where the end was read through a call that was seen, that has a stack already. */
static bool wants_stack(const struct cg_suspect *c, struct answer *last)
{
	uint32_t flags = atomic_load(&c->facts.slot.flags);
	uint64_t use = atomic_load(&c->facts.slot.last_use);
	if (c->judgement.kind == CG_KIND_NONE || c->facts.fd < 0 || !c->facts.has_slot || !use ||
	    (flags & (CG_SLOT_EOF | CG_SLOT_ERROR | CG_SLOT_WATCHED)))
		return false;
	use &= (1ull << 56) - 1;
	if (use != last->ip)
		*last = (struct answer){use, is_passed_over(use)};
	return last->passed_over;
}

void cg_sweep_uses_watch(struct cg_sweep *sweep)
{
	struct cg_header *h = cg_recorder_header();
	struct answer last = {0, false};
	if (!h)
		return;
	cg_track_use_renew(atomic_load(&h->stack_used) < ROOM ? STACKS : 0);
	for (struct cg_suspect *c = sweep->suspects; c; c = c->next) {
		struct cg_slot *slot = cg_slot_at(c->facts.fd);
		if (!slot || !wants_stack(c, &last) || atomic_load(&slot->gen) != atomic_load(&c->facts.slot.gen))
			continue;
		atomic_fetch_or(&slot->flags, CG_SLOT_WATCHED);
		struct cg_site *site = cg_track_site(c->facts.slot.open_stack, false);
		if (site)
			atomic_store(&site->watched, 1);
	}
}
