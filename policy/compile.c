/* compile.c: what the rules of a policy need and do at all. */
#include "policy.h"

enum {
	DRAIN_BYTES = 65536
}; /* where a drain names no limit: what a peer may have under way at once on a small window */

static void least_of(uint64_t *least, uint64_t ns)
{
	if (ns && (!*least || ns < *least))
		*least = ns;
}

static bool acts_on_close(const struct cg_policy_rule *rule)
{
	return rule->linger > CG_LINGER_DEFAULT || rule->drain_ms || rule->fin_timeout_s ||
	       rule->close_user_timeout_ms || rule->rto_max_ms;
}

static bool acts_on_options(const struct cg_policy_rule *rule)
{
	for (unsigned i = 0; i < rule->option_count; i++)
		if (rule->options[i].verb != CG_OPTION_ALLOW)
			return true;
	return false;
}

static void add(struct cg_policy *policy, struct cg_policy_rule *rule)
{
	if (rule->drain_ms && !rule->drain_bytes)
		rule->drain_bytes = DRAIN_BYTES;
	policy->needs_addresses |= rule->match.family || rule->match.local.said || rule->match.peer.said;
	policy->needs_site |= rule->match.site[0] != '\0';
	policy->acts_on_open |= rule->keepalive.said || rule->open_user_timeout_ms;
	policy->acts_on_close |= acts_on_close(rule);
	policy->acts_on_eof |= rule->reap_after_ns != 0;
	policy->acts_on_shutdown |= rule->fin_wait2_after_ns != 0;
	policy->acts_on_options |= acts_on_options(rule);
	policy->drains |= rule->drain_ms != 0;
	policy->warns |= rule->warn_after_ns != 0;
	least_of(&policy->least_warn_after_ns, rule->warn_after_ns);
	least_of(&policy->least_reap_after_ns, rule->reap_after_ns);
	least_of(&policy->least_fin_wait2_after_ns, rule->fin_wait2_after_ns);
}

void cg_policy_compile(struct cg_policy *policy)
{
	policy->needs_addresses = policy->needs_site = policy->drains = policy->warns = false;
	policy->acts_on_open = policy->acts_on_close = policy->acts_on_eof = policy->acts_on_shutdown = false;
	policy->acts_on_options = false;
	policy->least_warn_after_ns = policy->least_reap_after_ns = policy->least_fin_wait2_after_ns = 0;
	for (unsigned i = 0; i < policy->rule_count; i++)
		add(policy, &policy->rules[i]);
}
