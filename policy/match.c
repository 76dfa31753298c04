/* match.c: which rule is a connection's. */
#include <stddef.h>
#include <string.h>

#include "policy.h"

/* What is known of one condition, or of all of them. */
enum answer { NO, UNKNOWN, YES };

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}; /* ::ffff:0:0/96, where IPv4 stands */

static bool in_net(const struct cg_policy_net *net, const uint8_t *address, uint16_t port)
{
	unsigned whole = net->prefix / 8, rest = net->prefix % 8;
	if (!net->said)
		return true;
	if (net->port_last && (port < net->port_first || port > net->port_last))
		return false;
	if (memcmp(net->bytes, address, whole) != 0)
		return false;
	return !rest || (net->bytes[whole] ^ address[whole]) >> (8 - rest) == 0;
}

static enum answer role_fits(const struct cg_policy_match_on *match, const struct cg_policy_facts *facts)
{
	return match->role == CG_POLICY_ANY_ROLE || match->role == facts->role ? YES : NO;
}

static enum answer addresses_fit(const struct cg_policy_match_on *match, const struct cg_policy_facts *facts)
{
	if (!match->family && !match->local.said && !match->peer.said)
		return YES;
	if (!facts->has_addresses)
		return UNKNOWN;
	unsigned family = memcmp(facts->peer, mapped, sizeof mapped) == 0 ? 4 : 6;
	if (match->family && match->family != family)
		return NO;
	return in_net(&match->local, facts->local, facts->local_port) &&
	               in_net(&match->peer, facts->peer, facts->peer_port)
	           ? YES
	           : NO;
}

static enum answer site_fits(const struct cg_policy_match_on *match, const struct cg_policy_facts *facts, unsigned rule)
{
	if (!match->site[0])
		return YES;
	if (!facts->has_sites)
		return UNKNOWN;
	return facts->sites >> rule & 1 ? YES : NO;
}

static enum answer least(enum answer one, enum answer other)
{
	return one < other ? one : other;
}

int cg_policy_match(const struct cg_policy *policy, const struct cg_policy_facts *facts)
{
	for (unsigned i = 0; i < policy->rule_count; i++) {
		const struct cg_policy_match_on *match = &policy->rules[i].match;
		enum answer fits =
		    least(role_fits(match, facts), least(addresses_fit(match, facts), site_fits(match, facts, i)));
		if (fits == UNKNOWN)
			return CG_POLICY_UNDECIDED; /* a later rule applies only where this one does not */
		if (fits == YES)
			return (int)i;
	}
	return CG_POLICY_NO_RULE;
}

uint64_t cg_policy_site_bits(const struct cg_policy *policy, const char *name)
{
	uint64_t bits = 0;
	const char *slash = strrchr(name, '/');
	for (unsigned i = 0; i < policy->rule_count; i++) {
		const char *glob = policy->rules[i].match.site;
		if (glob[0] && (cg_policy_glob(glob, name) || (slash && cg_policy_glob(glob, slash + 1))))
			bits |= UINT64_C(1) << i;
	}
	return bits;
}

enum cg_policy_verb cg_policy_option_verb(const struct cg_policy_rule *rule, int level, int name)
{
	for (unsigned i = 0; i < rule->option_count; i++)
		if (rule->options[i].level == level && rule->options[i].name == name)
			return (enum cg_policy_verb)rule->options[i].verb;
	return CG_OPTION_ALLOW;
}
