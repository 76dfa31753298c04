/* parse_rule.c: one rule: what it matches and what it does. */
#include <stdio.h>
#include <string.h>

#include "option_names.h"
#include "parse.h"

#define IN_RULE(field) offsetof(struct cg_policy_rule, field)
#define IN_MATCH(field) offsetof(struct cg_policy_match_on, field)

enum { MS_SECOND = 1000, MS_HOUR = 3600000 };
#define MS_YEAR (UINT64_C(8760) * MS_HOUR)

#define ADDRESS                                                                                                        \
	"an address or network with or without ports: \"10.0.0.0/8\", \"192.0.2.7:443\", \"[::1]:8000-8999\", "        \
	"\"*:80\""

static void read_role(struct cg_config *parse, const config_setting_t *setting, const struct cg_config_key *key,
                      void *field)
{
	static const char *const roles[] = {"accepted", "connected", NULL};
	int at = cg_config_word(parse, setting, roles, key->allowed);
	if (at >= 0)
		*(uint8_t *)field = (uint8_t)(at == 0 ? CG_POLICY_ACCEPTED : CG_POLICY_CONNECTED);
}

static void read_family(struct cg_config *parse, const config_setting_t *setting, const struct cg_config_key *key,
                        void *field)
{
	static const char *const families[] = {"ipv4", "ipv6", NULL};
	int at;
	if (config_setting_type(setting) == CONFIG_TYPE_INT) {
		int number = config_setting_get_int(setting);
		at = number == 4 ? 0 : number == 6 ? 1 : -1;
		if (at < 0)
			cg_config_refuse(parse, setting, "is no family", key->allowed);
	} else {
		at = cg_config_word(parse, setting, families, key->allowed);
	}
	if (at >= 0)
		*(uint8_t *)field = at == 0 ? 4 : 6;
}

static const struct cg_config_key match_keys[] = {
    {"role", read_role, IN_MATCH(role), "\"accepted\" or \"connected\"", 0, 0},
    {"family", read_family, IN_MATCH(family), "4, 6, \"ipv4\" or \"ipv6\"", 0, 0},
    {"local", cg_config_net, IN_MATCH(local), ADDRESS, 0, 0},
    {"peer", cg_config_net, IN_MATCH(peer), ADDRESS, 0, 0},
    {"site", cg_config_glob, IN_MATCH(site), "a pattern of at most 127 bytes such as \"http_accept*\"", 1,
     CG_POLICY_GLOB},
    {NULL, NULL, 0, NULL, 0, 0},
};

static void read_match(struct cg_config *parse, const config_setting_t *setting, const struct cg_config_key *key,
                       void *field)
{
	unsigned before = parse->errors.count;
	(void)key;
	if (cg_config_group(parse, setting, match_keys, field) && parse->errors.count == before)
		cg_config_sense_match(parse, setting, field);
}

static const struct cg_config_key keepalive_keys[] = {
    {"idle", cg_config_s, IN_RULE(keepalive.idle_s), "a duration from \"1s\" to \"9h\" in whole seconds", MS_SECOND,
     9 * MS_HOUR},
    {"interval", cg_config_s, IN_RULE(keepalive.interval_s), "a duration from \"1s\" to \"9h\" in whole seconds",
     MS_SECOND, 9 * MS_HOUR},
    {"count", cg_config_number, IN_RULE(keepalive.count), "a number from 1 to 127", 1, 127},
    {NULL, NULL, 0, NULL, 0, 0},
};

static void read_keepalive(struct cg_config *parse, const config_setting_t *setting, const struct cg_config_key *key,
                           void *field)
{
	(void)key;
	((struct cg_policy_rule *)field)->keepalive.said = true;
	cg_config_group(parse, setting, keepalive_keys, field);
}

static const struct cg_config_key open_keys[] = {
    {"keepalive", read_keepalive, 0, "a group", 0, 0},
    {"user_timeout", cg_config_ms, IN_RULE(open_user_timeout_ms), "a duration from \"1ms\" to \"24h\"", 1,
     24 * MS_HOUR},
    {NULL, NULL, 0, NULL, 0, 0},
};

static void read_open(struct cg_config *parse, const config_setting_t *setting, const struct cg_config_key *key,
                      void *field)
{
	(void)key;
	cg_config_group(parse, setting, open_keys, field);
}

static const struct cg_config_key eof_keys[] = {
    {"warn_after", cg_config_ns, IN_RULE(warn_after_ns), "a duration from \"1ms\" to \"8760h\"", 1, MS_YEAR},
    {"reap_after", cg_config_ns, IN_RULE(reap_after_ns), "a duration from \"1ms\" to \"8760h\"", 1, MS_YEAR},
    {NULL, NULL, 0, NULL, 0, 0},
};

