/* test_detect.c: what is said of a socket, as a table of facts and judgements. */
#include "unit.h"

#include <errno.h>

#include "detect_rows.h"

static const struct row eof_rows[] = {
    {"a read returned 0 a minute ago, nothing is unread",
     {SLOT(ACCEPTED, TOLD(60000)), WAITS(QUEUE(0), IDLE(60000))},
     {CW(EOF_IGNORED, LEAK, 850), .mature = true, .age_source = CG_AGE_EOF, .age_ns = MS(60000),
      .age_max_ns = MS(60000)}},
    {"the same, one second ago",
     {SLOT(ACCEPTED, TOLD(1000)), WAITS(QUEUE(0), IDLE(1000))},
     {CW(EOF_IGNORED, LEAK, 850), .mature = false, .age_source = CG_AGE_EOF}},
    {"the same for a gate",
     {SLOT(ACCEPTED, TOLD(1000)), WAITS(QUEUE(0), IDLE(1000)), .strict = true},
     {CW(EOF_IGNORED, LEAK, 850), .mature = true, .age_source = CG_AGE_EOF}},
    {"for a gate, but nobody was seen to read the end",
     {.fd = 7, WAITS(QUEUE(0), IDLE(1000)), .strict = true},
     {CW(EOF_IGNORED, LEAK, 600), .mature = false}},
    {"a request whose handler is at work",
     {SLOT(ACCEPTED, TOLD(60000)), WAITS(QUEUE(0), TIMES(60000, 90000, 60000), .bytes_received = 3),
      .reader_at_work = true},
     {CW(HALF_CLOSE, INFO, 300), .mature = true, .quiet = true, .pending = true}},
    {"the same, after three times the age that is told of",
     {SLOT(ACCEPTED, TOLD(90000)), WAITS(QUEUE(0), TIMES(90000, 120000, 90000), .bytes_received = 3),
      .reader_at_work = true},
     {CW(EOF_IGNORED, LEAK, 850), .mature = true}},
    {"the same, by a thread that was made to serve",
     {SLOT(ACCEPTED, TOLD(290000)), WAITS(QUEUE(0), TIMES(290000, 320000, 290000), .bytes_received = 3),
      .reader_at_work = true, .reader_apart = true},
     {CW(HALF_CLOSE, INFO, 300), .mature = true, .quiet = true, .pending = true}},
    {"that thread, after ten times the age",
     {SLOT(ACCEPTED, TOLD(300000)), WAITS(QUEUE(0), TIMES(300000, 320000, 300000), .bytes_received = 3),
      .reader_at_work = true, .reader_apart = true},
     {CW(EOF_IGNORED, LEAK, 850), .mature = true}},
    {"the same, at a place that closes late and without an answer",
     {SLOT(ACCEPTED, TOLD(60000)), WAITS(QUEUE(0), TIMES(60000, 90000, 60000), .bytes_received = 3),
      .reader_at_work = true, .history = {.closed_late = 3, .never_closed = 1}},
     {CW(EOF_IGNORED, LATE, 725), .mature = true}},
    {"the same for a gate",
     {SLOT(ACCEPTED, TOLD(60000)), WAITS(QUEUE(0), TIMES(60000, 90000, 60000), .bytes_received = 3),
      .reader_at_work = true, .strict = true},
     {CW(EOF_IGNORED, LEAK, 850), .mature = true}},
    {"a request whose handler has gone on",
     {SLOT(ACCEPTED, TOLD(60000)), WAITS(QUEUE(0), TIMES(60000, 90000, 60000), .bytes_received = 3)},
     {CW(EOF_IGNORED, LEAK, 850), .mature = true}},
    {"the same, at a place that is known to answer after the end",
     {SLOT(ACCEPTED, TOLD(60000)), WAITS(QUEUE(0), TIMES(60000, 90000, 60000), .bytes_received = 3),
      .history = {.answered = 3, .never_closed = 3}},
     {CW(HALF_CLOSE, INFO, 300), .mature = true, .quiet = true, .pending = true}},
    {"a request that was answered before the end",
     {SLOT(ACCEPTED, TOLD(60000)),
      WAITS(QUEUE(0), TIMES(60000, 60500, 61000), .bytes_received = 3, .has_sent = true), .reader_at_work = true},
     {CW(EOF_IGNORED, LEAK, 850), .mature = true}},
    {"nothing was asked for: the FIN counts as a byte",
     {SLOT(ACCEPTED, TOLD(60000)), WAITS(QUEUE(0), TIMES(60000, 90000, 60000), .bytes_received = 1),
      .reader_at_work = true},
     {CW(EOF_IGNORED, LEAK, 850), .mature = true}},
    {"an empty queue without a record says it less surely",
     {.fd = 7, WAITS(QUEUE(0), IDLE(60000))},
     {CW(EOF_IGNORED, LEAK, 600), .mature = true, .age_source = CG_AGE_KERNEL, .age_ns = MS(60000)}},
    {"told, and the kernel's queue cannot be had",
     {SLOT(ACCEPTED, TOLD(60000)), .tcp = {.state = CG_TCP_CLOSE_WAIT}},
     {CW(EOF_IGNORED, LEAK, 850), .mature = true, .age_source = CG_AGE_EOF, .age_ns = MS(60000)}},
    {"the FIN waited for an hour and was read just now",
     {SLOT(CONNECTED, TOLD(100)), WAITS(QUEUE(0), IDLE(3600000))},
     {CW(EOF_IGNORED, LEAK, 850), .mature = false, .age_source = CG_AGE_KERNEL, .age_ns = MS(3600000)}},
    {"the reply was finished before the end was read",
     {SLOT(ACCEPTED, TOLD(60000)), WAITS(QUEUE(0), TIMES(60000, 60010, 61000))},
     {CW(EOF_IGNORED, LEAK, 850), .mature = true, .age_ns = MS(60000), .age_max_ns = MS(61000)}},
    {"replied after the end, long ago",
     {SLOT(ACCEPTED, TOLD(90000)), WAITS(QUEUE(0), TIMES(40000, 40000, 90000))},
     {CW(EOF_IGNORED, LEAK, 850), .mature = true, .age_source = CG_AGE_EOF, .age_ns = MS(90000)}},
    {"MSG_PEEK saw the end, which is not being told",
     {SLOT(ACCEPTED, .flags = CG_SLOT_PEEKED), WAITS(QUEUE(1), IDLE(60000))},
     {CW(FIN_UNREAD, LEAK, 500), .mature = true}},
    {"ignored on request",
     {SLOT(ACCEPTED, .flags = CG_SLOT_EOF | CG_SLOT_IGNORED, .eof_ns = AGO(60000)), WAITS(QUEUE(0), IDLE(60000))},
     {.kind = CG_KIND_NONE}},
};

