/* Which rule is a connection's, and when that cannot be told yet. */
#include "unit.h"

#include "policy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static struct cg_policy policy;
static struct cg_policy_facts facts;

static void set_address(const char *text, uint8_t address[16])
{
	memset(address, 0, 16);
	if (strchr(text, ':')) {
		ck_assert_int_eq(inet_pton(AF_INET6, text, address), 1);
		return;
	}
	address[10] = address[11] = 0xff;
	ck_assert_int_eq(inet_pton(AF_INET, text, address + 12), 1);
}

static struct cg_policy_net net(const char *text, unsigned prefix, unsigned first, unsigned last)
{
	struct cg_policy_net made = {.said = true};
	set_address(text, made.bytes);
	made.prefix = (uint8_t)(strchr(text, ':') ? prefix : prefix + 96);
	made.port_first = (uint16_t)first;
	made.port_last = (uint16_t)last;
	return made;
}

static void know_addresses(const char *local, unsigned local_port, const char *peer, unsigned peer_port)
{
	facts.has_addresses = true;
	set_address(local, facts.local);
	set_address(peer, facts.peer);
	facts.local_port = (uint16_t)local_port;
	facts.peer_port = (uint16_t)peer_port;
}

/* One rule, with the condition given; and a second one that takes what the first does not. */
static void rule_is(struct cg_policy_match_on match)
{
	memset(&policy, 0, sizeof policy);
	policy.rule_count = 2;
	policy.rules[0].match = match;
}

static int match(void)
{
	return cg_policy_match(&policy, &facts);
}

static void reset(void)
{
	memset(&facts, 0, sizeof facts);
	memset(&policy, 0, sizeof policy);
}

START_TEST(no_rules)
{
	ck_assert_int_eq(match(), CG_POLICY_NO_RULE);
}
END_TEST

START_TEST(the_first_wins)
{
	policy.rule_count = 3;
	policy.rules[0].match.role = CG_POLICY_CONNECTED;
	facts.role = CG_POLICY_ACCEPTED;
	ck_assert_int_eq(match(), 1);
}
END_TEST

START_TEST(role)
{
	rule_is((struct cg_policy_match_on){.role = CG_POLICY_ACCEPTED});
	facts.role = CG_POLICY_ACCEPTED;
	ck_assert_int_eq(match(), 0);
	facts.role = CG_POLICY_CONNECTED;
	ck_assert_int_eq(match(), 1);
	facts.role = CG_POLICY_ANY_ROLE; /* unknown: no rule with a role */
	ck_assert_int_eq(match(), 1);
}
END_TEST

START_TEST(family)
{
	rule_is((struct cg_policy_match_on){.family = 4});
	ck_assert_int_eq(match(), CG_POLICY_UNDECIDED);
	know_addresses("127.0.0.1", 80, "127.0.0.1", 1000);
	ck_assert_int_eq(match(), 0);
	know_addresses("::1", 80, "::1", 1000);
	ck_assert_int_eq(match(), 1);
	know_addresses("::ffff:127.0.0.1", 80, "::ffff:127.0.0.1", 1000); /* what a dual-stack socket says */
	ck_assert_int_eq(match(), 0);
	rule_is((struct cg_policy_match_on){.family = 6});
	ck_assert_int_eq(match(), 1);
}
END_TEST

START_TEST(nets)
{
	static const struct {
		const char *net;
		unsigned prefix, first, last;
		const char *address;
		unsigned port;
		bool fits;
	} table[] = {
	    {"10.0.0.0", 8, 0, 0, "10.255.255.255", 1, true},
	    {"10.0.0.0", 8, 0, 0, "11.0.0.0", 1, false},
	    {"10.0.0.0", 8, 0, 0, "::10.0.0.1", 1, false},
	    {"10.0.0.0", 8, 0, 0, "::ffff:10.0.0.1", 1, true},
	    {"10.128.0.0", 9, 0, 0, "10.128.0.1", 1, true},
	    {"10.128.0.0", 9, 0, 0, "10.127.0.1", 1, false},
	    {"192.0.2.7", 32, 0, 0, "192.0.2.7", 1, true},
	    {"192.0.2.7", 32, 0, 0, "192.0.2.6", 1, false},
	    {"192.0.2.6", 31, 0, 0, "192.0.2.7", 1, true},
	    {"0.0.0.0", 0, 8443, 8443, "1.2.3.4", 8443, true},
	    {"0.0.0.0", 0, 8443, 8443, "1.2.3.4", 8442, false},
	    {"0.0.0.0", 0, 8443, 8443, "2001:db8::1", 8443, false},
	    {"0.0.0.0", 0, 80, 90, "1.2.3.4", 79, false},
	    {"0.0.0.0", 0, 80, 90, "1.2.3.4", 80, true},
	    {"0.0.0.0", 0, 80, 90, "1.2.3.4", 90, true},
	    {"0.0.0.0", 0, 80, 90, "1.2.3.4", 91, false},
	    {"2001:db8::", 32, 0, 0, "2001:db8:ffff::1", 1, true},
	    {"2001:db8::", 32, 0, 0, "2001:db9::1", 1, false},
	    {"2001:db8::", 33, 0, 0, "2001:db8:8000::1", 1, false},
	    {"::1", 128, 443, 443, "::1", 443, true},
	    {"::1", 128, 443, 443, "::2", 443, false},
	    {"::", 0, 0, 0, "1.2.3.4", 1, true},
	    {"::", 0, 65535, 65535, "2001:db8::", 65535, true},
	};
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct cg_policy_net made = net(table[i].net, table[i].prefix, table[i].first, table[i].last);
		rule_is((struct cg_policy_match_on){.local = made});
		know_addresses(table[i].address, table[i].port, "192.0.2.99", 999);
		ck_assert_msg((match() == 0) == table[i].fits, "row %zu, local", i);
		rule_is((struct cg_policy_match_on){.peer = made});
		know_addresses("192.0.2.99", 999, table[i].address, table[i].port);
		ck_assert_msg((match() == 0) == table[i].fits, "row %zu, peer", i);
	}
}
END_TEST

