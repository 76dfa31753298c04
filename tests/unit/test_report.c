/* test_report.c: findings as text, word for word, and what a full buffer does to them. */
#include "unit.h"

#include "report_samples.h"

static char text[65536];
static struct cg_buf out;

static void fresh(void)
{
	cg_buf_init(&out, text, sizeof(text));
}

static const char leak_body[] =
    "  opened by accept4() 5m14s ago in thread \"worker-3\":\n"
    "    #0 handle_client  server.c:88\n"
    "    #1 main  server.c:140\n"
    "    #2 ?  libfoo.so.1+0x1234 [build-id 1a2b3c4d]\n"
    "  EOF seen by read() 5m12s ago in thread \"worker-3\":\n"
    "    #0 parse_line  http.c:12 (inlined)\n"
    "    #1 parse  http.c:80\n"
    "    #2 ?  [jit]+0x3fff\n"
    "    stopped at generated code\n"
    "  last used by send():\n"
    "    #0 handle_client  server.c:88\n"
    "  this place: 812 opened, 770 closed in time, 3 late, 37 never, 2 in use or not old enough\n"
    "  fd 12  127.0.0.1:8080 <- 127.0.0.1:51234  CLOSE_WAIT 5m12s (eof)  unread 0  inode 12345\n"
    "  fd 13  127.0.0.1:8080 <- 127.0.0.1:51234  CLOSE_WAIT 5m12s (eof)  unread 0  inode 12345\n"
    "  fd 14  127.0.0.1:8080 <- 127.0.0.1:51234  CLOSE_WAIT 5m12s (eof)  unread 0  inode 12345\n"
    "  fd 15  127.0.0.1:8080 <- 127.0.0.1:51234  CLOSE_WAIT 5m12s (eof)  unread 0  inode 12345\n"
    "  ... and 33 more\n"
    "  do: close it\n";

static const char leak_headline[] = "closeguard: nginx[4242]: LEAK 37 sockets in CLOSE_WAIT, oldest 5m12s: read() "
                                    "returned 0 and they were not closed (eof_ignored, confidence 0.95) "
                                    "at parse_line http.c:12\n";

START_TEST(a_leak_word_for_word)
{
	struct cg_finding finding = sample_leak();
	fresh();
	cg_text_finding(&out, &report, &finding, false);
	ck_assert_int_eq(strncmp(text, leak_headline, strlen(leak_headline)), 0);
	ck_assert_str_eq(text + strlen(leak_headline), leak_body);
	ck_assert(!out.truncated);
}
END_TEST

START_TEST(a_double_close_word_for_word)
{
	struct cg_finding finding = sample_double_close();
	fresh();
	cg_text_finding(&out, &report, &finding, false);
	ck_assert_str_eq(text,
	                 "closeguard: nginx[4242]: LEAK 1 double close, 2s ago: the descriptor had been closed already "
	                 "(double_close, confidence 1.00) at main server.c:140\n"
	                 "  called here: close() 2s ago in thread \"main\":\n"
	                 "    #0 main  server.c:140\n"
	                 "  it failed with EBADF\n"
	                 "  closed by close() 3s ago in thread \"main\":\n"
	                 "    #0 handle_client  server.c:88\n"
	                 "  do: remove one\n");
}
END_TEST

struct headline {
	struct cg_finding finding;
	bool again;
	const char *want;
};

#define OF(k, c, v) .kind = CG_KIND_##k, .cause = CG_CAUSE_##c, .verdict = CG_VERDICT_##v, .confidence = 705

