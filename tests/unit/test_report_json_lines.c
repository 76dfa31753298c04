/* test_report_json_lines.c: how long a JSON line may become, and what it has of stacks. */
#include <jansson.h>

#include "report_line.h"

static const struct cg_summary summary = {.reason = "exit", .opened = 1};

/* As many of everything as there can be, in letters that JSON has to escape. */
static struct cg_finding largest(void)
{
	struct cg_finding finding = sample_hostile();
	struct cg_place *places[] = {&finding.opened,    &finding.eof,    &finding.last_use,
	                             &finding.connected, &finding.closed, &finding.here};
	finding.connected = finding.closed = finding.eof = finding.last_use = finding.here = finding.opened;
	for (unsigned i = 0; i < 6; i++) {
		places[i]->depth = CG_MAX_DEPTH;
		memset(places[i]->thread, '\x1b', sizeof places[i]->thread - 1);
		for (unsigned at = 0; at < CG_MAX_DEPTH; at++)
			places[i]->ip[at] = IP_LONG;
	}
	memset(finding.label, '\x1b', sizeof finding.label - 1);
	memset(finding.suppressed, '\x1b', sizeof finding.suppressed - 1);
	memset(finding.suggested_rule, '\x1b', sizeof finding.suggested_rule - 1);
	finding.socket_count = CG_SOCKETS_SHOWN;
	for (unsigned i = 0; i < CG_SOCKETS_SHOWN; i++)
		finding.sockets[i] = sample_socket((int)i);
	return finding;
}

START_TEST(no_line_is_longer_than_16_kib)
{
	struct cg_finding finding = largest();
	struct cg_action_view action = {.count = 1};
	struct cg_action_view actions[100];
	memset(action.action.rule_name, '\x1b', sizeof action.action.rule_name - 1);
	for (unsigned i = 0; i < 100; i++)
		actions[i] = action;
	struct cg_report deep = report;
	deep.depth = 64;
	const struct cg_report *reports[] = {&report, &deep};
	for (unsigned i = 0; i < 2; i++) {
		fresh();
		cg_json_finding(&out, reports[i], &finding, true);
		json_decref(parse_line("finding"));
		ck_assert_uint_le(out.len, 16384);
		fresh();
		cg_json_resolved(&out, reports[i], &finding);
		json_decref(parse_line("resolved"));
		ck_assert_uint_le(out.len, 16384);
		struct cg_summary with = summary;
		with.groups = 20;
		with.actions = actions;
		with.action_count = 100;
		size_t told = 0;
		for (unsigned part = 1; part <= cg_json_summary_parts(&with); part++) {
			fresh();
			cg_json_summary(&out, reports[i], &with, part, part <= 20 ? &finding : NULL);
			json_t *line = parse_line("summary");
			ck_assert_uint_le(out.len, 16384);
			told += json_array_size(json_object_get(line, "actions"));
			json_decref(line);
		}
		ck_assert_uint_eq(told, 100);
	}
}
END_TEST

START_TEST(a_stack_has_a_number_however_much_is_shown)
{
	struct cg_finding finding = sample_leak();
	finding.opened.depth = 40;
	json_t *cut = finding_line(&finding, false);
	struct cg_report all = report;
	all.whole = true;
	fresh();
	cg_json_finding(&out, &all, &finding, false);
	json_t *whole = parse_line("finding");
	json_t *some = json_object_get(cut, "opened"), *every = json_object_get(whole, "opened");
	ck_assert_uint_lt(json_array_size(json_object_get(some, "stack")),
	                  json_array_size(json_object_get(every, "stack")));
	ck_assert(json_is_true(json_object_get(some, "truncated")));
	ck_assert_ptr_null(json_object_get(every, "truncated"));
	ck_assert_str_eq(string_at(some, "stack_id"), string_at(every, "stack_id"));
	ck_assert_str_ne(string_at(some, "stack_id"), string_at(json_object_get(cut, "eof"), "stack_id"));
	ck_assert_uint_eq(strlen(string_at(some, "stack_id")), 16);
	json_decref(cut);
	json_decref(whole);
}
END_TEST

START_TEST(a_run_is_one_frame)
{
	struct cg_finding finding = sample_leak();
	for (unsigned i = 0; i < 13; i++)
		finding.opened.ip[i] = IP_JIT;
	finding.opened.ip[13] = IP_MAIN;
	finding.opened.depth = 14;
	json_t *line = finding_line(&finding, false);
	json_t *stack = json_object_get(json_object_get(line, "opened"), "stack");
	ck_assert_uint_eq(json_array_size(stack), 2);
	ck_assert_int_eq(number_at(json_array_get(stack, 0), "frames"), 13);
	ck_assert_str_eq(string_at(json_array_get(stack, 0), "module"), "[jit]");
	json_decref(line);
	struct cg_report all = report;
	all.whole = true;
	fresh();
	cg_json_finding(&out, &all, &finding, false);
	json_t *other = parse_line("finding");
	ck_assert_uint_eq(json_array_size(json_object_get(json_object_get(other, "opened"), "stack")), 14);
	json_decref(other);
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_test(tc, no_line_is_longer_than_16_kib);
	tcase_add_test(tc, a_stack_has_a_number_however_much_is_shown);
	tcase_add_test(tc, a_run_is_one_frame);
}
