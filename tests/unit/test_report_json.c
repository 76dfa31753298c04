/* test_report_json.c: findings as JSON, read back by a parser that is not ours. */
#include <jansson.h>

#include "report_line.h"

static bool null_at(json_t *object, const char *name)
{
	return json_is_null(json_object_get(object, name));
}

START_TEST(a_leak_has_all_fields)
{
	struct cg_finding finding = sample_leak();
	json_t *line = finding_line(&finding, false);
	ck_assert_str_eq(string_at(line, "kind"), "close_wait");
	ck_assert_str_eq(string_at(line, "cause"), "eof_ignored");
	ck_assert_str_eq(string_at(line, "verdict"), "leak");
	ck_assert_double_eq(json_real_value(json_object_get(line, "confidence")), 0.95);
	ck_assert_int_eq(number_at(line, "count"), 37);
	ck_assert_double_eq(json_real_value(json_object_get(line, "oldest_age_s")), 312.0);
	ck_assert_str_eq(string_at(line, "advice"), "close it");
	ck_assert_str_eq(string_at(line, "origin"), "seen");
	ck_assert_uint_eq(json_array_size(json_object_get(line, "sockets")), 5);
	static const char *const absent[] = {"again",    "connected", "closed",     "here",           "errno",
	                                     "open_fds", "fd_limit",  "forecast_s", "growth_per_min", "label"};
	for (unsigned i = 0; i < sizeof(absent) / sizeof(*absent); i++)
		ck_assert_msg(!json_object_get(line, absent[i]), "%s is there", absent[i]);
	json_decref(line);
}
END_TEST

START_TEST(places_have_call_thread_age_and_stack)
{
	struct cg_finding finding = sample_leak();
	json_t *line = finding_line(&finding, false);
	json_t *opened = json_object_get(line, "opened"), *last_use = json_object_get(line, "last_use");
	ck_assert_str_eq(string_at(opened, "call"), "accept4");
	ck_assert_str_eq(string_at(opened, "thread"), "worker-3");
	ck_assert_double_eq(json_real_value(json_object_get(opened, "age_s")), 314.0);
	ck_assert_uint_eq(json_array_size(json_object_get(opened, "stack")), 3);
	ck_assert(null_at(last_use, "thread"));
	ck_assert(null_at(last_use, "age_s"));

	json_t *top = json_array_get(json_object_get(opened, "stack"), 0);
	ck_assert_str_eq(string_at(top, "module"), "server");
	ck_assert_str_eq(string_at(top, "build_id"), "aabbccddeeff00112233");
	ck_assert_str_eq(string_at(top, "offset"), "0xfff");
	ck_assert_str_eq(string_at(top, "function"), "handle_client");
	ck_assert_str_eq(string_at(top, "file"), "server.c");
	ck_assert_int_eq(number_at(top, "line"), 88);
	ck_assert_ptr_null(json_object_get(top, "inlined"));

	json_t *unnamed = json_array_get(json_object_get(opened, "stack"), 2);
	ck_assert_ptr_null(json_object_get(unnamed, "function"));
	ck_assert_ptr_null(json_object_get(unnamed, "file"));
	ck_assert_ptr_null(json_object_get(unnamed, "line"));
	json_t *inlined = json_array_get(json_object_get(json_object_get(line, "eof"), "stack"), 0);
	ck_assert(json_is_true(json_object_get(inlined, "inlined")));
	ck_assert(null_at(inlined, "build_id"));
	json_decref(line);
}
END_TEST

START_TEST(what_is_not_known_is_null)
{
	struct cg_finding finding = {.kind = CG_KIND_DEAD_SOCKET, .count = 1, .socket_count = 2};
	finding.sockets[0] = (struct cg_socket_view){.fd = -1, .polled_by = -1, .holders_unknown = true};
	finding.sockets[1] = (struct cg_socket_view){.fd = 3, .polled_by = -2, .holders = 9};
	json_t *line = finding_line(&finding, false);
	ck_assert(null_at(line, "cause") && null_at(line, "opened") && null_at(line, "eof") &&
	          null_at(line, "last_use"));
	json_t *first = json_array_get(json_object_get(line, "sockets"), 0);
	json_t *second = json_array_get(json_object_get(line, "sockets"), 1);
	static const char *const nulls[] = {"fd",           "state",        "local", "peer",     "age_max_s",
	                                    "unread_bytes", "unsent_bytes", "inode", "polled_by"};
	for (unsigned i = 0; i < sizeof(nulls) / sizeof(*nulls); i++)
		ck_assert_msg(null_at(first, nulls[i]), "%s is not null", nulls[i]);
	ck_assert_str_eq(string_at(first, "shared_with"), "unknown");
	ck_assert_str_eq(string_at(second, "polled_by"), "unknown");
	ck_assert_uint_eq(json_array_size(json_object_get(second, "shared_with")), CG_HOLDERS_SHOWN);
	ck_assert_int_eq(number_at(second, "holders"), 9);
	json_decref(line);
}
END_TEST