static const struct headline headlines[] = {
    {{OF(CLOSE_WAIT, EOF_IGNORED, LEAK), .count = 1, .oldest_age_ns = SECONDS(40)},
     false,
     "LEAK 1 socket in CLOSE_WAIT, for 40s: the end was read and it was not closed (eof_ignored, confidence 0.70)"},
    {{OF(CLOSE_WAIT, EOF_IGNORED, LATE), .count = 74, .oldest_age_ns = SECONDS(40),
      .eof = {.known = true, .call = CG_CALL_recv}},
     true,
     "LATE again: 74 sockets in CLOSE_WAIT (doubled), oldest 40s: recv() returned 0 and they were not closed "
     "(eof_ignored, confidence 0.70)"},
    {{OF(CLOSE_WAIT, DATA_UNREAD, LEAK), .count = 2, .oldest_age_ns = SECONDS(40)},
     false,
     "LEAK 2 sockets in CLOSE_WAIT, oldest 40s: the peer has closed, data waits in front of its FIN, and nobody reads "
     "(data_unread, confidence 0.70)"},
    {{OF(CLOSE_WAIT, FIN_UNREAD, INFO), .count = 1, .oldest_age_ns = SECONDS(40)},
     false,
     "INFO 1 socket in CLOSE_WAIT, for 40s: the peer has closed and nobody has looked (fin_unread, confidence 0.70)"},
    {{OF(CLOSE_WAIT, SHARED, LEAK), .count = 1, .oldest_age_ns = SECONDS(40), .closed = {.known = true}},
     false,
     "LEAK 1 socket in CLOSE_WAIT, for 40s: closed here, but a dup, a child or another process keeps the connection "
     "(shared, confidence 0.70)"},
    {{OF(CLOSE_WAIT, SHARED, LEAK), .count = 1, .oldest_age_ns = SECONDS(40)},
     false,
     "LEAK 1 socket in CLOSE_WAIT, for 40s: inherited and never used here, but held open (shared, confidence 0.70)"},
    {{OF(CLOSE_WAIT, NEVER_ACCEPTED, LEAK), .count = 3, .oldest_age_ns = SECONDS(40)},
     false,
     "LEAK 3 connections in CLOSE_WAIT, oldest 40s: the peer has closed and they were never accepted "
     "(never_accepted, confidence 0.70)"},
    {{OF(CLOSE_WAIT, HALF_CLOSE, INFO), .count = 1, .oldest_age_ns = SECONDS(40)},
     false,
     "INFO 1 socket in CLOSE_WAIT, for 40s: the peer has closed its side and ours is still in use "
     "(half_close, confidence 0.70)"},
    {{OF(CLOSE_WAIT, LATE_CLOSE, LATE), .count = 5, .oldest_age_ns = SECONDS(40)},
     false,
     "LATE 5 late closes, the first 40s ago: closed, but long after the end was read (late_close, confidence 0.70)"},
    {{OF(DEAD_SOCKET, NONE, LEAK), .count = 2, .oldest_age_ns = SECONDS(40)},
     false,
     "LEAK 2 dead sockets, oldest 40s: the connection is gone and they were not closed (dead_socket, confidence 0.70)"},
    {{OF(DEAD_SOCKET, CONNECT_FAILED, LEAK), .count = 2, .oldest_age_ns = SECONDS(40)},
     false,
     "LEAK 2 dead sockets, oldest 40s: connect() failed and they were not closed (connect_failed, confidence 0.70)"},
    {{OF(FIN_WAIT2, HALF_CLOSED, INFO), .count = 1, .oldest_age_ns = SECONDS(40)},
     false,
     "INFO 1 socket in FIN_WAIT2, for 40s: shut down, and the peer does not close its side "
     "(half_closed, confidence 0.70)"},
    {{OF(RESET_ON_CLOSE, UNREAD_DATA, INFO), .count = 4, .oldest_age_ns = SECONDS(40)},
     false,
     "INFO 4 resets on close, the first 40s ago: unread data turned the close into a reset "
     "(unread_data, confidence 0.70)"},
    {{OF(USE_AFTER_CLOSE, NONE, INFO), .count = 2, .oldest_age_ns = SECONDS(40)},
     false,
     "INFO 2 uses after close, the first 40s ago: the descriptor had been closed (use_after_close, confidence 0.70)"},
    {{OF(FD_EXHAUSTION, NONE, LEAK), .count = 1, .open_fds = 1024, .fd_limit = 1024},
     false,
     "LEAK out of file descriptors, 1024 of 1024 open (fd_exhaustion, confidence 0.70)"},
    {{OF(FD_EXHAUSTION, NONE, INFO), .count = 1, .open_fds = 800, .fd_limit = 1024, .forecast_ns = SECONDS(300)},
     false,
     "INFO file descriptors are running out, 800 of 1024 open: none left in 5m00s at the present rate "
     "(fd_exhaustion, confidence 0.70)"},
};

