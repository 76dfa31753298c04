/* Addresses, networks and ports as a policy writes them. */
#include "policy_file.h"

START_TEST(good)
{
	static const struct {
		const char *text;
		unsigned prefix, first, last;
	} table[] = {
	    {"192.0.2.7", 128, 0, 0},
	    {"192.0.2.0/24", 120, 0, 0},
	    {"192.0.2.7:443", 128, 443, 443},
	    {"10.0.0.0/8:1-65535", 104, 1, 65535},
	    {"0.0.0.0/0", 96, 0, 0},
	    {"*", 0, 0, 0},
	    {"*:80", 0, 80, 80},
	    {":80-90", 0, 80, 90},
	    {"::1", 128, 0, 0},
	    {"[::1]", 128, 0, 0},
	    {"[::1]:80", 128, 80, 80},
	    {"2001:db8::/32", 32, 0, 0},
	    {"[2001:db8::]/32:80-81", 32, 80, 81},
	    {"::/0", 0, 0, 0},
	    {"::ffff:10.0.0.0/104", 104, 0, 0},
	};
	char text[256];
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		snprintf(text, sizeof text, "rules = ({ match = { peer = \"%s\"; }; });", table[i].text);
		accepted(text);
		const struct cg_policy_net *net = &policy.rules[0].match.peer;
		ck_assert_msg(net->said && net->prefix == table[i].prefix && net->port_first == table[i].first &&
		                  net->port_last == table[i].last,
		              "%s: prefix %u, ports %u-%u", table[i].text, net->prefix, net->port_first,
		              net->port_last);
	}
}
END_TEST

START_TEST(wrong)
{
	static const char *const bad[] = {"",
	                                  "localhost",
	                                  "10.0.0",
	                                  "10.0.0.256",
	                                  "10.0.0.0/33",
	                                  "10.0.0.0/",
	                                  "10.0.0.0/-1",
	                                  "10.0.0.1/8",
	                                  "10.0.0.0/8:",
	                                  "*:0",
	                                  "*:65536",
	                                  "*:90-80",
	                                  "*:80-",
	                                  "*:-80",
	                                  "*:80x",
	                                  "[::1",
	                                  "[::1]x",
	                                  "[::1]80",
	                                  "[10.0.0.1]:80",
	                                  "::1/129",
	                                  "2001:db8::1/32",
	                                  "fe80::1%lo",
	                                  "10.0.0.0:80/8",
	                                  ":",
	                                  "*/8",
	                                  "010.0.0.0.1",
	                                  "1.2.3.4 ",
	                                  "[]:80",
	                                  "::1:80:",
	                                  "[::]/0:80:81",
	                                  "10.0.0.0/8/8",
	                                  "10.0.0.0/0x8"};
	char text[256];
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		snprintf(text, sizeof text, "rules = ({ match = { local = \"%s\"; }; });", bad[i]);
		refused(text, "1: rules.match.local: ");
	}
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_test(tc, good);
	tcase_add_test(tc, wrong);
}