START_TEST(sockets_have_all_fields)
{
	struct cg_finding finding = sample_leak();
	finding.sockets[0].age_max_ns = SECONDS(400);
	finding.sockets[0].has_unsent = true;
	finding.sockets[0].unsent_bytes = 77;
	finding.sockets[0].polled_by = 5;
	finding.sockets[0].holders = 1;
	finding.sockets[0].shared_with[0] = 4711;
	strcpy(finding.sockets[0].commands[0], "sl\"eep");
	json_t *line = finding_line(&finding, false);
	json_t *socket = json_array_get(json_object_get(line, "sockets"), 0);
	ck_assert_int_eq(number_at(socket, "fd"), 12);
	ck_assert_str_eq(string_at(socket, "state"), "CLOSE_WAIT");
	ck_assert_str_eq(string_at(socket, "local"), "127.0.0.1:8080");
	ck_assert_str_eq(string_at(socket, "peer"), "127.0.0.1:51234");
	ck_assert_double_eq(json_real_value(json_object_get(socket, "age_s")), 312.0);
	ck_assert_double_eq(json_real_value(json_object_get(socket, "age_max_s")), 400.0);
	ck_assert_str_eq(string_at(socket, "age_source"), "eof");
	ck_assert_int_eq(number_at(socket, "unread_bytes"), 0);
	ck_assert_int_eq(number_at(socket, "unsent_bytes"), 77);
	ck_assert_int_eq(number_at(socket, "inode"), 12345);
	ck_assert_int_eq(number_at(socket, "polled_by"), 5);
	ck_assert_int_eq(json_integer_value(json_array_get(json_object_get(socket, "shared_with"), 0)), 4711);
	json_t *commands = json_object_get(socket, "shared_with_commands");
	ck_assert_str_eq(json_string_value(json_array_get(commands, 0)), "sl\"eep");
	json_decref(line);
}
END_TEST

START_TEST(extras_are_there_when_known)
{
	struct cg_finding finding = sample_double_close();
	memcpy(finding.label, "upstream", sizeof("upstream"));
	finding.connected = finding.here;
	finding.open_fds = 800;
	finding.fd_limit = 1024;
	finding.forecast_ns = SECONDS(300);
	finding.has_growth = true;
	finding.growth = -125;
	json_t *line = finding_line(&finding, true);
	ck_assert(json_is_true(json_object_get(line, "again")));
	ck_assert_str_eq(string_at(line, "errno"), "EBADF");
	ck_assert_str_eq(string_at(line, "label"), "upstream");
	ck_assert_int_eq(number_at(line, "open_fds"), 800);
	ck_assert_int_eq(number_at(line, "fd_limit"), 1024);
	ck_assert_double_eq(json_real_value(json_object_get(line, "forecast_s")), 300.0);
	ck_assert_double_eq(json_real_value(json_object_get(line, "growth_per_min")), -12.5);
	ck_assert_str_eq(string_at(json_object_get(line, "here"), "call"), "close");
	ck_assert(json_is_object(json_object_get(line, "closed")));
	ck_assert(json_is_object(json_object_get(line, "connected")));
	json_decref(line);

	finding.error = 200;
	line = finding_line(&finding, false);
	ck_assert_int_eq(number_at(line, "errno"), 200);
	json_decref(line);
}
END_TEST

START_TEST(history_has_the_delays)
{
	struct cg_finding finding = sample_leak();
	json_t *line = finding_line(&finding, false);
	json_t *history = json_object_get(line, "history");
	ck_assert_int_eq(number_at(history, "opened"), 812);
	ck_assert_int_eq(number_at(history, "closed"), 773);
	ck_assert_int_eq(number_at(history, "closed_in_time"), 770);
	ck_assert_int_eq(number_at(history, "closed_late"), 3);
	ck_assert_int_eq(number_at(history, "never_closed"), 37);
	ck_assert_uint_eq(json_array_size(json_object_get(history, "delays_ms")), CG_DELAY_BUCKETS);
	ck_assert_int_eq(json_integer_value(json_array_get(json_object_get(history, "delays_ms"), 3)), 770);
	json_decref(line);
}
END_TEST

START_TEST(hostile_names_come_through)
{
	struct cg_finding finding = sample_hostile();
	json_t *line = finding_line(&finding, false);
	const char *label = string_at(line, "label");
	ck_assert_int_eq(strncmp(label, "a\"b\\c\n\x1b[31m\xef\xbf\xbd", 14), 0);
	ck_assert_str_eq(label + strlen(label) - 2, "\xc3\xa9");
	ck_assert_str_eq(string_at(json_object_get(line, "opened"), "thread"), label);
	json_decref(line);
}
END_TEST

START_TEST(resolved_and_warning_are_lines)
{
	struct cg_finding finding = sample_leak();
	fresh();
	cg_json_resolved(&out, &report, &finding);
	json_t *line = parse_line("resolved");
	ck_assert_str_eq(string_at(line, "cause"), "eof_ignored");
	json_decref(line);
	fresh();
	cg_json_warning(&out, &report, HOSTILE);
	line = parse_line("warning");
	ck_assert_int_eq(strncmp(string_at(line, "message"), "a\"b\\c\n", 6), 0);
	json_decref(line);
}
END_TEST