START_TEST(headlines_tell_what_was_found)
{
	fresh();
	cg_report_headline(&out, &report, &headlines[_i].finding, headlines[_i].again);
	ck_assert_str_eq(text, headlines[_i].want);
}
END_TEST

START_TEST(deep_stacks_are_cut_and_say_so)
{
	struct cg_finding finding = {OF(CLOSE_WAIT, EOF_IGNORED, LEAK), .count = 1};
	finding.opened =
	    (struct cg_place){.known = true, .call = CG_CALL_socket, .depth = 40, .stack_flags = CG_STACK_TRUNCATED};
	for (unsigned i = 0; i < finding.opened.depth; i++)
		finding.opened.ip[i] = i == 11 ? IP_INLINED : 0x9000 + i;
	fresh();
	cg_text_finding(&out, &report, &finding, false);
	/* The address of the twelfth line stands for two frames: one is shown, one is among the rest. */
	ck_assert_ptr_nonnull(
	    strstr(text, "    #11 parse_line  http.c:12 (inlined)\n    ... 29 more frames\n    truncated\n"));
	ck_assert_ptr_null(strstr(text, "#12"));
}
END_TEST

START_TEST(what_every_stack_begins_with_is_left_out)
{
	struct cg_finding finding = {OF(CLOSE_WAIT, EOF_IGNORED, LEAK), .count = 1};
	finding.opened =
	    (struct cg_place){.known = true, .call = CG_CALL_socket, .depth = 2, .ip = {IP_MAIN, IP_START}};
	fresh();
	cg_text_finding(&out, &report, &finding, false);
	ck_assert_ptr_nonnull(strstr(text, "    #0 main  server.c:140\n"));
	ck_assert_ptr_null(strstr(text, "__libc_start"));
	ck_assert_ptr_null(strstr(text, "more frame"));
}
END_TEST

START_TEST(runs_of_a_runtime_are_one_line)
{
	struct cg_finding finding = {OF(CLOSE_WAIT, EOF_IGNORED, LEAK), .count = 1};
	finding.opened = (struct cg_place){.known = true, .call = CG_CALL_connect};
	for (unsigned i = 0; i < 30; i++) /* main, the interpreter's, generated code, the interpreter's, main */
		finding.opened.ip[i] = i == 0 || i == 29 ? IP_MAIN : i < 8 || i > 20 ? IP_PYTHON : IP_JIT;
	finding.opened.depth = 30;
	fresh();
	cg_text_finding(&out, &report, &finding, false);
	ck_assert_ptr_nonnull(strstr(text, "    #0 main  server.c:140\n"
	                                   "    #1 eval_frame  python3.11+0x77\n"
	                                   "    6 frames of the interpreter (python3.11)\n"
	                                   "    13 frames of generated code\n"
	                                   "    #2 eval_frame  python3.11+0x77\n"
	                                   "    7 frames of the interpreter (python3.11)\n"
	                                   "    #3 main  server.c:140\n"));
	struct cg_report deep = report;
	deep.depth = 20;
	fresh();
	cg_text_finding(&out, &deep, &finding, false);
	ck_assert_ptr_nonnull(strstr(text, "    #19 ?  [jit]+0x3fff\n    ... 10 more frames\n"));
}
END_TEST

START_TEST(modules_of_interpreters)
{
	static const char *const they[] = {"python3.11", "libpython3.12.so.1.0", "php-fpm8.2", "libruby-3.1.so.3.1",
	                                   "node",       "libjvm.so",            "perl"};
	static const char *const others[] = {"node-exporter", "phpserver", "rubyd", "", "python-proxy"};
	struct cg_frame frame = {.offset = 1};
	for (unsigned i = 0; i < sizeof they / sizeof *they; i++) {
		strcpy(frame.module, they[i]);
		ck_assert_msg(cg_frame_sort(&frame) == CG_FRAME_INTERPRETER, "%s", they[i]);
	}
	for (unsigned i = 0; i < sizeof others / sizeof *others; i++) {
		strcpy(frame.module, others[i]);
		ck_assert_msg(cg_frame_sort(&frame) == CG_FRAME_PLAIN, "%s", others[i]);
	}
}
END_TEST