static void read_eof(struct cg_config *parse, const config_setting_t *setting, const struct cg_config_key *key,
                     void *field)
{
	const struct cg_policy_rule *rule = field;
	(void)key;
	if (cg_config_group(parse, setting, eof_keys, field) && rule->reap_after_ns &&
	    rule->warn_after_ns > rule->reap_after_ns)
		cg_config_error(parse, config_setting_get_member(setting, "reap_after"),
		                "it is shorter than warn_after, so the connection would be gone before it is told; "
		                "at least warn_after is allowed");
}

static const struct cg_config_key shutdown_keys[] = {
    {"fin_wait2_after", cg_config_ns, IN_RULE(fin_wait2_after_ns), "a duration from \"1ms\" to \"8760h\"", 1, MS_YEAR},
    {NULL, NULL, 0, NULL, 0, 0},
};

static void read_shutdown(struct cg_config *parse, const config_setting_t *setting, const struct cg_config_key *key,
                          void *field)
{
	(void)key;
	cg_config_group(parse, setting, shutdown_keys, field);
}

static void refuse_option(struct cg_config *parse, const config_setting_t *setting)
{
	struct cg_config_nearest nearest = {NULL, 0};
	for (const struct cg_option_name *option = cg_option_names; option->name; option++)
		cg_config_nearest(&nearest, config_setting_name(setting), option->name);
	cg_config_error(parse, setting, "this socket option is unknown; the nearest is %s", nearest.name);
}

static void read_option(struct cg_config *parse, const config_setting_t *setting, struct cg_policy_rule *rule)
{
	static const char *const verbs[] = {
	    [CG_OPTION_ALLOW] = "allow", [CG_OPTION_LOG] = "log", [CG_OPTION_DENY] = "deny", NULL};
	const struct cg_option_name *option = cg_option_names_find(config_setting_name(setting));
	if (!option) {
		refuse_option(parse, setting);
		return;
	}
	int verb = cg_config_word(parse, setting, verbs, "\"allow\", \"log\" or \"deny\"");
	if (rule->option_count == CG_POLICY_OPTIONS)
		cg_config_error(parse, setting, "it is one too many; a rule takes %d options", CG_POLICY_OPTIONS);
	else if (verb >= 0)
		rule->options[rule->option_count++] =
		    (struct cg_policy_option){option->level, option->number, (uint8_t)verb};
}

static void read_options(struct cg_config *parse, const config_setting_t *setting, const struct cg_config_key *key,
                         void *field)
{
	(void)key;
	if (config_setting_type(setting) != CONFIG_TYPE_GROUP) {
		cg_config_refuse_type(parse, setting, "a group such as { SO_LINGER = \"deny\"; }");
		return;
	}
	for (int i = 0; i < config_setting_length(setting); i++)
		read_option(parse, config_setting_get_elem(setting, (unsigned)i), field);
}

static const struct cg_config_key rule_keys[] = {
    {"name", cg_config_string, IN_RULE(name), "a text of 1 to 47 bytes", 1, CG_POLICY_NAME},
    {"match", read_match, IN_RULE(match), "a group", 0, 0},
    {"open", read_open, 0, "a group", 0, 0},
    {"eof", read_eof, 0, "a group", 0, 0},
    {"close", cg_config_close, 0, "a group", 0, 0},
    {"shutdown", read_shutdown, 0, "a group", 0, 0},
    {"setsockopt", read_options, 0, "a group", 0, 0},
    {NULL, NULL, 0, NULL, 0, 0},
};

static void refuse_same_name(struct cg_config *parse, const config_setting_t *group, const struct cg_policy_rule *rule)
{
	const config_setting_t *name = config_setting_get_member(group, "name");
	for (const struct cg_policy_rule *other = parse->policy.rules; other < rule; other++)
		if (strcmp(other->name, rule->name) == 0)
			cg_config_error(parse, name ? name : group,
			                "\"%s\" is the name of the rule at line %u; each takes a name of its own",
			                rule->name, other->line);
}

void cg_config_rule(struct cg_config *parse, const config_setting_t *group)
{
	struct cg_policy *policy = &parse->policy;
	if (policy->rule_count == CG_POLICY_RULES) {
		if (config_setting_index(group) == CG_POLICY_RULES)
			cg_config_error(parse, group, "it is one too many; a policy takes %d rules", CG_POLICY_RULES);
		return;
	}
	struct cg_policy_rule *rule = &policy->rules[policy->rule_count++];
	struct cg_config_place place = cg_config_place_of(parse, group);
	rule->file = place.file;
	rule->line = place.line;
	snprintf(rule->name, sizeof rule->name, "rule %u", policy->rule_count);
	cg_config_group(parse, group, rule_keys, rule);
	refuse_same_name(parse, group, rule);
}