START_TEST(unknown_addresses)
{
	struct cg_policy_net any = net("::", 0, 80, 80);
	rule_is((struct cg_policy_match_on){.local = any});
	ck_assert_int_eq(match(), CG_POLICY_UNDECIDED);
	rule_is((struct cg_policy_match_on){.peer = any});
	ck_assert_int_eq(match(), CG_POLICY_UNDECIDED);
	/* What is known to fail decides without them. */
	rule_is((struct cg_policy_match_on){.peer = any, .role = CG_POLICY_ACCEPTED});
	facts.role = CG_POLICY_CONNECTED;
	ck_assert_int_eq(match(), 1);
	rule_is((struct cg_policy_match_on){.peer = any, .site = "x"});
	facts.has_sites = true;
	ck_assert_int_eq(match(), 1);
}
END_TEST

START_TEST(sites)
{
	rule_is((struct cg_policy_match_on){.site = "http_*"});
	ck_assert_int_eq(match(), CG_POLICY_UNDECIDED);
	facts.has_sites = true;
	ck_assert_int_eq(match(), 1);
	facts.sites = cg_policy_site_bits(&policy, "main") | cg_policy_site_bits(&policy, "http_accept");
	ck_assert_uint_eq(facts.sites, 1);
	ck_assert_int_eq(match(), 0);
	/* Known not to match by its role, whatever the site turns out to be. */
	facts.has_sites = false;
	policy.rules[0].match.role = CG_POLICY_ACCEPTED;
	ck_assert_int_eq(match(), 1);
	/* An earlier rule that matches makes it meaningless whether this one would. */
	policy.rules[1].match = policy.rules[0].match;
	memset(&policy.rules[0], 0, sizeof policy.rules[0]);
	ck_assert_int_eq(match(), 0);
}
END_TEST

START_TEST(site_bits)
{
	policy.rule_count = CG_POLICY_RULES;
	strcpy(policy.rules[3].match.site, "libcurl*");
	strcpy(policy.rules[63].match.site, "*_accept");
	ck_assert_uint_eq(cg_policy_site_bits(&policy, "http_accept"), UINT64_C(1) << 63);
	ck_assert_uint_eq(cg_policy_site_bits(&policy, "/usr/lib/libcurl.so.4"), UINT64_C(1) << 3);
	ck_assert_uint_eq(cg_policy_site_bits(&policy, "libcurl_accept"), UINT64_C(1) << 63 | UINT64_C(1) << 3);
	ck_assert_uint_eq(cg_policy_site_bits(&policy, ""), 0);
	facts.has_sites = true;
	facts.sites = UINT64_C(1) << 63;
	for (unsigned i = 0; i < 63; i++)
		policy.rules[i].match.role = CG_POLICY_ACCEPTED;
	ck_assert_int_eq(match(), 63);
}
END_TEST

START_TEST(option_verbs)
{
	struct cg_policy_rule rule = {
	    .option_count = 2,
	    .options = {{SOL_SOCKET, SO_LINGER, CG_OPTION_DENY}, {IPPROTO_TCP, TCP_NODELAY, CG_OPTION_LOG}}};
	ck_assert_int_eq(cg_policy_option_verb(&rule, SOL_SOCKET, SO_LINGER), CG_OPTION_DENY);
	ck_assert_int_eq(cg_policy_option_verb(&rule, IPPROTO_TCP, TCP_NODELAY), CG_OPTION_LOG);
	ck_assert_int_eq(cg_policy_option_verb(&rule, IPPROTO_TCP, SO_LINGER), CG_OPTION_ALLOW);
	ck_assert_int_eq(cg_policy_option_verb(&rule, SOL_SOCKET, SO_KEEPALIVE), CG_OPTION_ALLOW);
	rule.option_count = 0;
	ck_assert_int_eq(cg_policy_option_verb(&rule, SOL_SOCKET, SO_LINGER), CG_OPTION_ALLOW);
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_checked_fixture(tc, reset, NULL);
	tcase_add_test(tc, no_rules);
	tcase_add_test(tc, the_first_wins);
	tcase_add_test(tc, role);
	tcase_add_test(tc, family);
	tcase_add_test(tc, nets);
	tcase_add_test(tc, unknown_addresses);
	tcase_add_test(tc, sites);
	tcase_add_test(tc, site_bits);
	tcase_add_test(tc, option_verbs);
}
