/*
 * check_explain.c: which rule would be a connection's, and why not the ones before it.
 *
 * Conditions are asked one at a time of the library's own match, with a policy of one rule that has only this one.
 */
#include <string.h>

#include "check.h"
#include "cli.h"

enum { SITES = 16, TOKEN = 256 };

struct story {
	struct cg_policy_facts facts;
	bool has_local, has_peer;
	unsigned site_count;
	char sites[SITES][TOKEN]; /* functions or modules of the opening stack */
};

static int refuse(const char *what, const char *value, const char *allowed)
{
	cg_common_complain("check", "--explain: %s'%s' is not understood; it takes %s", what, value, allowed);
	return CG_EXIT_USAGE;
}

static int read_role(struct story *story, const char *value)
{
	if (strcmp(value, "accepted") == 0)
		story->facts.role = CG_POLICY_ACCEPTED;
	else if (strcmp(value, "connected") == 0)
		story->facts.role = CG_POLICY_CONNECTED;
	else
		return refuse("role=", value, "accepted or connected");
	return 0;
}

static int read_end(struct story *story, const char *value, bool local)
{
	uint8_t *address = local ? story->facts.local : story->facts.peer;
	uint16_t *port = local ? &story->facts.local_port : &story->facts.peer_port;
	if (cg_check_parse_address(value, address, port) < 0)
		return refuse(local ? "local=" : "peer=", value, "an address with its port: 10.0.0.1:8443, [::1]:8443");
	*(local ? &story->has_local : &story->has_peer) = true;
	return 0;
}

static int read_site(struct story *story, const char *value)
{
	if (story->site_count == SITES)
		return refuse("site=", value, "up to 16 functions or modules");
	snprintf(story->sites[story->site_count++], TOKEN, "%s", value);
	story->facts.has_sites = true;
	return 0;
}

/* Returns 0, or an exit code with the complaint made. */
static int read_token(struct story *story, const char *token)
{
	const char *value = strchr(token, '=');
	if (value && strncmp(token, "role=", 5) == 0)
		return read_role(story, value + 1);
	if (value && (strncmp(token, "local=", 6) == 0 || strncmp(token, "peer=", 5) == 0))
		return read_end(story, value + 1, token[0] == 'l');
	if (value && value[1] && strncmp(token, "site=", 5) == 0)
		return read_site(story, value + 1);
	return refuse("", token, "role=, local=, peer= and site=, each with a value");
}

static int read_story(const char *said, struct story *story)
{
	static const char blanks[] = " \t\n";
	for (said += strspn(said, blanks); *said; said += strspn(said, blanks)) {
		char token[TOKEN];
		size_t n = strcspn(said, blanks);
		snprintf(token, sizeof token, "%.*s", (int)(n < TOKEN ? n : TOKEN - 1), said);
		int code = read_token(story, token);
		if (code)
			return code;
		said += n;
	}
	return 0;
}

/* One end alone will do where no rule asks for the other; its family is the other's, too. */
static int complete_addresses(struct story *story, const struct cg_policy *policy)
{
	struct cg_policy_facts *facts = &story->facts;
	if (story->has_local == story->has_peer) {
		facts->has_addresses = story->has_local;
		static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
		bool one = memcmp(facts->local, mapped, 12) == 0, other = memcmp(facts->peer, mapped, 12) == 0;
		if (one == other)
			return 0;
		cg_common_complain("check",
		                   "--explain: local and peer are of different families; a connection has one");
		return CG_EXIT_USAGE;
	}
	for (unsigned i = 0; i < policy->rule_count; i++) {
		const struct cg_policy_match_on *match = &policy->rules[i].match;
		if (!(story->has_local ? match->peer.said : match->local.said))
			continue;
		cg_common_complain("check", "--explain: %s= is needed too: \"%s\" asks for it",
		                   story->has_local ? "peer" : "local", policy->rules[i].name);
		return CG_EXIT_USAGE;
	}
	memcpy(story->has_local ? facts->peer : facts->local, story->has_local ? facts->local : facts->peer, 16);
	facts->has_addresses = true;
	return 0;
}

