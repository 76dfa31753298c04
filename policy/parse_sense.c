/* parse_sense.c: combinations that can never come true. */
#include <string.h>

#include "parse.h"

/* 4 or 6; 0 where a net holds addresses of both. */
static unsigned family_of(const struct cg_policy_net *net)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	if (!net->said || net->prefix == 0)
		return 0;
	if (net->prefix >= 96)
		return memcmp(net->bytes, mapped, sizeof mapped) == 0 ? 4 : 6;
	/* A shorter prefix that holds mapped addresses at all consists of zeros; only ::/0 is of use then. */
	for (unsigned i = 0; i < net->prefix / 8u; i++)
		if (net->bytes[i])
			return 6;
	return 0;
}

void cg_config_sense_match(struct cg_config *parse, const config_setting_t *match,
                           const struct cg_policy_match_on *said)
{
	unsigned local = family_of(&said->local), peer = family_of(&said->peer);
	if (local && peer && local != peer)
		cg_config_error(parse, match,
		                "local is IPv%u and peer is IPv%u; both ends of a connection are of one family", local,
		                peer);
	else if (said->family && ((local && local != said->family) || (peer && peer != said->family)))
		cg_config_error(parse, match, "family is IPv%u and %s is IPv%u; no connection is both", said->family,
		                local && local != said->family ? "local" : "peer", 10u - said->family);
}

static bool net_covers(const struct cg_policy_net *wide, const struct cg_policy_net *narrow)
{
	if (!wide->said)
		return true;
	if (!narrow->said || narrow->prefix < wide->prefix)
		return wide->prefix == 0 && !wide->port_last;
	if (wide->port_last &&
	    (!narrow->port_last || narrow->port_first < wide->port_first || narrow->port_last > wide->port_last))
		return false;
	for (unsigned bit = 0; bit < wide->prefix; bit++)
		if ((wide->bytes[bit / 8] ^ narrow->bytes[bit / 8]) >> (7 - bit % 8) & 1)
			return false;
	return true;
}

/* Does all that the second could match fall to the first? */
static bool covers(const struct cg_policy_match_on *first, const struct cg_policy_match_on *second)
{
	return (!first->role || first->role == second->role) && (!first->family || first->family == second->family) &&
	       net_covers(&first->local, &second->local) && net_covers(&first->peer, &second->peer) &&
	       (!first->site[0] || strcmp(first->site, second->site) == 0);
}

static struct cg_config_place place_of(const struct cg_policy_rule *rule)
{
	return (struct cg_config_place){rule->file, rule->line};
}

static void warn_unreachable(struct cg_config *parse, unsigned at)
{
	const struct cg_policy_rule *rules = parse->policy.rules;
	for (unsigned i = 0; i < at; i++) {
		if (!covers(&rules[i].match, &rules[at].match))
			continue;
		cg_config_warn_at(parse, place_of(&rules[at]), "rules",
		                  "\"%s\" is never reached: the first match wins, and \"%s\" at line %u matches all "
		                  "that it does",
		                  rules[at].name, rules[i].name, rules[i].line);
		return;
	}
}

/* Where a rule says nothing of its own, the file's warn_after is its. */
static void check_reaping(struct cg_config *parse, const struct cg_policy_rule *rule)
{
	const char *text = parse->policy.settings.warn_after;
	int64_t ms = text[0] ? cg_config_duration(text) : -1;
	if (ms > 0 && rule->reap_after_ns && !rule->warn_after_ns && rule->reap_after_ns < (uint64_t)ms * 1000000)
		cg_config_error_at(
		    parse, place_of(rule), "rules.eof.reap_after",
		    "it is shorter than the file's warn_after of %s, so the connection would be gone before it "
		    "is told; at least warn_after is allowed",
		    text);
}

void cg_config_sense(struct cg_config *parse)
{
	for (unsigned i = 0; i < parse->policy.rule_count; i++) {
		check_reaping(parse, &parse->policy.rules[i]);
		warn_unreachable(parse, i);
	}
}