static const struct row half_close_rows[] = {
    {"still sending after the end",
     {SLOT(ACCEPTED, TOLD(60000)), WAITS(QUEUE(0), TIMES(100, 100, 60000))},
     {CW(HALF_CLOSE, INFO, 900), .mature = true, .quiet = true, .age_ns = MS(60000)}},
    {"still sending, and only the sweep knows since when it is closable",
     {SLOT(ACCEPTED, .first_seen_ns = AGO(50000)), WAITS(QUEUE(0), TIMES(100, 100, 60000))},
     {CW(HALF_CLOSE, INFO, 900), .mature = true, .quiet = true, .age_source = CG_AGE_FIRST_SEEN, .age_ns = MS(50000),
      .age_max_ns = MS(60000)}},
    {"the peer does not take what was sent",
     {SLOT(ACCEPTED, TOLD(60000)), WAITS(QUEUE(0), .wqueue = 4096, IDLE(60000))},
     {CW(HALF_CLOSE, INFO, 900), .mature = true}},
    {"a relay waits for its other side",
     {SLOT(ACCEPTED, TOLD(60000)), .relayed = true, WAITS(QUEUE(0), IDLE(60000))},
     {CW(HALF_CLOSE, INFO, 900), .mature = true}},
    {"sent within the slack of the FIN counts as before it",
     {SLOT(ACCEPTED, TOLD(10000)), WAITS(QUEUE(0), TIMES(9985, 9985, 10000))},
     {CW(EOF_IGNORED, LEAK, 850), .mature = false}},
};

