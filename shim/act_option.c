/* act_option.c: what a rule says of the program's own setsockopt. */
#include "act_parts.h"
#include "policy.h"
#include "stack.h"
#include "track.h"

bool cg_act_denies_option(int fd, int level, int name)
{
	struct cg_slot *slot = cg_slot_at(fd);
	uint8_t kind = slot ? atomic_load(&slot->kind) : CG_FD_NONE;
	if ((kind != CG_FD_CONN && kind != CG_FD_LISTENER) || atomic_load(&cg_guard.sealed))
		return false;
	const struct cg_policy *policy = cg_act_enter();
	int index = policy ? cg_act_rule(policy, fd, slot) : CG_POLICY_NO_RULE;
	const struct cg_policy_rule *rule = index >= 0 ? &policy->rules[index] : NULL;
	enum cg_policy_verb verb = rule ? cg_policy_option_verb(rule, level, name) : CG_OPTION_ALLOW;
	bool denies = verb == CG_OPTION_DENY && policy->enforce;
	if (verb != CG_OPTION_ALLOW) {
		struct cg_act_note note = {.kind = CG_ACTION_SETSOCKOPT,
		                           .phase = CG_AT_SETSOCKOPT,
		                           .result = denies || verb == CG_OPTION_LOG ? CG_RESULT_DONE : CG_RESULT_WOULD,
		                           .reason = verb == CG_OPTION_DENY ? CG_REASON_DENIED : CG_REASON_NONE,
		                           .rule = (unsigned)index,
		                           .rule_name = rule->name,
		                           .stack = cg_stack_here(),
		                           .call = CG_CALL_setsockopt,
		                           .fd = fd,
		                           .level = level,
		                           .name = name};
		(void)cg_act_note(&note);
	}
	cg_act_leave();
	return denies;
}
