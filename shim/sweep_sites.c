/* sweep_sites.c: names the places where connections were opened, for rules that ask for them. */
#include "sweep_sites.h"

#include "act_parts.h"
#include "policy.h"
#include "recorder.h"
#include "stack.h"
#include "symbol.h"

/* What naming may take in one look, of this thread's CPU time; what is left is named in the next. */
static const uint64_t budget_ns = 200000000u;

static uint64_t bits_of(const struct cg_policy *policy, const struct cg_stack_copy *stack)
{
	struct cg_frame frames[CG_FRAMES_PER_IP];
	uint64_t bits = 0;
	for (unsigned at = 0; at < stack->depth; at++) {
		unsigned n = cg_symbol_resolve(NULL, stack->ip[at], stack->generation, frames, CG_FRAMES_PER_IP);
		for (unsigned i = 0; i < n; i++) {
			if (frames[i].function[0])
				bits |= cg_policy_site_bits(policy, frames[i].function);
			bits |= cg_policy_site_bits(policy, frames[i].module);
		}
	}
	return bits;
}

void cg_sweep_sites_name(const struct cg_policy *policy, bool may_load)
{
	bool begun = false;
	for (unsigned i = 0; i < CG_MAX_SITES; i++) {
		struct cg_site *site = cg_recorder_site(i, false);
		uint32_t id = site ? atomic_load(&site->stack) : 0;
		if (!site)
			i |= (CG_CHUNK_SIZE / 256) - 1;
		struct cg_stack_copy stack;
		if (!id || cg_act_site_known(id) || !cg_stack_read(id, &stack))
			continue;
		if (!begun)
			cg_symbol_begin(budget_ns, may_load);
		begun = true;
		uint64_t bits = bits_of(policy, &stack);
		if (cg_symbol_cut())
			break; /* this one lacks names for want of time */
		cg_act_site_set(id, bits);
	}
	if (begun)
		cg_symbol_end();
}