static const struct row holder_rows[] = {
    {"in the backlog of a listener",
     {.fd = -1, .in_backlog = true, WAITS(QUEUE(12), IDLE(60000))},
     {CW(NEVER_ACCEPTED, LEAK, 700), .mature = true, .age_source = CG_AGE_KERNEL}},
    {"closed here and kept open elsewhere",
     {.fd = -1,
      .departed = true,
      .has_slot = true,
      .slot = {ACCEPTED, TOLD(60000)},
      WAITS(QUEUE(0), IDLE(60000)),
      .other_holders = true},
     {CW(SHARED, LEAK, 800), .mature = true, .age_source = CG_AGE_EOF}},
    {"inherited, never used, and whom it came from reports it",
     {SLOT(ACCEPTED, .flags = CG_SLOT_INHERITED), .held_by_opener = true, .other_holders = true,
      WAITS(QUEUE(1), IDLE(60000))},
     {.kind = CG_KIND_NONE}},
    {"inherited, never used, and nobody else reports it",
     {SLOT(ACCEPTED, .flags = CG_SLOT_INHERITED), WAITS(QUEUE(1), IDLE(60000))},
     {CW(SHARED, LEAK, 600), .mature = true}},
    {"the same, in a program that was run for a moment",
     {SLOT(ACCEPTED, .flags = CG_SLOT_INHERITED), WAITS(QUEUE(1), IDLE(60000)), .passing_by = true},
     {.kind = CG_KIND_NONE}},
    {"inherited and used is this process's own",
     {.fd = 7,
      .has_slot = true,
      .held_by_opener = true,
      .slot = {ACCEPTED, .flags = CG_SLOT_INHERITED | CG_SLOT_USED | CG_SLOT_EOF, .eof_ns = AGO(60000)},
      WAITS(QUEUE(0), IDLE(60000))},
     {CW(EOF_IGNORED, LEAK, 850), .mature = true}},
    {"somebody else's", {.fd = -1, WAITS(QUEUE(0), IDLE(60000))}, {.kind = CG_KIND_NONE}},
};

