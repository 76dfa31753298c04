/* A policy file's every key, and the values at the edges of what it takes. */
#include "policy_file.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static const uint64_t S = 1000000000;

static const char everything[] =

    "app = \"ap*\"; warn_after = \"30s\"; interval = \"1s\"; stacks = \"full\"; format = \"json\";\n"
    "log = \"/var/log/%e.%p.log\"; depth = 16; exitcode = 9; signal = \"USR2\"; mode = \"enforce\";\n"
    "rules = (\n"
    "{ name = \"edge\";\n"
    "  match = { role = \"accepted\"; local = \"0.0.0.0/0:8443\"; peer = \"10.0.0.0/8\"; site = \"http*\"; };\n"
    "  open = { keepalive = { idle = \"60s\"; interval = \"10s\"; count = 3; }; user_timeout = \"20s\"; };\n"
    "  eof = { warn_after = \"10s\"; reap_after = \"5m\"; };\n"
    "  close = { linger = \"default\"; drain = { timeout = \"2s\"; bytes = \"64K\"; };\n"
    "            fin_timeout = \"10s\"; user_timeout = \"5s\"; rto_max = \"1500ms\"; };\n"
    "  shutdown = { fin_wait2_after = \"30s\"; };\n"
    "  setsockopt = { SO_LINGER = \"deny\"; TCP_NODELAY = \"log\"; };\n"
    "}, { close = { linger = \"off\"; }; } );\n"
    "suppress = ( { kind = \"close_wait\"; cause = \"fin_unread\"; stack = [ \"a*\", \"b\" ]; max = 8;\n"
    "               reason = \"pool\"; } );\n";

START_TEST(the_file)
{
	accepted(everything);
	ck_assert_uint_eq(policy.version, CG_POLICY_VERSION);
	ck_assert_uint_eq(policy.size, sizeof policy);
	ck_assert(policy.enforce && policy.applies);
	ck_assert_str_eq(policy.app, "ap*");
	ck_assert_str_eq(policy.settings.warn_after, "30s");
	ck_assert_str_eq(policy.settings.interval, "1s");
	ck_assert_str_eq(policy.settings.stacks, "full");
	ck_assert_str_eq(policy.settings.format, "json");
	ck_assert_str_eq(policy.settings.log, "/var/log/%e.%p.log");
	ck_assert_str_eq(policy.settings.depth, "16");
	ck_assert_str_eq(policy.settings.exitcode, "9");
	ck_assert_str_eq(policy.settings.signal, "USR2");
	ck_assert_uint_eq(policy.rule_count, 2);
	ck_assert_str_eq(policy.rules[1].name, "rule 2");
	ck_assert_int_eq(policy.rules[1].linger, CG_LINGER_OFF);
	ck_assert_uint_eq(policy.suppression_count, 1);
	ck_assert_str_eq(policy.suppressions[0].kind, "close_wait");
	ck_assert_str_eq(policy.suppressions[0].cause, "fin_unread");
	ck_assert_uint_eq(policy.suppressions[0].glob_count, 2);
	ck_assert_str_eq(policy.suppressions[0].stack[1], "b");
	ck_assert_uint_eq(policy.suppressions[0].max, 8);
	ck_assert_str_eq(policy.suppressions[0].reason, "pool");
	ck_assert(policy.needs_addresses && policy.needs_site && policy.acts_on_close && policy.drains);
	ck_assert_uint_eq(warned, 0);
}
END_TEST

START_TEST(a_whole_rule)
{
	accepted(everything);
	const struct cg_policy_rule *rule = &policy.rules[0];
	ck_assert_str_eq(rule->name, "edge");
	ck_assert_uint_eq(rule->line, 4);
	ck_assert_uint_eq(rule->file, 0);
	ck_assert_int_eq(rule->match.role, CG_POLICY_ACCEPTED);
	ck_assert_uint_eq(rule->match.local.prefix, 96);
	ck_assert_uint_eq(rule->match.local.port_first, 8443);
	ck_assert_uint_eq(rule->match.peer.prefix, 104);
	ck_assert_uint_eq(rule->match.peer.bytes[12], 10);
	ck_assert_str_eq(rule->match.site, "http*");
	ck_assert(rule->keepalive.said);
	ck_assert_uint_eq(rule->keepalive.idle_s, 60);
	ck_assert_uint_eq(rule->keepalive.interval_s, 10);
	ck_assert_uint_eq(rule->keepalive.count, 3);
	ck_assert_uint_eq(rule->open_user_timeout_ms, 20000);
	ck_assert_uint_eq(rule->warn_after_ns, 10 * S);
	ck_assert_uint_eq(rule->reap_after_ns, 300 * S);
	ck_assert_int_eq(rule->linger, CG_LINGER_DEFAULT);
	ck_assert_uint_eq(rule->drain_ms, 2000);
	ck_assert_uint_eq(rule->drain_bytes, 65536);
	ck_assert_int_eq(rule->fin_timeout_s, 10);
	ck_assert_uint_eq(rule->close_user_timeout_ms, 5000);
	ck_assert_uint_eq(rule->rto_max_ms, 1500);
	ck_assert_uint_eq(rule->fin_wait2_after_ns, 30 * S);
	ck_assert_int_eq(cg_policy_option_verb(rule, SOL_SOCKET, SO_LINGER), CG_OPTION_DENY);
	ck_assert_int_eq(cg_policy_option_verb(rule, IPPROTO_TCP, TCP_NODELAY), CG_OPTION_LOG);
}
END_TEST

