/* test_detect_unread.c: what is said of a socket whose end nobody has read: a pool's, a handler's, or forgotten. */
#include "detect_rows.h"

static const struct row unread_rows[] = {
    {"only the FIN waits",
     {SLOT(CONNECTED), WAITS(QUEUE(1), IDLE(60000))},
     {CW(FIN_UNREAD, INFO, 500), .mature = true, .age_source = CG_AGE_KERNEL}},
    {"only the FIN waits, at a place that leaves many",
     {SLOT(CONNECTED), WAITS(QUEUE(1), IDLE(60000)), .history = {.never_closed = 4, .peers = 1, .busiest = 3},
      .place_in_use = true},
     {CW(FIN_UNREAD, LEAK, 650), .mature = true}},
    {"the same, and the place was not used since",
     {SLOT(CONNECTED), WAITS(QUEUE(1), IDLE(60000)), .history = {.never_closed = 4, .peers = 1, .busiest = 3}},
     {CW(FIN_UNREAD, INFO, 500), .mature = true}},
    {"the same for a gate, which does not wait for that",
     {SLOT(CONNECTED), WAITS(QUEUE(1), IDLE(60000)), .history = {.never_closed = 4}, .strict = true},
     {CW(FIN_UNREAD, LEAK, 650), .mature = true}},
    {"one for each peer is a pool",
     {SLOT(CONNECTED), WAITS(QUEUE(1), IDLE(60000)), .history = {.never_closed = 4, .peers = 4},
      .place_in_use = true},
     {CW(FIN_UNREAD, INFO, 500), .mature = true}},
    {"as many as were in use at once are a pool",
     {SLOT(CONNECTED), WAITS(QUEUE(1), IDLE(60000)), .history = {.never_closed = 4, .peers = 1, .busiest = 4},
      .place_in_use = true},
     {CW(FIN_UNREAD, INFO, 500), .mature = true}},
    {"handles that are used one after the other, and whose old connections are closed when they are needed",
     {SLOT(CONNECTED),
      WAITS(QUEUE(1), IDLE(60000)),
      .history = {.never_closed = 8, .peers = 1, .busiest = 1, .most_live = 7, .closed_late = 2},
      .place_in_use = true},
     {CW(FIN_UNREAD, INFO, 500), .mature = true}},
    {"the same, and more are left than there can be handles",
     {SLOT(CONNECTED),
      WAITS(QUEUE(1), IDLE(60000)),
      .history = {.never_closed = 10, .peers = 1, .busiest = 1, .most_live = 7, .closed_late = 2},
      .place_in_use = true},
     {CW(FIN_UNREAD, LEAK, 834), .mature = true}},
    {"the same, and the place has closed none",
     {SLOT(CONNECTED),
      WAITS(QUEUE(1), IDLE(60000)),
      .history = {.never_closed = 7, .peers = 1, .busiest = 1, .most_live = 7},
      .place_in_use = true},
     {CW(FIN_UNREAD, LEAK, 800), .mature = true}},
    {"a pool's connections that the peer has ended by a reset",
     {SLOT(CONNECTED), .tcp = {.state = CG_TCP_CLOSE, .was_connected = true}, .history = {.never_closed = 4}},
     {.kind = CG_KIND_DEAD_SOCKET, .verdict = CG_VERDICT_INFO, .confidence = 500}},
    {"the same, and the program was told",
     {SLOT(CONNECTED, .flags = CG_SLOT_ERROR, .eof_ns = AGO(60000)),
      .tcp = {.state = CG_TCP_CLOSE, .was_connected = true}},
     {DEAD(900), .mature = true, .age_source = CG_AGE_EOF}},
    {"what an event loop watches is in no pool",
     {SLOT(CONNECTED, .flags = CG_SLOT_POLLED), WAITS(QUEUE(1), IDLE(60000)), .history = {.never_closed = 4}},
     {CW(FIN_UNREAD, LEAK, 650), .mature = true}},
    {"of an accepted one the handler is stuck, be it the only one",
     {SLOT(ACCEPTED), WAITS(QUEUE(1), IDLE(60000)), .history = {.never_closed = 1}},
     {CW(FIN_UNREAD, LEAK, 500), .mature = true}},
    {"a goodbye that came with the FIN, long after the last use",
     {SLOT(CONNECTED), WAITS(QUEUE(55), IDLE(60000)), .last_use_ns = AGO(65000), .history = {.never_closed = 4}},
     {CW(FIN_UNREAD, INFO, 500), .mature = true}},
    {"a goodbye to a connection that nobody saw being used, long after the last thing that was sent",
     {SLOT(CONNECTED, .origin = CG_ORIGIN_UNSEEN),
      WAITS(QUEUE(55), TIMES(60000, 65000, 60000), .has_sent = true),
      .history = {.never_closed = 4}},
     {CW(FIN_UNREAD, INFO, 500), .mature = true}},
    {"a reply to such a one",
     {SLOT(CONNECTED, .origin = CG_ORIGIN_UNSEEN),
      WAITS(QUEUE(55), TIMES(60000, 60500, 60000), .has_sent = true),
      .history = {.never_closed = 1}},
     {CW(DATA_UNREAD, LEAK, 700), .mature = true}},
    {"what is being read at this moment",
     {SLOT(CONNECTED), WAITS(QUEUE(55), IDLE(60000)), .last_use_ns = AGO(50)},
     {CW(DATA_UNREAD, LEAK, 700), .mature = false, .quiet = true}},
    {"what was read from when its end was there already, and no more",
     {SLOT(CONNECTED), WAITS(QUEUE(55), IDLE(60000)), .last_use_ns = AGO(1100)},
     {CW(DATA_UNREAD, LEAK, 700), .mature = true}},
    {"a reply that was left unread",
     {SLOT(CONNECTED), WAITS(QUEUE(55), IDLE(60000)), .last_use_ns = AGO(60500)},
     {CW(DATA_UNREAD, LEAK, 700), .mature = true}},
    {"a large reply that came late",
     {SLOT(CONNECTED), WAITS(QUEUE(9000), IDLE(60000)), .last_use_ns = AGO(65000)},
     {CW(DATA_UNREAD, LEAK, 700), .mature = true}},
    {"data waits in front of the FIN",
     {SLOT(ACCEPTED), WAITS(QUEUE(2), IDLE(60000))},
     {CW(DATA_UNREAD, LEAK, 700), .mature = true}},
    {"the kernel's queue is believed, not the record",
     {SLOT(ACCEPTED, TOLD(60000)), WAITS(QUEUE(101), IDLE(60000))},
     {CW(DATA_UNREAD, LEAK, 700), .mature = true}},
    {"SIOCINQ alone: one byte is data, for it does not count the FIN",
     {SLOT(ACCEPTED), WAITS(.rqueue = 1, IDLE(60000))},
     {CW(DATA_UNREAD, LEAK, 700), .mature = true}},
    {"SIOCINQ alone: nothing unread is a weak word",
     {SLOT(ACCEPTED), WAITS(IDLE(60000)), .history = {.never_closed = 9}},
     {CW(FIN_UNREAD, LEAK, 400), .mature = true}},
    {"not old enough", {.fd = 7, WAITS(QUEUE(1), IDLE(29999))}, {CW(FIN_UNREAD, INFO, 500), .mature = false}},
    {"just old enough", {.fd = 7, WAITS(QUEUE(1), IDLE(30000))}, {CW(FIN_UNREAD, INFO, 500), .mature = true}},
};

TABLE_TEST(unread_rows)

START_TEST(advice_tells_a_stuck_loop_from_an_idle_pool)
{
	const char *polled = cg_detect_advice(CG_KIND_CLOSE_WAIT, CG_CAUSE_FIN_UNREAD, CG_VERDICT_LEAK, true);
	const char *not_polled = cg_detect_advice(CG_KIND_CLOSE_WAIT, CG_CAUSE_FIN_UNREAD, CG_VERDICT_LEAK, false);
	const char *late = cg_detect_advice(CG_KIND_CLOSE_WAIT, CG_CAUSE_EOF_IGNORED, CG_VERDICT_LATE, false);
	ck_assert_ptr_nonnull(strstr(polled, "event loop"));
	ck_assert_ptr_nonnull(strstr(not_polled, "idle pool"));
	ck_assert_ptr_nonnull(strstr(late, "not a bug"));
}
END_TEST

static void cases(TCase *tc)
{
	ADD_TABLE(tc, unread_rows);
	tcase_add_test(tc, advice_tells_a_stuck_loop_from_an_idle_pool);
}