static const struct row dead_rows[] = {
    {"accepted, reset while idle for an hour, seen so for 40 s",
     {SLOT(ACCEPTED, .first_seen_ns = AGO(40000)),
      .tcp = {.state = CG_TCP_CLOSE, .was_connected = true, IDLE(3600000)}},
     {DEAD(700), .mature = true, .age_source = CG_AGE_FIRST_SEEN, .age_ns = MS(40000), .age_max_ns = MS(3600000)}},
    {"the same, found just now: the hour of idleness is not its age",
     {SLOT(ACCEPTED, .first_seen_ns = AGO(10)), .tcp = {.state = CG_TCP_CLOSE, .was_connected = true, IDLE(3600000)}},
     {DEAD(700), .mature = false, .age_source = CG_AGE_FIRST_SEEN}},
    {"a call said ECONNRESET",
     {SLOT(CONNECTED, .flags = CG_SLOT_ERROR, .eof_ns = AGO(60000)),
      .tcp = {.state = CG_TCP_CLOSE, .was_connected = true}},
     {DEAD(900), .mature = true, .age_source = CG_AGE_EOF}},
    {"the record says used, the kernel that it never was a connection: another socket by now",
     {SLOT(CONNECTED, .last_use = USE(send), .first_seen_ns = AGO(60000)), .tcp = {.state = CG_TCP_CLOSE}},
     {.kind = CG_KIND_NONE}},
    {"shut down by us",
     {SLOT(CONNECTED, .flags = CG_SLOT_SHUT_WR, .first_seen_ns = AGO(60000)),
      .tcp = {.state = CG_TCP_CLOSE, .was_connected = true}},
     {DEAD(700), .mature = true}},
    {"a call said EPIPE, and no handshake was made: a connect that failed",
     {SLOT(CONNECTED, .flags = CG_SLOT_ERROR, .first_seen_ns = AGO(60000)), .tcp = {.state = CG_TCP_CLOSE}},
     {.kind = CG_KIND_NONE}},
    {"a connect that failed",
     {SLOT(CONNECTED, .last_use = USE(connect), .first_seen_ns = AGO(60000)), .tcp = {.state = CG_TCP_CLOSE}},
     {.kind = CG_KIND_NONE}},
    {"a connect that failed and was never looked at",
     {SLOT(CONNECTED, .first_seen_ns = AGO(60000)), .tcp = {.state = CG_TCP_CLOSE}},
     {.kind = CG_KIND_NONE}},
    {"a connect that was refused a minute ago",
     {SLOT(CONNECTED, .flags = CG_SLOT_CONNECT, .first_seen_ns = AGO(60000)), .tcp = {.state = CG_TCP_CLOSE}},
     {.kind = CG_KIND_DEAD_SOCKET, .cause = CG_CAUSE_CONNECT_FAILED, .verdict = CG_VERDICT_LEAK, .confidence = 600,
      .mature = true, .age_source = CG_AGE_FIRST_SEEN}},
    {"a connect that was refused just now",
     {SLOT(CONNECTED, .flags = CG_SLOT_CONNECT, .first_seen_ns = AGO(10)), .tcp = {.state = CG_TCP_CLOSE}},
     {.kind = CG_KIND_DEAD_SOCKET, .cause = CG_CAUSE_CONNECT_FAILED, .verdict = CG_VERDICT_LEAK, .confidence = 600,
      .mature = false, .age_source = CG_AGE_FIRST_SEEN}},
    {"a connect that was refused just now, as the program was told, and a gate asks",
     {SLOT(CONNECTED, .flags = CG_SLOT_CONNECT | CG_SLOT_REFUSED, .first_seen_ns = AGO(10)),
      .tcp = {.state = CG_TCP_CLOSE}, .strict = true},
     {.kind = CG_KIND_DEAD_SOCKET, .cause = CG_CAUSE_CONNECT_FAILED, .verdict = CG_VERDICT_LEAK, .confidence = 700,
      .mature = true, .age_source = CG_AGE_FIRST_SEEN}},
    {"a connect of which the program may not know yet that it was refused, and a gate asks",
     {SLOT(CONNECTED, .flags = CG_SLOT_CONNECT, .first_seen_ns = AGO(10)), .tcp = {.state = CG_TCP_CLOSE},
      .strict = true},
     {.kind = CG_KIND_DEAD_SOCKET, .cause = CG_CAUSE_CONNECT_FAILED, .verdict = CG_VERDICT_LEAK, .confidence = 600,
      .mature = false, .age_source = CG_AGE_FIRST_SEEN}},
    {"a connection that began with a connect of unknown outcome",
     {SLOT(CONNECTED, .flags = CG_SLOT_CONNECT, .first_seen_ns = AGO(60000)),
      .tcp = {.state = CG_TCP_CLOSE, .was_connected = true},
      .history = {.never_closed = 2, .peers = 1, .busiest = 1},
      .place_in_use = true},
     {DEAD(700), .mature = true}},
    {"a socket that was never connected",
     {SLOT(.kind = CG_FD_CONN, .last_use = USE(setsockopt)), .tcp = {.state = CG_TCP_CLOSE}},
     {.kind = CG_KIND_NONE}},
    {"closed without a record", {.fd = 7, .tcp = {.state = CG_TCP_CLOSE}}, {.kind = CG_KIND_NONE}},
    {"not held by this process",
     {.fd = -1, .has_slot = true, .departed = true, .slot = {ACCEPTED}, .tcp = {.state = CG_TCP_CLOSE}},
     {.kind = CG_KIND_NONE}},
    {"inherited, and whom it came from reports it",
     {SLOT(ACCEPTED, .flags = CG_SLOT_INHERITED), .held_by_opener = true, .tcp = {.state = CG_TCP_CLOSE}},
     {.kind = CG_KIND_NONE}},
};

TABLE_TEST(eof_rows)
TABLE_TEST(half_close_rows)
TABLE_TEST(holder_rows)
TABLE_TEST(dead_rows)