START_TEST(the_least_policy)
{
	accepted("");
	ck_assert(!policy.enforce && policy.applies);
	ck_assert_uint_eq(policy.rule_count + policy.suppression_count, 0);
	accepted("rules = (); suppress = [];");
	accepted("mode = \"observe\"; suppress = ({ kind = \"fin_wait2\"; });");
	ck_assert_uint_eq(policy.suppressions[0].max, UINT32_MAX);
}
END_TEST

START_TEST(whose_it_is)
{
	accepted("app = \"nginx*\";");
	ck_assert(!policy.applies);
	accepted("app = \"[a-b]pp\";");
	ck_assert(policy.applies);
	put("p.cfg", "version = 1; app = \"nginx\";");
	ck_assert_int_eq(cg_policy_load(path_of("p.cfg"), NULL, &policy, errors, NOTES, warnings, NOTES, &warned), 0);
	ck_assert(policy.applies);
}
END_TEST

START_TEST(untouched_on_errors)
{
	memset(&policy, 0xA5, sizeof policy);
	refused("mode = 3;", "1: mode: ");
	for (size_t i = 0; i < sizeof policy; i++)
		ck_assert_uint_eq(((unsigned char *)&policy)[i], 0xA5);
}
END_TEST

START_TEST(edges)
{
	static const struct {
		const char *key, *low, *high, *below, *above;
	} table[] = {
	    {"open = { keepalive = { idle = %s; }; }", "\"1s\"", "\"9h\"", "\"999ms\"", "\"32401s\""},
	    {"open = { keepalive = { interval = %s; }; }", "\"1000ms\"", "\"540m\"", "\"0s\"", "\"10h\""},
	    {"open = { keepalive = { count = %s; }; }", "1", "127", "0", "128"},
	    {"open = { user_timeout = %s; }", "\"1ms\"", "\"24h\"", "\"0ms\"", "\"25h\""},
	    {"eof = { warn_after = %s; }", "\"1ms\"", "\"8760h\"", "\"0s\"", "\"8761h\""},
	    {"eof = { reap_after = %s; }", "\"1ms\"", "\"8760h\"", "\"0h\"", "\"8761h\""},
	    {"close = { linger = %s; }", "\"1s\"", "\"1h\"", "\"0s\"", "\"61m\""},
	    {"close = { drain = { timeout = %s; }; }", "\"1ms\"", "\"60s\"", "\"0s\"", "\"61s\""},
	    {"close = { drain = { timeout = \"1s\"; bytes = %s; }; }", "1", "\"64M\"", "0", "\"65M\""},
	    {"close = { fin_timeout = %s; }", "\"1s\"", "\"120s\"", "\"0s\"", "\"121s\""},
	    {"close = { user_timeout = %s; }", "\"1ms\"", "\"24h\"", "\"0m\"", "\"1441m\""},
	    {"close = { rto_max = %s; }", "\"1s\"", "\"2m\"", "\"999ms\"", "\"120001ms\""},
	    {"shutdown = { fin_wait2_after = %s; }", "\"1ms\"", "\"8760h\"", "\"0s\"", "\"8761h\""},
	};
	char key[128], text[256];
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		const char *values[] = {table[i].low, table[i].high, table[i].below, table[i].above};
		const char *at = strstr(table[i].key, "%s");
		for (unsigned j = 0; j < 4; j++) {
			snprintf(key, sizeof key, "%.*s%s%s", (int)(at - table[i].key), table[i].key, values[j],
			         at + 2);
			snprintf(text, sizeof text, "rules = ({ %s; });", key);
			ck_assert_msg((load_text(text) == 0) == (j < 2), "%s: %s", text, errors[0]);
		}
	}
}
END_TEST

