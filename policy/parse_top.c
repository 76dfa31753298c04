/* parse_top.c: the keys of the file itself. */
#include <string.h>

#include "parse.h"

#define IN_POLICY(field) offsetof(struct cg_policy, field)
#define SETTING(name) cg_config_setting, IN_POLICY(settings.name)
#define ROOM(name) sizeof(((struct cg_policy *)0)->settings.name)

/* Read before all else; see below. */
static void read_version(struct cg_config *parse, const config_setting_t *setting, const struct cg_config_key *key,
                         void *field)
{
	(void)parse;
	(void)setting;
	(void)key;
	(void)field;
}

static void read_mode(struct cg_config *parse, const config_setting_t *setting, const struct cg_config_key *key,
                      void *field)
{
	static const char *const modes[] = {"observe", "enforce", NULL};
	*(bool *)field = cg_config_word(parse, setting, modes, key->allowed) == 1;
}

static void read_rules(struct cg_config *parse, const config_setting_t *setting, const struct cg_config_key *key,
                       void *field)
{
	(void)key;
	(void)field;
	cg_config_list(parse, setting, cg_config_rule);
}

static void read_suppress(struct cg_config *parse, const config_setting_t *setting, const struct cg_config_key *key,
                          void *field)
{
	(void)key;
	(void)field;
	cg_config_list(parse, setting, cg_config_suppression);
}

static const struct cg_config_key one_pattern = {
    "pass_over", cg_config_glob, 0, "patterns of at most 127 bytes such as \"net_*\"", 1, CG_POLICY_GLOB};

static void read_pass_over(struct cg_config *parse, const config_setting_t *setting, const struct cg_config_key *key,
                           void *field)
{
	struct cg_policy *policy = &parse->policy;
	int count = cg_config_patterns(parse, setting, key, &one_pattern, CG_POLICY_PASS_OVER, field);
	policy->pass_over_count = (uint32_t)count;
}

static const struct cg_config_key top_keys[] = {
    {"version", read_version, 0, "1", 0, 0},
    {"app", cg_config_glob, IN_POLICY(app), "a pattern of at most 127 bytes such as \"nginx*\"", 1, CG_POLICY_GLOB},
    {"mode", read_mode, IN_POLICY(enforce), "\"observe\" or \"enforce\"", 0, 0},
    {"rules", read_rules, 0, "a list", 0, 0},
    {"suppress", read_suppress, 0, "a list", 0, 0},
    {"pass_over", read_pass_over, IN_POLICY(pass_over), "an array of 1 to 16 patterns such as [ \"net_*\" ]", 0, 0},
    {"warn_after", SETTING(warn_after), "a duration such as \"500ms\", \"10s\", \"5m\", \"1h\"", 0, ROOM(warn_after)},
    {"interval", SETTING(interval), "a duration from \"10ms\" to \"1h\"", 0, ROOM(interval)},
    {"stacks", SETTING(stacks), "\"full\", \"fp\" or \"off\"", 0, ROOM(stacks)},
    {"depth", SETTING(depth), "a number from 1 to 64", 0, ROOM(depth)},
    {"format", SETTING(format), "\"text\" or \"json\"", 0, ROOM(format)},
    {"log", SETTING(log), "\"stderr\", \"none\", \"syslog\" or a path of at most 1023 bytes with %p, %e, %h, %t, %%", 0,
     ROOM(log)},
    {"log_mode", SETTING(log_mode), "an octal mode from \"0600\" to \"0664\"", 0, ROOM(log_mode)},
    {"exitcode", SETTING(exitcode), "a number from 0 to 255", 0, ROOM(exitcode)},
    {"signal", SETTING(signal), "\"none\" or a signal to spare such as \"USR2\"", 0, ROOM(signal)},
    {NULL, NULL, 0, NULL, 0, 0},
};

/* Returns false where the file is in another version of the language, so that errors in it would mean nothing. */
static bool is_this_version(struct cg_config *parse, const config_setting_t *root)
{
	const config_setting_t *version = config_setting_get_member(root, "version");
	if (!version) {
		cg_config_error_at(parse, (struct cg_config_place){0, 1}, "version",
		                   "it is missing; a policy begins with version = %d", CG_POLICY_VERSION);
		return true;
	}
	if (config_setting_type(version) != CONFIG_TYPE_INT)
		cg_config_refuse_type(parse, version, "1");
	else if (config_setting_get_int(version) == CG_POLICY_VERSION)
		return true;
	else
		cg_config_refuse(parse, version, "is a version that this closeguard does not know", "1");
	return false;
}

void cg_config_top(struct cg_config *parse, const config_setting_t *root)
{
	if (is_this_version(parse, root))
		cg_config_group(parse, root, top_keys, &parse->policy);
}
