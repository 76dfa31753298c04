/* check_print.c: a policy in plain words. */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "check.h"
#include "cli.h"

enum { NS_MS = 1000000 };

/* An occasion, and what happens on it: one line each, the first of them beside the occasion's name. */
struct occasion {
	const char *name;
	bool told;
};

static void __attribute__((format(printf, 2, 3))) say(struct occasion *occasion, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	printf("    %-13s ", occasion->told ? "" : occasion->name);
	vprintf(format, arguments);
	putchar('\n');
	occasion->told = true;
	va_end(arguments);
}

static void say_keepalive(struct occasion *on, const struct cg_policy_keepalive *keepalive)
{
	char idle[CG_CHECK_TEXT] = "the system's time", interval[CG_CHECK_TEXT] = "the system's interval";
	char count[24] = "the system's number";
	if (keepalive->idle_s)
		cg_check_duration(keepalive->idle_s * UINT64_C(1000), idle);
	if (keepalive->interval_s)
		cg_check_duration(keepalive->interval_s * UINT64_C(1000), interval);
	if (keepalive->count)
		snprintf(count, sizeof count, "%u", keepalive->count);
	say(on, "keepalive is turned on: a first probe after %s without data, then one every %s, given up after %s",
	    idle, interval, count);
}

static void say_open(struct occasion *on, const struct cg_policy_rule *rule)
{
	char time[CG_CHECK_TEXT];
	if (rule->keepalive.said)
		say_keepalive(on, &rule->keepalive);
	if (rule->open_user_timeout_ms)
		say(on, "sent data may stay unacknowledged for %s, then the connection ends (TCP_USER_TIMEOUT)",
		    cg_check_duration(rule->open_user_timeout_ms, time));
}

static void say_eof(struct occasion *on, const struct cg_policy_rule *rule)
{
	char time[CG_CHECK_TEXT];
	if (rule->warn_after_ns)
		say(on, "told as a finding when not closed after %s",
		    cg_check_duration(rule->warn_after_ns / NS_MS, time));
	if (rule->reap_after_ns)
		say(on, "reaped when not closed after %s: shut down, while the descriptor stays the program's",
		    cg_check_duration(rule->reap_after_ns / NS_MS, time));
}

static void say_linger(struct occasion *on, const struct cg_policy_rule *rule)
{
	char time[CG_CHECK_TEXT];
	if (rule->linger == CG_LINGER_DEFAULT)
		say(on, "SO_LINGER stays as the program set it");
	else if (rule->linger == CG_LINGER_OFF)
		say(on, "SO_LINGER is turned off: close returns at once, what is unsent is sent in the background");
	else if (rule->linger == CG_LINGER_RESET)
		say(on, "the connection is reset: what is unsent or unread is lost");
	else if (rule->linger == CG_LINGER_TIME)
		say(on, "close blocks until all is acknowledged, for %s at most",
		    cg_check_duration(rule->linger_s * UINT64_C(1000), time));
}

static void say_close(struct occasion *on, const struct cg_policy_rule *rule)
{
	char time[CG_CHECK_TEXT];
	say_linger(on, rule);
	if (rule->drain_ms)
		say(on, "what is unread is read first, for %s and %u bytes at most, so that no reset destroys data",
		    cg_check_duration(rule->drain_ms, time), rule->drain_bytes);
	if (rule->fin_timeout_s < 0)
		say(on, "reset instead of waiting in FIN_WAIT2 (TCP_LINGER2)");
	else if (rule->fin_timeout_s)
		say(on, "at most %s in FIN_WAIT2 (TCP_LINGER2)",
		    cg_check_duration((uint64_t)rule->fin_timeout_s * 1000, time));
	if (rule->close_user_timeout_ms)
		say(on, "given up when nothing is acknowledged for %s (TCP_USER_TIMEOUT)",
		    cg_check_duration(rule->close_user_timeout_ms, time));
	if (rule->rto_max_ms)
		say(on, "at most %s between retransmissions (TCP_RTO_MAX_MS)",
		    cg_check_duration(rule->rto_max_ms, time));
}

static void say_options(struct occasion *on, const struct cg_policy_rule *rule)
{
	static const char *const verbs[] = {[CG_OPTION_ALLOW] = "is allowed",
	                                    [CG_OPTION_LOG] = "is logged",
	                                    [CG_OPTION_DENY] = "is denied (returns 0, changes nothing)"};
	for (unsigned i = 0; i < rule->option_count; i++) {
		const char *name = cg_policy_option_name(rule->options[i].level, rule->options[i].name);
		say(on, "%s %s", name ? name : "?", verbs[rule->options[i].verb]);
	}
}

