/* act_policy.c: which policy is in force. */
#include "act_parts.h"
#include "policy.h"
#include "sys.h"

enum { RETIRED = 4 };

static struct cg_policy *_Atomic current;
static _Atomic int readers; /* threads between enter and leave */
static _Atomic uint32_t serial;
static struct cg_policy *retired[RETIRED]; /* sweep only */

const struct cg_policy *cg_act_enter(void)
{
	atomic_fetch_add(&readers, 1);
	const struct cg_policy *policy = atomic_load(&current);
	return policy && policy->applies ? policy : NULL;
}

void cg_act_leave(void)
{
	atomic_fetch_sub(&readers, 1);
}

uint32_t cg_act_serial(void)
{
	return atomic_load(&serial);
}

static uint8_t gate_of(const struct cg_policy *policy)
{
	if (!policy || !policy->applies)
		return 0;
	return (uint8_t)((policy->acts_on_open ? CG_POLICY_ON_OPEN : 0) |
	                 (policy->acts_on_close ? CG_POLICY_ON_CLOSE : 0) |
	                 (policy->acts_on_options ? CG_POLICY_ON_OPTIONS : 0) |
	                 (policy->drains && policy->enforce ? CG_POLICY_ON_POLL : 0));
}

/* One that finds no place in the list stays mapped: it would take as many reloads within one sweep. */
static void retire(struct cg_policy *policy)
{
	for (int i = 0; policy && i < RETIRED; i++) {
		if (!retired[i]) {
			retired[i] = policy;
			return;
		}
	}
}

void cg_act_set_policy(struct cg_policy *policy)
{
	struct cg_policy *before = atomic_exchange(&current, policy);
	atomic_fetch_add(&serial, 1);
	atomic_store(&cg_guard.policy, gate_of(policy));
	retire(before);
}

/* Whoever enters from now on sees the new one; whoever was inside has left once there is nobody. */
void cg_act_collect_policies(void)
{
	if (atomic_load(&readers))
		return;
	for (int i = 0; i < RETIRED; i++) {
		if (retired[i])
			cg_sys_munmap(retired[i], sizeof *retired[i]);
		retired[i] = NULL;
	}
}