/* What the library says of a policy with this one rule. */
static int ask(const struct cg_policy_match_on *match, const struct story *story)
{
	static struct cg_policy one;
	struct cg_policy_facts facts = story->facts;
	one.rule_count = 1;
	one.rules[0].match = *match;
	facts.sites = 0;
	for (unsigned i = 0; i < story->site_count; i++)
		facts.sites |= cg_policy_site_bits(&one, story->sites[i]);
	return cg_policy_match(&one, &facts);
}

static void print_end(const char *name, const struct cg_policy_net *net, const uint8_t *address, uint16_t port)
{
	char wanted[CG_CHECK_TEXT], given[CG_CHECK_TEXT];
	printf("%s is %s, port %u, and it asks for %s", name, cg_check_address(address, given), port,
	       cg_check_net(net, wanted));
}

/* What of the rule's match is answered with `answer`: the first such condition. */
static void print_condition(const struct cg_policy_rule *rule, const struct story *story, int answer)
{
	static const char *const roles[] = {"not given", "accepted", "connected"};
	const struct cg_policy_match_on *match = &rule->match;
	const struct cg_policy_facts *facts = &story->facts;
	bool unknown = answer == CG_POLICY_UNDECIDED;
	if (ask(&(struct cg_policy_match_on){.role = match->role}, story) == answer)
		printf("role is %s, and it asks for %s", roles[facts->role], roles[match->role]);
	else if (ask(&(struct cg_policy_match_on){.family = match->family}, story) == answer)
		printf(unknown ? "it asks for the family: give local= and peer=" : "it asks for IPv%u", match->family);
	else if (ask(&(struct cg_policy_match_on){.local = match->local}, story) == answer && unknown)
		printf("it asks for the local address: give local= and peer=");
	else if (ask(&(struct cg_policy_match_on){.local = match->local}, story) == answer)
		print_end("local", &match->local, facts->local, facts->local_port);
	else if (ask(&(struct cg_policy_match_on){.peer = match->peer}, story) == answer && unknown)
		printf("it asks for the peer's address: give local= and peer=");
	else if (ask(&(struct cg_policy_match_on){.peer = match->peer}, story) == answer)
		print_end("peer", &match->peer, facts->peer, facts->peer_port);
	else
		printf(unknown ? "it asks for who opened the connection: give site=, with a match of %s"
		               : "no site given matches %s",
		       cg_common_plain(match->site));
}

static void print_misses(const struct cg_policy *policy, unsigned count, const struct story *story)
{
	for (unsigned i = 0; i < count; i++) {
		printf("  rule %u, \"%s\", does not match: ", i + 1, cg_common_plain(policy->rules[i].name));
		print_condition(&policy->rules[i], story, CG_POLICY_NO_RULE);
		putchar('\n');
	}
}

int cg_check_explain(const char *file, const struct cg_policy *policy, const char *said)
{
	struct story story = {.site_count = 0};
	int code = read_story(said, &story), answer = CG_POLICY_NO_RULE;
	if (!code)
		code = complete_addresses(&story, policy);
	if (code)
		return code;
	const char *shown = cg_common_plain(file);
	unsigned at = 0;
	while (at < policy->rule_count && (answer = ask(&policy->rules[at].match, &story)) == CG_POLICY_NO_RULE)
		at++;
	if (at == policy->rule_count) {
		printf("%s: no rule applies; the connection is left alone\n", shown);
	} else if (answer == CG_POLICY_UNDECIDED) {
		printf("%s: it depends on rule %u, \"%s\": ", shown, at + 1, cg_common_plain(policy->rules[at].name));
		print_condition(&policy->rules[at], &story, answer);
		printf("; until that is known, nothing is done\n");
	} else {
		printf("%s: rule %u, \"%s\" (line %u), applies; %s\n", shown, at + 1,
		       cg_common_plain(policy->rules[at].name), policy->rules[at].line,
		       policy->enforce ? "the mode is enforce, so this is done:"
		                       : "the mode is observe, so this is only logged, not done:");
		cg_check_actions(&policy->rules[at], true);
	}
	print_misses(policy, at, &story);
	return CG_EXIT_DONE;
}