/* An EOF a minute old that nobody closed, in whatever state the kernel reports. */
START_TEST(other_states_say_nothing)
{
	for (unsigned state = 0; state < 16; state++) {
		struct cg_facts facts = {
		    .fd = 7,
		    .has_slot = true,
		    .now_ns = NOW,
		    .warn_after_ns = MS(30000),
		    .slot = {ACCEPTED, .flags = CG_SLOT_EOF, .eof_ns = AGO(60000)},
		    .tcp = {.state = (uint8_t)state, .was_connected = true, QUEUE(0), IDLE(60000)}};
		struct cg_judgement got;
		cg_detect(&facts, &got);
		bool closable = state == CG_TCP_CLOSE_WAIT || state == CG_TCP_CLOSE;
		ck_assert_msg((got.kind != CG_KIND_NONE) == closable, "state %u: %s", state, cg_kind_name(got.kind));
	}
}
END_TEST

static struct cg_judgement judge_ages(uint64_t eof_ms, uint32_t kernel_ms, uint64_t seen_ms, uint32_t data_ms)
{
	struct cg_facts facts = {.fd = 7,
	                         .has_slot = true,
	                         .now_ns = NOW,
	                         .warn_after_ns = MS(30000),
	                         .slot = {ACCEPTED, .flags = eof_ms ? CG_SLOT_EOF : 0,
	                                  .eof_ns = eof_ms ? AGO(eof_ms) : 0,
	                                  .first_seen_ns = seen_ms ? AGO(seen_ms) : 0},
	                         .tcp = {.state = CG_TCP_CLOSE_WAIT,
	                                 QUEUE(0),
	                                 .has_info = true,
	                                 .last_ack_recv_ms = kernel_ms,
	                                 .last_data_sent_ms = 1000000,
	                                 .last_data_recv_ms = data_ms}};
	struct cg_judgement got;
	cg_detect(&facts, &got);
	return got;
}

START_TEST(age_is_the_largest_lower_bound)
{
	ck_assert_int_eq(judge_ages(5000, 4000, 3000, 9000).age_source, CG_AGE_EOF);
	ck_assert_int_eq(judge_ages(4000, 5000, 3000, 9000).age_source, CG_AGE_KERNEL);
	ck_assert_int_eq(judge_ages(3000, 4000, 5000, 9000).age_source, CG_AGE_FIRST_SEEN);
	ck_assert_uint_eq(judge_ages(3000, 4000, 5000, 9000).age_ns, MS(5000));
	ck_assert_uint_eq(judge_ages(3000, 4000, 5000, 9000).age_max_ns, MS(9000));
	ck_assert_uint_eq(judge_ages(3000, 4000, 5000, 4500).age_max_ns, MS(5000));
	ck_assert_uint_eq(judge_ages(3000, 4000, 5000, 0).age_max_ns, 0);
}
END_TEST

START_TEST(age_source_on_a_tie)
{
	ck_assert_int_eq(judge_ages(4990, 5000, 5000, 9000).age_source, CG_AGE_EOF);
	ck_assert_int_eq(judge_ages(4989, 5000, 5000, 9000).age_source, CG_AGE_KERNEL);
	ck_assert_int_eq(judge_ages(0, 4990, 5000, 9000).age_source, CG_AGE_KERNEL);
	ck_assert_int_eq(judge_ages(0, 4989, 5000, 9000).age_source, CG_AGE_FIRST_SEEN);
}
END_TEST

/* Without the EOF flag eof_ns is a leftover; a time in the future (read while it was being written) is no age. */
START_TEST(age_ignores_what_is_not_so)
{
	struct cg_facts facts = {.fd = 7,
	                         .has_slot = true,
	                         .now_ns = NOW,
	                         .warn_after_ns = MS(30000),
	                         .slot = {ACCEPTED, .eof_ns = AGO(60000), .first_seen_ns = NOW + 5},
	                         .tcp = {.state = CG_TCP_CLOSE_WAIT, QUEUE(0)}};
	struct cg_judgement got;
	cg_detect(&facts, &got);
	ck_assert_uint_eq(got.age_ns, 0);
	ck_assert(!got.mature);
}
END_TEST

