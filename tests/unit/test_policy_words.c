/*
 * The words that policies share with the library, which neither can include from the other: settings are refused where
 * the variable would be, and suppressions know what findings say.
 */
#include "policy_file.h"

#include "detect.h"
#include "fmt.h"
#include "options_parse.h"

static const char *const texts[] = {
    "",        "0",       "1",        "10",     "12",         "64",      "65",      "255",
    "256",     "007",     "-1",       "1.5",    "on",         "off",     "full",    "fp",
    "text",    "json",    "JSON",     "none",   "stderr",     "syslog",  "x",       "0s",
    "1ms",     "9ms",     "10ms",     "500ms",  "30s",        "5m",      "1h",      "61m",
    "2h",      "1d",      "10 s",     "s",      "-5s",        "87600h",  "87601h",  "99999999999999999999s",
    "00",      "3s ",     "USR1",     "USR2",   "SIGUSR2",    "SIGnone", "TERM",    "SIGINT",
    "KILL",    "9",       "15",       "17",     "usr2",       "RTMIN",   "RTMIN+3", "RTMAX-2",
    "RTMIN-1", "RTMAX+1", "RTMIN+99", "RTMIN+", "SIGRTMIN+1", "34",      "64",      "HUP",
    "CHLD",    "POLL",     "0600",     "0640",   "664",        "0666",    "0400",    "0755",
    "01640",   "0640x",
};

static const struct {
	const char *key;
	cg_options_parse *parse;
} settings[] = {
    {"warn_after", cg_options_parse_duration}, {"interval", cg_options_parse_interval},
    {"stacks", cg_options_parse_stacks},       {"depth", cg_options_parse_depth},
    {"format", cg_options_parse_format},       {"exitcode", cg_options_parse_exitcode},
    {"signal", cg_options_parse_signal},       {"log_mode", cg_options_parse_mode},
};

START_TEST(settings_take_what_variables_take)
{
	union {
		uint64_t number;
		char text[1024];
	} field;
	char policy_text[256];
	unsigned good = 0;
	for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
		for (size_t j = 0; j < sizeof texts / sizeof texts[0]; j++) {
			bool wanted = texts[j][0] && settings[i].parse(texts[j], &field, sizeof field) == 0;
			snprintf(policy_text, sizeof policy_text, "%s = \"%s\";", settings[i].key, texts[j]);
			bool got = load_text(policy_text) == 0;
			ck_assert_msg(got == wanted, "%s: the variable says %d, the policy %d: %s", policy_text, wanted,
			              got, errors[0]);
			good += got;
		}
	}
	ck_assert_uint_gt(good, 30);
}
END_TEST

START_TEST(durations_are_the_same)
{
	char policy_text[256];
	for (size_t j = 0; j < sizeof texts / sizeof texts[0]; j++) {
		uint64_t ns;
		snprintf(policy_text, sizeof policy_text, "rules = ({ eof = { warn_after = \"%s\"; }; });", texts[j]);
		if (load_text(policy_text) != 0)
			continue;
		ck_assert_int_eq(cg_parse_duration(texts[j], &ns), 0);
		ck_assert_uint_eq(policy.rules[0].warn_after_ns, ns);
	}
}
END_TEST

START_TEST(logs)
{
	accepted("log = \"none\";");
	accepted("log = \"logs/%e.%p.%h.%t.%%\";");
	refused("log = \"/var/log/%x\";", "1: log: ");
	refused("log = \"/var/log/%\";", "1: log: ");
	refused("log = \"a\\nb\";", "1: log: ");
	refused("log = \"\";", "1: log: ");
}
END_TEST

START_TEST(kinds_and_causes)
{
	char text[256];
	for (int i = 1; i < CG_KIND_COUNT; i++) {
		snprintf(text, sizeof text, "suppress = ({ kind = \"%s\"; });", cg_kind_name((enum cg_kind)i));
		accepted(text);
		ck_assert_str_eq(policy.suppressions[0].kind, cg_kind_name((enum cg_kind)i));
	}
	for (int i = 1; i < CG_CAUSE_COUNT; i++) {
		snprintf(text, sizeof text, "suppress = ({ cause = \"%s\"; });", cg_cause_name((enum cg_cause)i));
		accepted(text);
		ck_assert_str_eq(policy.suppressions[0].cause, cg_cause_name((enum cg_cause)i));
	}
	refused("suppress = ({ kind = \"nothing\"; });", "1: suppress.kind: ");
	refused("suppress = ({ kind = \"\"; });", "1: suppress.kind: ");
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_test(tc, settings_take_what_variables_take);
	tcase_add_test(tc, durations_are_the_same);
	tcase_add_test(tc, logs);
	tcase_add_test(tc, kinds_and_causes);
}
