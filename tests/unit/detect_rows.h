/* detect_rows.h: tables of facts about a socket and of what is to be said of it. */
#ifndef DETECT_ROWS_H
#define DETECT_ROWS_H

#include <string.h>

#include "calls.h"
#include "detect.h"
#include "unit.h"

#define NOW 10000000000000ULL /* some 2 h 46 min after boot */
#define MS(n) ((uint64_t)(n)*1000000ULL)
#define AGO(ms) (NOW - MS(ms))
#define USE(call) ((uint64_t)CG_CALL_##call << 56 | 0x1234)
#define ACCEPTED .role = CG_ROLE_ACCEPTED, .kind = CG_FD_CONN
#define CONNECTED .role = CG_ROLE_CONNECTED, .kind = CG_FD_CONN
#define SLOT(...) .fd = 7, .has_slot = true, .slot = {__VA_ARGS__}
#define TOLD(ms) .flags = CG_SLOT_EOF, .eof_ns = AGO(ms)
#define WAITS(...) .tcp = {.state = CG_TCP_CLOSE_WAIT, __VA_ARGS__}
#define TIMES(ack, sent, data)                                                                                         \
	.has_info = true, .last_ack_recv_ms = (ack), .last_data_sent_ms = (sent), .last_data_recv_ms = (data)
/* The kernel's times of a socket that has been idle, its FIN included, for `ms`. */
#define IDLE(ms) TIMES(ms, ms, ms)
#define QUEUE(unread) .has_queues = true, .rqueue = (unread)

struct row {
	const char *name;
	struct cg_facts facts;
	struct cg_judgement want; /* ages in want are compared when they are not 0 */
};

#define CW(what, how, sure)                                                                                            \
	.kind = CG_KIND_CLOSE_WAIT, .cause = CG_CAUSE_##what, .verdict = CG_VERDICT_##how, .confidence = (sure)
#define DEAD(sure) .kind = CG_KIND_DEAD_SOCKET, .verdict = CG_VERDICT_LEAK, .confidence = (sure)

static void check_row(const struct row *row)
{
	struct cg_facts facts = row->facts;
	struct cg_judgement got;
	facts.now_ns = NOW;
	facts.warn_after_ns = MS(30000);
	memset(&got, 0xa5, sizeof(got));
	cg_detect(&facts, &got);
	ck_assert_msg(got.kind == row->want.kind && got.cause == row->want.cause, "%s: %s %s", row->name,
	              cg_kind_name(got.kind), cg_cause_name(got.cause));
	ck_assert_msg(got.verdict == row->want.verdict && got.confidence == row->want.confidence, "%s: %s %u",
	              row->name, cg_verdict_name(got.verdict), got.confidence);
	ck_assert_msg(got.mature == row->want.mature, "%s: mature %d", row->name, got.mature);
	ck_assert_msg(got.quiet == row->want.quiet, "%s: quiet %d", row->name, got.quiet);
	ck_assert_msg(got.pending == row->want.pending, "%s: pending %d", row->name, got.pending);
	if (row->want.age_ns) {
		ck_assert_msg(got.age_ns == row->want.age_ns, "%s: age %lu", row->name, got.age_ns);
		ck_assert_msg(got.age_source == row->want.age_source, "%s: %s", row->name,
		              cg_age_source_name(got.age_source));
	}
	if (row->want.age_max_ns)
		ck_assert_msg(got.age_max_ns == row->want.age_max_ns, "%s: at most %lu", row->name, got.age_max_ns);
}

#define TABLE_TEST(table)                                                                                              \
	START_TEST(table##_are_judged)                                                                                 \
	{                                                                                                              \
		check_row(&table[_i]);                                                                                 \
	}                                                                                                              \
	END_TEST
#define ADD_TABLE(tc, table) tcase_add_loop_test(tc, table##_are_judged, 0, (int)(sizeof(table) / sizeof(*table)))

#endif
