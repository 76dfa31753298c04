/* parse_suppress.c: one suppression. */
#include <string.h>

#include "parse.h"

#define IN_SUPPRESSION(field) offsetof(struct cg_policy_suppression, field)

/* A finding's kinds and causes. A test compares them with what findings really say. */
static const char *const kinds[] = {"close_wait",   "dead_socket",     "fin_wait1",     "fin_wait2", "reset_on_close",
                                    "double_close", "use_after_close", "fd_exhaustion", NULL};
static const char *const causes[] = {"eof_ignored",    "data_unread", "fin_unread",     "shared",
                                     "never_accepted", "half_close",  "late_close",     "half_closed",
                                     "unread_data",    "linger_zero", "connect_failed", NULL};

static void read_kind(struct cg_config *parse, const config_setting_t *setting, const struct cg_config_key *key,
                      void *field)
{
	int at = cg_config_word(parse, setting, kinds, key->allowed);
	if (at >= 0)
		memcpy(field, kinds[at], strlen(kinds[at]) + 1);
}

static void read_cause(struct cg_config *parse, const config_setting_t *setting, const struct cg_config_key *key,
                       void *field)
{
	int at = cg_config_word(parse, setting, causes, key->allowed);
	if (at >= 0)
		memcpy(field, causes[at], strlen(causes[at]) + 1);
}

static const struct cg_config_key one_glob = {
    "stack", cg_config_glob, 0, "patterns of at most 127 bytes such as \"Curl_conncache*\"", 1, CG_POLICY_GLOB};

static void read_stack(struct cg_config *parse, const config_setting_t *setting, const struct cg_config_key *key,
                       void *field)
{
	struct cg_policy_suppression *suppression = field;
	int count = cg_config_patterns(parse, setting, key, &one_glob, CG_POLICY_GLOBS, suppression->stack);
	suppression->glob_count = (uint32_t)count;
}

static const struct cg_config_key suppress_keys[] = {
    {"kind", read_kind, IN_SUPPRESSION(kind),
     "close_wait, dead_socket, fin_wait1, fin_wait2, reset_on_close, double_close, use_after_close or fd_exhaustion", 0,
     0},
    {"cause", read_cause, IN_SUPPRESSION(cause),
     "eof_ignored, data_unread, fin_unread, shared, never_accepted, half_close, late_close, half_closed, unread_data, "
     "linger_zero or connect_failed",
     0, 0},
    {"stack", read_stack, 0, "an array of 1 to 8 patterns such as [ \"Curl_conncache*\" ]", 0, 0},
    {"max", cg_config_number, IN_SUPPRESSION(max), "a number from 1 to 4294967294", 1, UINT32_MAX - 1},
    {"reason", cg_config_string, IN_SUPPRESSION(reason), "a text of 1 to 127 bytes", 1, 128},
    {NULL, NULL, 0, NULL, 0, 0},
};

void cg_config_suppression(struct cg_config *parse, const config_setting_t *group)
{
	struct cg_policy *policy = &parse->policy;
	if (policy->suppression_count == CG_POLICY_SUPPRESSIONS) {
		if (config_setting_index(group) == CG_POLICY_SUPPRESSIONS)
			cg_config_error(parse, group, "it is one too many; a policy takes %d suppressions",
			                CG_POLICY_SUPPRESSIONS);
		return;
	}
	struct cg_policy_suppression *suppression = &policy->suppressions[policy->suppression_count++];
	suppression->max = UINT32_MAX;
	if (cg_config_group(parse, group, suppress_keys, suppression) && !config_setting_get_member(group, "kind") &&
	    !config_setting_get_member(group, "cause") && !config_setting_get_member(group, "stack"))
		cg_config_error(parse, group, "it would hide every finding; it takes a kind, a cause or a stack");
}
