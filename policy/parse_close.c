/* parse_close.c: what a rule does at close. */
#include <stddef.h>
#include <string.h>

#include "parse.h"

#define IN_RULE(field) offsetof(struct cg_policy_rule, field)

enum { MS_SECOND = 1000, MS_MINUTE = 60000, MS_HOUR = 3600000 };

/* The text of a setting that takes words beside a duration; NULL where that is no text. */
static const char *word_of(const config_setting_t *setting)
{
	return config_setting_type(setting) == CONFIG_TYPE_STRING ? config_setting_get_string(setting) : NULL;
}

static void read_linger(struct cg_config *parse, const config_setting_t *setting, const struct cg_config_key *key,
                        void *field)
{
	static const char *const words[] = {
	    [CG_LINGER_DEFAULT] = "default", [CG_LINGER_OFF] = "off", [CG_LINGER_RESET] = "reset"};
	struct cg_policy_rule *rule = field;
	const char *text = word_of(setting);
	for (unsigned i = CG_LINGER_DEFAULT; text && i <= CG_LINGER_RESET; i++)
		if (strcmp(text, words[i]) == 0)
			rule->linger = (uint8_t)i;
	if (rule->linger == CG_LINGER_RESET)
		cg_config_warn(parse, setting,
		               "\"reset\" discards what is unsent and unread on either side: responses can arrive "
		               "truncated");
	if (rule->linger != CG_LINGER_UNSAID)
		return;
	if (text && cg_config_duration(text) == 0) {
		cg_config_error(parse, setting,
		                "a time of 0 would be a reset; it takes \"reset\" where that is meant, else %s",
		                key->allowed);
		return;
	}
	uint32_t seconds = 0;
	cg_config_s(parse, setting, key, &seconds);
	if (!seconds)
		return;
	rule->linger = CG_LINGER_TIME;
	rule->linger_s = (uint16_t)seconds;
	cg_config_warn(parse, setting,
	               "a time blocks the thread in close until the peer has acknowledged all or the time is over, "
	               "even on non-blocking sockets");
}

static void read_fin_timeout(struct cg_config *parse, const config_setting_t *setting, const struct cg_config_key *key,
                             void *field)
{
	struct cg_policy_rule *rule = field;
	const char *text = word_of(setting);
	uint32_t seconds = 0;
	if (text && strcmp(text, "reset") == 0) {
		rule->fin_timeout_s = -1;
		return;
	}
	cg_config_s(parse, setting, key, &seconds);
	rule->fin_timeout_s = (int32_t)seconds;
}

static const struct cg_config_key drain_keys[] = {
    {"timeout", cg_config_ms, IN_RULE(drain_ms), "a duration from \"1ms\" to \"1m\"", 1, MS_MINUTE},
    {"bytes", cg_config_size, IN_RULE(drain_bytes), "a size from 1 to \"64M\": a number, or a text that ends in K or M",
     1, 64 << 20},
    {NULL, NULL, 0, NULL, 0, 0},
};

static void read_drain(struct cg_config *parse, const config_setting_t *setting, const struct cg_config_key *key,
                       void *field)
{
	(void)key;
	if (cg_config_group(parse, setting, drain_keys, field) && !config_setting_get_member(setting, "timeout"))
		cg_config_error(
		    parse, setting,
		    "it has no timeout, and a peer may send for ever; it takes timeout = \"1ms\" to \"1m\"");
}

static const struct cg_config_key close_keys[] = {
    {"linger", read_linger, 0, "\"default\", \"off\", \"reset\" or a time from \"1s\" to \"1h\" in whole seconds",
     MS_SECOND, MS_HOUR},
    {"drain", read_drain, 0, "a group", 0, 0},
    {"fin_timeout", read_fin_timeout, 0, "\"reset\" or a duration from \"1s\" to \"120s\" in whole seconds", MS_SECOND,
     120 * MS_SECOND},
    {"user_timeout", cg_config_ms, IN_RULE(close_user_timeout_ms), "a duration from \"1ms\" to \"24h\"", 1,
     24 * MS_HOUR},
    {"rto_max", cg_config_ms, IN_RULE(rto_max_ms), "a duration from \"1s\" to \"120s\"", MS_SECOND, 120 * MS_SECOND},
    {NULL, NULL, 0, NULL, 0, 0},
};

void cg_config_close(struct cg_config *parse, const config_setting_t *setting, const struct cg_config_key *key,
                     void *field)
{
	static const char *const idle[] = {"fin_timeout", "user_timeout", "rto_max"};
	const struct cg_policy_rule *rule = field;
	(void)key;
	if (!cg_config_group(parse, setting, close_keys, field) || rule->linger != CG_LINGER_RESET)
		return;
	if (config_setting_get_member(setting, "drain"))
		cg_config_error(parse, config_setting_get_member(setting, "drain"),
		                "it saves what linger = \"reset\" throws away; only one of the two is allowed");
	for (unsigned i = 0; i < sizeof idle / sizeof idle[0]; i++)
		if (config_setting_get_member(setting, idle[i]))
			cg_config_warn(parse, config_setting_get_member(setting, idle[i]),
			               "it has no effect: linger = \"reset\" leaves nothing to wait for");
}