/* last_data_recv is the time since boot where nothing was ever received. */
START_TEST(age_of_a_connected_socket_ends_at_its_opening)
{
	struct cg_facts facts = {.fd = 7,
	                         .has_slot = true,
	                         .now_ns = NOW,
	                         .warn_after_ns = MS(30000),
	                         .slot = {CONNECTED, .origin = CG_ORIGIN_SEEN, .open_ns = AGO(70000)},
	                         .tcp = {.state = CG_TCP_CLOSE_WAIT,
	                                 QUEUE(1),
	                                 .has_info = true,
	                                 .last_ack_recv_ms = 60000,
	                                 .last_data_recv_ms = 9000000}};
	struct cg_judgement got;
	cg_detect(&facts, &got);
	ck_assert_uint_eq(got.age_ns, MS(60000));
	ck_assert_uint_eq(got.age_max_ns, MS(70000));
	facts.slot.role = CG_ROLE_ACCEPTED; /* may have waited in the backlog, closed by its peer */
	cg_detect(&facts, &got);
	ck_assert_uint_eq(got.age_max_ns, MS(9000000));
}
END_TEST

START_TEST(every_finding_has_names_and_advice)
{
	for (unsigned kind = 1; kind < CG_KIND_COUNT; kind++) {
		ck_assert_str_ne(cg_kind_name(kind), "");
		for (unsigned cause = 0; cause < CG_CAUSE_COUNT; cause++) {
			for (unsigned verdict = 0; verdict <= CG_VERDICT_INFO; verdict++) {
				const char *advice = cg_detect_advice(kind, cause, verdict, verdict % 2);
				ck_assert_msg(strlen(advice) > 20, "%s %s: \"%s\"", cg_kind_name(kind),
				              cg_cause_name(cause), advice);
			}
		}
	}
	for (unsigned cause = 1; cause < CG_CAUSE_COUNT; cause++)
		ck_assert_str_ne(cg_cause_name(cause), "");
	ck_assert_str_eq(cg_kind_name(CG_KIND_NONE), "");
	ck_assert_str_eq(cg_cause_name(CG_CAUSE_NONE), "");
	ck_assert_str_eq(cg_kind_name((enum cg_kind)1000), "unknown");
	ck_assert_str_eq(cg_origin_name(CG_ORIGIN_UNSEEN), "unseen");
	ck_assert_str_eq(cg_origin_name(77), "");
	ck_assert_str_eq(cg_error_name(ECONNRESET), "ECONNRESET");
	ck_assert_str_eq(cg_error_name(0), "");
	ck_assert_str_eq(cg_error_name(-1), "");
}
END_TEST

START_TEST(advice_names_no_stack_that_is_not_there)
{
	struct cg_finding finding = {
	    .kind = CG_KIND_CLOSE_WAIT, .cause = CG_CAUSE_EOF_IGNORED, .verdict = CG_VERDICT_LEAK};
	ck_assert_ptr_nonnull(strstr(cg_finding_advice(&finding, CG_HINT_UNKNOWN), "so there is no stack"));
	ck_assert_ptr_null(strstr(cg_finding_advice(&finding, CG_HINT_UNKNOWN), "EOF seen"));
	finding.opened.known = true;
	ck_assert_ptr_nonnull(strstr(cg_finding_advice(&finding, CG_HINT_NOT_POLLED), "no stack of them"));
	ck_assert_str_eq(cg_finding_advice(&finding, CG_HINT_FORKED), cg_detect_advice_forked());
	finding.last_use.known = true;
	ck_assert_ptr_nonnull(strstr(cg_finding_advice(&finding, CG_HINT_NOT_POLLED), "`last used`"));
	finding.eof.known = true;
	ck_assert_ptr_nonnull(strstr(cg_finding_advice(&finding, CG_HINT_NOT_POLLED), "`EOF seen`"));
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_test(tc, advice_names_no_stack_that_is_not_there);
	ADD_TABLE(tc, eof_rows);
	ADD_TABLE(tc, half_close_rows);
	ADD_TABLE(tc, holder_rows);
	ADD_TABLE(tc, dead_rows);
	tcase_add_test(tc, other_states_say_nothing);
	tcase_add_test(tc, age_is_the_largest_lower_bound);
	tcase_add_test(tc, age_source_on_a_tie);
	tcase_add_test(tc, age_ignores_what_is_not_so);
	tcase_add_test(tc, age_of_a_connected_socket_ends_at_its_opening);
	tcase_add_test(tc, every_finding_has_names_and_advice);
}
