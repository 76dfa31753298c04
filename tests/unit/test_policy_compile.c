/* What compiling derives from rules, and the names of socket options. */
#include "unit.h"

#include "option_names.h"
#include "policy.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static struct cg_policy policy;

static struct cg_policy_rule *only_rule(void)
{
	memset(&policy, 0, sizeof policy);
	policy.rule_count = 1;
	return &policy.rules[0];
}

/* The flags as a set of letters. */
static const char *flags(void)
{
	static char text[16];
	cg_policy_compile(&policy);
	const struct {
		bool set;
		char letter;
	} all[] = {{policy.needs_addresses, 'A'}, {policy.needs_site, 'S'},  {policy.acts_on_open, 'o'},
	           {policy.acts_on_close, 'c'},   {policy.acts_on_eof, 'e'}, {policy.acts_on_shutdown, 's'},
	           {policy.acts_on_options, 'p'}, {policy.drains, 'd'},      {policy.warns, 'w'}};
	size_t n = 0;
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		if (all[i].set)
			text[n++] = all[i].letter;
	text[n] = '\0';
	return text;
}

#define FLAGS_OF(wanted, ...)                                                                                          \
	do {                                                                                                           \
		*only_rule() = (struct cg_policy_rule){__VA_ARGS__};                                                   \
		ck_assert_str_eq(flags(), wanted);                                                                     \
	} while (0)

START_TEST(each_flag)
{
	FLAGS_OF("", .name = "nothing");
	FLAGS_OF("", .match = {.role = CG_POLICY_ACCEPTED});
	FLAGS_OF("A", .match = {.family = 6});
	FLAGS_OF("A", .match = {.local = {.said = true}});
	FLAGS_OF("A", .match = {.peer = {.said = true}});
	FLAGS_OF("S", .match = {.site = "x"});
	FLAGS_OF("o", .keepalive = {.said = true});
	FLAGS_OF("o", .open_user_timeout_ms = 1);
	FLAGS_OF("w", .warn_after_ns = 1);
	FLAGS_OF("e", .reap_after_ns = 1);
	FLAGS_OF("", .linger = CG_LINGER_DEFAULT);
	FLAGS_OF("c", .linger = CG_LINGER_OFF);
	FLAGS_OF("c", .linger = CG_LINGER_RESET);
	FLAGS_OF("c", .linger = CG_LINGER_TIME, .linger_s = 1);
	FLAGS_OF("cd", .drain_ms = 1);
	FLAGS_OF("c", .fin_timeout_s = -1);
	FLAGS_OF("c", .close_user_timeout_ms = 1);
	FLAGS_OF("c", .rto_max_ms = 1000);
	FLAGS_OF("s", .fin_wait2_after_ns = 1);
	FLAGS_OF("p", .option_count = 1, .options = {{0, 0, CG_OPTION_LOG}});
	FLAGS_OF("", .option_count = 1, .options = {{0, 0, CG_OPTION_ALLOW}});
}
END_TEST

START_TEST(least_times)
{
	only_rule();
	policy.rule_count = 3;
	policy.rules[0].warn_after_ns = 30;
	policy.rules[1].warn_after_ns = 20;
	policy.rules[2].reap_after_ns = 7;
	policy.rules[0].fin_wait2_after_ns = 5;
	policy.rules[3].warn_after_ns = 1; /* beyond the count */
	cg_policy_compile(&policy);
	ck_assert_uint_eq(policy.least_warn_after_ns, 20);
	ck_assert_uint_eq(policy.least_reap_after_ns, 7);
	ck_assert_uint_eq(policy.least_fin_wait2_after_ns, 5);
	policy.rule_count = 0;
	ck_assert_str_eq(flags(), "");
	ck_assert_uint_eq(policy.least_warn_after_ns, 0);
}
END_TEST

START_TEST(a_drain_has_a_limit)
{
	only_rule()->drain_ms = 5;
	cg_policy_compile(&policy);
	ck_assert_uint_eq(policy.rules[0].drain_bytes, 65536);
	policy.rules[0].drain_bytes = 10;
	cg_policy_compile(&policy);
	ck_assert_uint_eq(policy.rules[0].drain_bytes, 10);
}
END_TEST

START_TEST(option_names)
{
	static const struct {
		const char *name;
		int level, number;
	} some[] = {{"SO_LINGER", SOL_SOCKET, SO_LINGER},
	            {"SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE},
	            {"SO_REUSEADDR", SOL_SOCKET, SO_REUSEADDR},
	            {"SO_RCVBUF", SOL_SOCKET, SO_RCVBUF},
	            {"SO_SNDBUF", SOL_SOCKET, SO_SNDBUF},
	            {"SO_RCVTIMEO", SOL_SOCKET, SO_RCVTIMEO},
	            {"SO_SNDTIMEO", SOL_SOCKET, SO_SNDTIMEO},
	            {"TCP_NODELAY", IPPROTO_TCP, 1},
	            {"TCP_USER_TIMEOUT", IPPROTO_TCP, 18},
	            {"TCP_LINGER2", IPPROTO_TCP, 8},
	            {"TCP_KEEPIDLE", IPPROTO_TCP, 4},
	            {"TCP_KEEPINTVL", IPPROTO_TCP, 5},
	            {"TCP_KEEPCNT", IPPROTO_TCP, 6},
	            {"TCP_QUICKACK", IPPROTO_TCP, 12},
	            {"TCP_CORK", IPPROTO_TCP, 3},
	            {"TCP_DEFER_ACCEPT", IPPROTO_TCP, 9},
	            {"TCP_MAXSEG", IPPROTO_TCP, 2},
	            {"TCP_WINDOW_CLAMP", IPPROTO_TCP, 10},
	            {"TCP_SYNCNT", IPPROTO_TCP, 7},
	            {"TCP_FASTOPEN", IPPROTO_TCP, 23},
	            {"TCP_RTO_MAX_MS", IPPROTO_TCP, 44}};
	for (size_t i = 0; i < sizeof some / sizeof some[0]; i++) {
		ck_assert_str_eq(cg_policy_option_name(some[i].level, some[i].number), some[i].name);
		const struct cg_option_name *found = cg_option_names_find(some[i].name);
		ck_assert_ptr_nonnull(found);
		ck_assert_int_eq(found->level, some[i].level);
		ck_assert_int_eq(found->number, some[i].number);
	}
	ck_assert_ptr_null(cg_policy_option_name(SOL_SOCKET, 9999));
	ck_assert_ptr_null(cg_policy_option_name(9999, SO_LINGER));
	ck_assert_ptr_null(cg_option_names_find("SO_NOTHING"));
	ck_assert_ptr_null(cg_option_names_find("so_linger"));
}
END_TEST

START_TEST(option_table)
{
	for (const struct cg_option_name *at = cg_option_names; at->name; at++) {
		ck_assert_str_eq(cg_policy_option_name(at->level, at->number), at->name); /* none twice */
		if (at[1].name)
			ck_assert_msg(strcmp(at->name, at[1].name) < 0, "%s before %s", at->name, at[1].name);
	}
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_test(tc, each_flag);
	tcase_add_test(tc, least_times);
	tcase_add_test(tc, a_drain_has_a_limit);
	tcase_add_test(tc, option_names);
	tcase_add_test(tc, option_table);
}
