/*
 * sweep_sites.h: names the places where connections were opened, for rules that ask for them. Sweep only.
 */
#ifndef CG_SWEEP_SITES_H
#define CG_SWEEP_SITES_H

#include <stdbool.h>

struct cg_policy;

/* Names opening stacks that were not named yet, within a budget of time; may_load as for cg_symbol_begin. */
void cg_sweep_sites_name(const struct cg_policy *policy, bool may_load);

#endif