START_TEST(openings_that_are_no_calls)
{
	static const struct {
		unsigned call;
		const char *want;
	} ways[] = {{CG_CALL_inherited, "\n  inherited 5m14s ago"},
	            {CG_CALL_received, "\n  received over a unix socket 5m14s ago"},
	            {CG_CALL_adopted, "\n  opened unseen, found by a sweep 5m14s ago"},
	            {CG_CALL_accept, "\n  opened by accept() 5m14s ago"}};
	for (unsigned i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		struct cg_finding finding = sample_leak();
		finding.opened.call = ways[i].call;
		fresh();
		cg_text_finding(&out, &report, &finding, false);
		ck_assert_msg(strstr(text, ways[i].want), "%s in %s", ways[i].want, text);
	}
}
END_TEST

START_TEST(sockets_tell_who_else_has_them)
{
	struct cg_finding finding = sample_leak();
	finding.cause = CG_CAUSE_FIN_UNREAD;
	finding.opened.call = CG_CALL_socket;
	finding.socket_count = finding.count = 3;
	finding.sockets[0].polled_by = 5;
	finding.sockets[0].has_unread = false;
	finding.sockets[1].holders = 10;
	for (int i = 0; i < CG_HOLDERS_SHOWN; i++)
		finding.sockets[1].shared_with[i] = 100 + i;
	strcpy(finding.sockets[1].commands[1], "sleep");
	finding.sockets[2] = (struct cg_socket_view){.fd = -1, .age_source = CG_AGE_KERNEL, .polled_by = -2};
	fresh();
	cg_text_finding(&out, &report, &finding, false);
	ck_assert_ptr_nonnull(strstr(text, "  fd 12  127.0.0.1:8080 -> 127.0.0.1:51234  CLOSE_WAIT 5m12s (eof)"
	                                   "  inode 12345  polled by fd 5\n"));
	ck_assert_ptr_nonnull(
	    strstr(text, "  not polled  also held by pid 100, 101 (sleep), 102, 103, 104, 105, 106, 107 and 2 more\n"));
	ck_assert_ptr_nonnull(strstr(text, "  no fd 0ms (kernel)\n"));
	ck_assert_ptr_null(strstr(text, "and 0 more"));
}
END_TEST

START_TEST(hostile_names_stay_on_their_line)
{
	struct cg_finding finding = sample_hostile(), tame = sample_leak();
	unsigned lines = 0, tame_lines = 0;
	fresh();
	cg_text_finding(&out, &report, &tame, false);
	for (const char *at = text; *at; at++)
		tame_lines += *at == '\n';
	fresh();
	cg_text_finding(&out, &report, &finding, false);
	for (const char *at = text; *at; at++) {
		lines += *at == '\n';
		ck_assert_msg(*at == '\n' || (unsigned char)*at >= 0x20, "control character at %ld", (long)(at - text));
	}
	ck_assert_uint_eq(lines, tame_lines + 1); /* the label's */
	ck_assert_ptr_nonnull(strstr(text, "  label: a\"b\\c??[31m?????\xc3\xa9\n"));
}
END_TEST

START_TEST(a_warning_is_one_line)
{
	fresh();
	cg_text_warning(&out, &report, "libdw is missing\nclosed");
	ck_assert_str_eq(text, "closeguard: nginx[4242]: warning: libdw is missing?closed\n");
}
END_TEST

START_TEST(a_paragraph_begins_with_the_time_where_asked)
{
	struct cg_finding finding = sample_leak();
	struct cg_report timed = report;
	timed.timed = true;
	fresh();
	cg_text_warning(&out, &timed, "off");
	cg_text_finding(&out, &timed, &finding, false);
	cg_text_resolved(&out, &timed, &finding);
	unsigned paragraphs = 0, with_time = 0;
	for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
		paragraphs += *line != ' ';
		with_time += strncmp(line, "2026-03-01T12:00:00.123Z closeguard: nginx[4242]: ", 50) == 0;
	}
	ck_assert_uint_eq(paragraphs, 3);
	ck_assert_uint_eq(with_time, 3);
}
END_TEST

