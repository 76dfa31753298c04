/* sweep_site.c: chooses a finding's place among those of the others. */
#include "sweep_site.h"

#include "recorder.h"
#include "report_site.h"
#include "stack.h"

enum { OTHERS = 64 }; /* as many findings are compared with: more do not tell a place apart any better */

/* Bit i: frame i of the place is in that stack too. */
static uint64_t frames_in(const struct cg_place *place, uint32_t stack)
{
	struct cg_stack_copy other;
	uint64_t in = 0;
	if (!cg_stack_read(stack, &other))
		return 0;
	for (unsigned i = 0; i < place->depth; i++)
		for (unsigned j = 0; j < other.depth; j++)
			if (place->ip[i] == other.ip[j]) {
				in |= 1ull << i;
				break;
			}
	return in;
}

static uint64_t common_frames(const struct cg_groups *groups, const struct cg_kept_finding *kept,
                              const struct cg_finding *finding)
{
	uint64_t common = 0;
	unsigned compared = 0;
	for (unsigned i = 0; i < groups->end && compared < OTHERS; i++) {
		const struct cg_kept_finding *other = cg_recorder_finding(i, false);
		bool is_there = other && (other->count || groups->list[i]);
		if (!is_there || !other->open_stack || other->open_stack == kept->open_stack)
			continue;
		compared++;
		common |= frames_in(&finding->opened, other->open_stack);
	}
	return common;
}

void cg_sweep_site(const struct cg_report *report, const struct cg_groups *groups, struct cg_kept_finding *kept,
                   struct cg_finding *finding)
{
	uint64_t common = finding->opened.known ? common_frames(groups, kept, finding) : 0;
	finding->site_ip = cg_site_choose(report, finding, common, &finding->site_generation);
	uint32_t gen = atomic_load(&kept->gen) | 1;
	atomic_store(&kept->gen, gen);
	kept->site_ip = finding->site_ip;
	kept->site_generation = finding->site_generation;
	atomic_store(&kept->gen, gen + 1);
}