static const struct cg_summary summary = {.reason = "exit",
                                          .opened = 1,
                                          .closed = 2,
                                          .eofs = 3,
                                          .open_now = 4,
                                          .closed_in_time = 5,
                                          .closed_late = 6,
                                          .double_closes = 7,
                                          .uses_after_close = 8,
                                          .adopted = 9,
                                          .findings = 10,
                                          .sweeps = 11,
                                          .sweep_cpu_ns = 12000000,
                                          .uptime_ns = SECONDS(13),
                                          .unseen_descriptors = 14,
                                          .stack_overflows = 15};

static json_t *summary_part(unsigned groups, unsigned part)
{
	struct cg_finding finding = sample_leak();
	struct cg_summary with = summary;
	with.groups = groups;
	fresh();
	cg_json_summary(&out, &report, &with, part, part <= groups ? &finding : NULL);
	return parse_line("summary");
}

START_TEST(a_summary_has_counters_and_groups)
{
	static const struct {
		const char *name;
		json_int_t want;
	} counters[] = {{"opened", 1},          {"closed", 2},      {"eofs", 3},          {"open_now", 4},
	                {"closed_in_time", 5},  {"closed_late", 6}, {"double_closes", 7}, {"uses_after_close", 8},
	                {"adopted", 9},         {"findings", 10},   {"sweeps", 11},       {"unseen_descriptors", 14},
	                {"stack_overflows", 15}};
	json_t *line = summary_part(2, 2);
	for (unsigned i = 0; i < sizeof(counters) / sizeof(*counters); i++)
		ck_assert_int_eq(number_at(line, counters[i].name), counters[i].want);
	ck_assert_str_eq(string_at(line, "reason"), "exit");
	ck_assert_double_eq(json_real_value(json_object_get(line, "sweep_cpu_s")), 0.012);
	ck_assert_double_eq(json_real_value(json_object_get(line, "uptime_s")), 13.0);
	json_t *groups = json_object_get(line, "groups");
	ck_assert_uint_eq(json_array_size(groups), 1);
	ck_assert_int_eq(number_at(line, "part"), 2);
	ck_assert_int_eq(number_at(line, "parts"), 2);
	ck_assert_str_eq(string_at(json_array_get(groups, 0), "kind"), "close_wait");
	ck_assert_ptr_null(json_object_get(json_array_get(groups, 0), "event"));
	ck_assert_ptr_null(json_object_get(json_array_get(groups, 0), "pid"));
	json_decref(line);
	line = summary_part(1, 1);
	ck_assert_ptr_null(json_object_get(line, "part"));
	json_decref(line);
	line = summary_part(0, 1);
	ck_assert(json_is_array(json_object_get(line, "groups")));
	ck_assert_uint_eq(json_array_size(json_object_get(line, "groups")), 0);
	json_decref(line);
}
END_TEST

/* Every size from nothing to enough: never past the end, and what is there is a complete object. */
START_TEST(a_full_buffer_has_a_shorter_line_or_none)
{
	struct cg_finding finding = sample_leak();
	finding.opened.depth = 40;
	unsigned brief = 0, none = 0;
	json_decref(finding_line(&finding, false));
	size_t whole = out.len;
	for (size_t size = 1; size <= whole + 1; size += size < whole - 20 ? 13 : 1) {
		memset(text, 0x7e, sizeof(text));
		cg_buf_init(&out, text, size);
		cg_json_finding(&out, &report, &finding, false);
		ck_assert_uint_eq((unsigned char)text[size], 0x7e);
		ck_assert_int_eq(out.truncated, size <= whole);
		none += out.len == 0;
		if (out.len == 0)
			continue;
		json_t *line = parse_line("finding");
		brief += json_array_size(json_object_get(line, "sockets")) == 1;
		ck_assert(json_is_true(json_object_get(json_object_get(line, "opened"), "truncated")));
		json_decref(line);
	}
	ck_assert_uint_eq(out.len, whole);
	ck_assert_uint_gt(brief, 0);
	ck_assert_uint_gt(none, 0);
}
END_TEST

/* Whoever empties the buffer looks at the flag once for all that was put in. */
START_TEST(earlier_truncation_is_remembered)
{
	struct cg_finding finding = sample_double_close();
	fresh();
	out.truncated = true;
	cg_json_finding(&out, &report, &finding, false);
	json_decref(parse_line("finding"));
	ck_assert(out.truncated);
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_test(tc, a_leak_has_all_fields);
	tcase_add_test(tc, places_have_call_thread_age_and_stack);
	tcase_add_test(tc, what_is_not_known_is_null);
	tcase_add_test(tc, sockets_have_all_fields);
	tcase_add_test(tc, extras_are_there_when_known);
	tcase_add_test(tc, history_has_the_delays);
	tcase_add_test(tc, hostile_names_come_through);
	tcase_add_test(tc, resolved_and_warning_are_lines);
	tcase_add_test(tc, a_summary_has_counters_and_groups);
	tcase_add_test(tc, a_full_buffer_has_a_shorter_line_or_none);
	tcase_add_test(tc, earlier_truncation_is_remembered);
}