START_TEST(a_resolved_group_is_named_by_its_opening)
{
	struct cg_finding finding = sample_leak();
	finding.opened.depth = 1;
	fresh();
	cg_text_resolved(&out, &report, &finding);
	ck_assert_str_eq(text,
	                 "closeguard: nginx[4242]: RESOLVED none left of a reported group (close_wait, eof_ignored) "
	                 "at parse_line http.c:12\n");
}
END_TEST

START_TEST(a_summary_without_findings_says_so)
{
	struct cg_summary summary = {.reason = "exit",
	                             .opened = 812,
	                             .closed = 812,
	                             .eofs = 800,
	                             .closed_in_time = 797,
	                             .closed_late = 3,
	                             .sweeps = 312,
	                             .sweep_cpu_ns = 45000000,
	                             .uptime_ns = SECONDS(312)};
	fresh();
	cg_text_summary_begin(&out, &report, &summary);
	cg_text_summary_end(&out, &report, &summary);
	ck_assert_str_eq(text, "closeguard: nginx[4242]: summary (exit): nothing outstanding\n"
	                       "  opened                812\n"
	                       "  closed                812\n"
	                       "  open now                0\n"
	                       "  EOFs seen             800\n"
	                       "  closed in time        797\n"
	                       "  closed late             3\n"
	                       "  sweeps                312 in 5m12s, CPU 0.045s\n");
}
END_TEST

START_TEST(a_summary_has_its_groups_as_paragraphs)
{
	struct cg_summary summary = {.reason = "signal", .double_closes = 1, .groups = 2};
	struct cg_finding leak = sample_leak(), twice = sample_double_close();
	fresh();
	cg_text_summary_begin(&out, &report, &summary);
	cg_text_summary_group(&out, &report, &leak, true);
	cg_text_summary_group(&out, &report, &twice, false);
	cg_text_summary_end(&out, &report, &summary);
	ck_assert_ptr_nonnull(strstr(text, "summary (signal): 2 findings outstanding\n"));
	ck_assert_ptr_nonnull(strstr(text, "\n  double closes           1\n"));
	ck_assert_ptr_nonnull(strstr(text, leak_headline));
	ck_assert_ptr_nonnull(strstr(text, "LEAK 1 double close"));
}
END_TEST

/* Every size from nothing to enough: never past the end, always whole lines, always the beginning of the whole. */
START_TEST(a_full_buffer_ends_on_a_line)
{
	struct cg_finding finding = sample_leak();
	fresh();
	cg_text_finding(&out, &report, &finding, false);
	size_t whole = out.len;
	char *wanted = strdup(text);
	for (size_t size = 1; size <= whole + 1; size++) {
		memset(text, 0x7e, sizeof(text));
		cg_buf_init(&out, text, size);
		cg_text_finding(&out, &report, &finding, false);
		ck_assert_uint_eq((unsigned char)text[size], 0x7e);
		ck_assert_int_eq(text[out.len], '\0');
		ck_assert_int_eq(strncmp(text, wanted, out.len), 0);
		ck_assert(out.len == 0 || text[out.len - 1] == '\n');
		ck_assert_int_eq(out.truncated, size <= whole);
	}
	ck_assert_uint_eq(out.len, whole);
	free(wanted);
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_test(tc, a_leak_word_for_word);
	tcase_add_test(tc, a_double_close_word_for_word);
	tcase_add_loop_test(tc, headlines_tell_what_was_found, 0, (int)(sizeof(headlines) / sizeof(*headlines)));
	tcase_add_test(tc, deep_stacks_are_cut_and_say_so);
	tcase_add_test(tc, what_every_stack_begins_with_is_left_out);
	tcase_add_test(tc, runs_of_a_runtime_are_one_line);
	tcase_add_test(tc, modules_of_interpreters);
	tcase_add_test(tc, openings_that_are_no_calls);
	tcase_add_test(tc, sockets_tell_who_else_has_them);
	tcase_add_test(tc, hostile_names_stay_on_their_line);
	tcase_add_test(tc, a_warning_is_one_line);
	tcase_add_test(tc, a_paragraph_begins_with_the_time_where_asked);
	tcase_add_test(tc, a_resolved_group_is_named_by_its_opening);
	tcase_add_test(tc, a_summary_without_findings_says_so);
	tcase_add_test(tc, a_summary_has_its_groups_as_paragraphs);
	tcase_add_test(tc, a_full_buffer_ends_on_a_line);
}