START_TEST(other_forms)
{
	accepted("rules = ({ close = { fin_timeout = \"reset\"; linger = \"2s\"; }; });");
	ck_assert_int_eq(policy.rules[0].fin_timeout_s, -1);
	ck_assert_int_eq(policy.rules[0].linger, CG_LINGER_TIME);
	ck_assert_uint_eq(policy.rules[0].linger_s, 2);
	accepted("rules = ({ open = { keepalive = { }; }; close = { drain = { timeout = \"1s\"; }; }; });");
	ck_assert(policy.rules[0].keepalive.said);
	ck_assert_uint_eq(policy.rules[0].drain_bytes, 65536);
	accepted("rules = ({ match = { family = 6; }; }, { match = { family = \"ipv4\"; }; });");
	ck_assert_uint_eq(policy.rules[0].match.family, 6);
	ck_assert_uint_eq(policy.rules[1].match.family, 4);
	accepted("depth = \"64\"; signal = 10;");
	ck_assert_str_eq(policy.settings.signal, "10");
	refused("rules = ({ open = { keepalive = { count = 0x100000003; }; }; });", "1: rules.open.keepalive.count: ");
}
END_TEST

START_TEST(as_many_as_there_is_room_for)
{
	char text[CG_POLICY_RULES * 64 + 64] = "rules = (";
	for (unsigned i = 0; i < CG_POLICY_RULES; i++)
		sprintf(text + strlen(text), "%s{ match = { peer = \"10.0.0.%u\"; }; }", i ? "," : "", i);
	size_t n = strlen(text);
	strcpy(text + n, ");");
	accepted(text);
	ck_assert_uint_eq(policy.rule_count, CG_POLICY_RULES);
	strcpy(text + n, ", { }, { });");
	refused(text, "1: rules: it is one too many; a policy takes 64 rules");
}
END_TEST

START_TEST(warnings_of_rules)
{
	static const struct {
		const char *rules, *warning;
	} table[] = {
	    {"{ close = { linger = \"5s\"; }; }", "even on non-blocking sockets"},
	    {"{ close = { linger = \"reset\"; }; }", "responses can arrive truncated"},
	    {"{ name = \"all\"; }, { name = \"lost\"; }", "\"lost\" is never reached"},
	    {"{ match = { peer = \"10.0.0.0/8\"; }; }, { match = { peer = \"10.1.0.0/16:80\"; }; }",
	     "is never reached"},
	    {"{ match = { role = \"accepted\"; }; }, { match = { role = \"accepted\"; site = \"x\"; }; }",
	     "is never reached"},
	};
	static const char *const fine[] = {
	    "{ match = { role = \"accepted\"; }; }, { }",
	    "{ match = { peer = \"10.1.0.0/16\"; }; }, { match = { peer = \"10.0.0.0/8\"; }; }",
	    "{ match = { peer = \"10.0.0.0/8:80\"; }; }, { match = { peer = \"10.0.0.0/8\"; }; }",
	    "{ match = { peer = \"10.0.0.0/8:80-90\"; }; }, { match = { peer = \"10.0.0.0/8:85-95\"; }; }",
	    "{ match = { site = \"x\"; }; }, { match = { site = \"y\"; }; }",
	    "{ match = { peer = \"*\"; role = \"accepted\"; }; }, { match = { role = \"connected\"; }; }",
	};
	char text[512];
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		snprintf(text, sizeof text, "rules = ( %s );", table[i].rules);
		accepted(text);
		ck_assert_uint_eq(warned, 1);
		ck_assert_ptr_nonnull(strstr(warnings[0], table[i].warning));
	}
	for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
		snprintf(text, sizeof text, "rules = ( %s );", fine[i]);
		accepted(text);
		ck_assert_msg(warned == 0, "%s: %s", text, warnings[0]);
	}
}
END_TEST

/* All are counted, as many are kept as there is room for, and nothing is written behind it. */
START_TEST(more_errors_than_room)
{
	put("p.cfg", "version = 1;\na = 1;\nb = 2;\nc = 3;\n");
	strcpy(errors[2], "kept");
	ck_assert_int_eq(cg_policy_load(path_of("p.cfg"), "app", &policy, errors, 2, warnings, 0, &warned), 3);
	ck_assert_ptr_nonnull(strstr(errors[1], "p.cfg:3: b: "));
	ck_assert_str_eq(errors[2], "kept");
	ck_assert_int_eq(cg_policy_load(path_of("p.cfg"), "app", &policy, NULL, 0, NULL, 0, &warned), 3);
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_test(tc, the_file);
	tcase_add_test(tc, a_whole_rule);
	tcase_add_test(tc, the_least_policy);
	tcase_add_test(tc, whose_it_is);
	tcase_add_test(tc, untouched_on_errors);
	tcase_add_test(tc, edges);
	tcase_add_test(tc, other_forms);
	tcase_add_test(tc, as_many_as_there_is_room_for);
	tcase_add_test(tc, warnings_of_rules);
	tcase_add_test(tc, more_errors_than_room);
}