static void say_shutdown(struct occasion *on, const struct cg_policy_rule *rule)
{
	char time[CG_CHECK_TEXT];
	if (rule->fin_wait2_after_ns)
		say(on, "ended when half-closed in FIN_WAIT2 for %s",
		    cg_check_duration(rule->fin_wait2_after_ns / NS_MS, time));
}

void cg_check_actions(const struct cg_policy_rule *rule, bool all)
{
	static const struct {
		const char *name;
		void (*say)(struct occasion *, const struct cg_policy_rule *);
	} occasions[] = {{"at open:", say_open},
	                 {"at EOF:", say_eof},
	                 {"at close:", say_close},
	                 {"at shutdown:", say_shutdown},
	                 {"setsockopt:", say_options}};
	for (unsigned i = 0; i < sizeof occasions / sizeof occasions[0]; i++) {
		struct occasion on = {occasions[i].name, false};
		occasions[i].say(&on, rule);
		if (all && !on.told)
			say(&on, "nothing");
	}
}

static void print_match(const struct cg_policy_match_on *match)
{
	char net[CG_CHECK_TEXT];
	struct occasion on = {"matches:", false};
	if (match->role)
		say(&on, "%s connections", match->role == CG_POLICY_ACCEPTED ? "accepted" : "connected");
	if (match->family)
		say(&on, "of IPv%u", match->family);
	if (match->local.said)
		say(&on, "local is %s", cg_check_net(&match->local, net));
	if (match->peer.said)
		say(&on, "peer is %s", cg_check_net(&match->peer, net));
	if (match->site[0])
		say(&on, "opened by a function or module %s", cg_common_plain(match->site));
	if (!on.told)
		say(&on, "every connection");
}

static void print_settings(const struct cg_policy_settings *settings)
{
	const struct {
		const char *name, *value;
	} all[] = {{"warn_after", settings->warn_after}, {"interval", settings->interval}, {"stacks", settings->stacks},
	           {"depth", settings->depth},           {"format", settings->format},     {"log", settings->log},
	           {"exitcode", settings->exitcode},     {"signal", settings->signal}};
	for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++)
		if (all[i].value[0])
			printf("  %s = %s\n", all[i].name, cg_common_plain(all[i].value));
}

static void print_suppression(const struct cg_policy_suppression *suppression)
{
	printf("  suppressed: %s%s%s", suppression->kind[0] ? cg_common_plain(suppression->kind) : "findings",
	       suppression->cause[0] ? " by " : "", cg_common_plain(suppression->cause));
	for (unsigned i = 0; i < suppression->glob_count; i++)
		printf("%s%s", i ? ", further out: " : ", with in one stack: ", cg_common_plain(suppression->stack[i]));
	if (suppression->max != UINT32_MAX)
		printf(", up to %u sockets", suppression->max);
	printf("%s%s\n", suppression->reason[0] ? ": " : "", cg_common_plain(suppression->reason));
}

void cg_check_print(const char *file, const struct cg_policy *policy)
{
	printf("%s: valid; for %s%s; %s\n", cg_common_plain(file),
	       policy->app[0] ? "programs called " : "every program", cg_common_plain(policy->app),
	       policy->enforce ? "enforces: what the rules say is done"
	                       : "observes: what the rules would do is logged, and nothing is done");
	print_settings(&policy->settings);
	for (unsigned i = 0; i < policy->rule_count; i++) {
		const struct cg_policy_rule *rule = &policy->rules[i];
		printf("  rule %u, \"%s\" (%s%s%u)\n", i + 1, cg_common_plain(rule->name),
		       rule->file ? cg_common_plain(policy->files[rule->file].path) : "line ", rule->file ? ":" : "",
		       rule->line);
		print_match(&rule->match);
		cg_check_actions(rule, false);
	}
	for (unsigned i = 0; i < policy->suppression_count; i++)
		print_suppression(&policy->suppressions[i]);
	for (unsigned i = 0; i < policy->pass_over_count; i++)
		printf("  passed over where a place is named: %s\n", cg_common_plain(policy->pass_over[i]));
}
