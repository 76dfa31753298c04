/* test_track.c: openings, ends of file and what else happens to an open descriptor. */
#include "core_fixture.h"
#include "track_fixture.h"
#include "unit.h"

#include <errno.h>

START_TEST(an_opening_fills_the_slot)
{
	struct cg_header *h = track_start();
	atomic_store(&cg_track_epoch, 3);
	cg_track_opening = 3;
	cg_track_open(FD, CG_CALL_accept4, CG_FD_CONN, CG_ROLE_ACCEPTED, CG_ORIGIN_SEEN, CG_SLOT_UNVERIFIED);
	struct cg_slot *slot = cg_slot_at(FD);
	ck_assert_ptr_nonnull(slot);
	ck_assert_uint_eq(atomic_load(&slot->kind), CG_FD_CONN);
	ck_assert_uint_eq(slot->role, CG_ROLE_ACCEPTED);
	ck_assert_uint_eq(slot->origin, CG_ORIGIN_SEEN);
	ck_assert_uint_eq(slot->open_call, CG_CALL_accept4);
	ck_assert_uint_eq(atomic_load(&slot->flags), CG_SLOT_UNVERIFIED);
	ck_assert_uint_eq(slot->open_tid, (unsigned)gettid());
	ck_assert_uint_eq(slot->epoch, 3);
	ck_assert_uint_eq(slot->conn, 1);
	ck_assert_uint_ge(slot->open_ns, h->start_ns);
	ck_assert_ptr_nonnull(core_stack(slot->open_stack));
	ck_assert_ptr_eq(cg_track_conn(FD), slot);
	ck_assert(cg_track_knows(FD));
	ck_assert_uint_eq(atomic_load(&h->open_now), 1);
	ck_assert_uint_eq(atomic_load(&h->count.opened), 1);
	ck_assert_uint_eq(cg_recorder_fd_end(), FD + 1);
	track_open(FD + 9);
	ck_assert_uint_eq(cg_slot_at(FD + 9)->conn, 2);
	ck_assert_uint_eq(cg_recorder_fd_end(), FD + 10);
	track_open(FD + 1);
	ck_assert_uint_eq(cg_recorder_fd_end(), FD + 10);
}
END_TEST

START_TEST(a_number_given_out_anew_starts_empty)
{
	track_start();
	struct cg_slot *slot = track_open(FD);
	uint32_t gen = atomic_load(&slot->gen);
	read_end(FD, 0);
	cg_track_shutdown(FD, SHUT_WR);
	slot->inode = slot->cookie = slot->first_seen_ns = 5;
	cg_track_use(slot, CG_CALL_read, 0x1234);
	track_open(FD);
	ck_assert_uint_eq(atomic_load(&slot->gen) % 2, 0);
	ck_assert_uint_gt(atomic_load(&slot->gen), gen);
	ck_assert_uint_eq(atomic_load(&slot->flags), 0);
	ck_assert_uint_eq(slot->conn, 2);
	ck_assert(!slot->eof_ns && !slot->eof_stack && !slot->shut_ns && !slot->shut_stack);
	ck_assert(!slot->inode && !slot->cookie && !slot->first_seen_ns && !atomic_load(&slot->last_use));
	ck_assert_uint_eq(atomic_load(&cg_recorder_header()->open_now), 1);
}
END_TEST

START_TEST(a_descriptor_beyond_the_limit_is_counted)
{
	struct cg_header *h = track_start();
	cg_track_open(CG_MAX_FDS, CG_CALL_socket, CG_FD_CONN, CG_ROLE_NONE, CG_ORIGIN_SEEN, 0);
	ck_assert_uint_eq(atomic_load(&h->count.beyond_limit), 1);
	ck_assert_uint_eq(atomic_load(&h->open_now), 0);
}
END_TEST

START_TEST(a_use_notes_where_and_by_whom)
{
	struct cg_header *h = track_start();
	struct cg_slot *slot = track_open(FD);
	h->start_ns -= 70 * 100000000ull;
	cg_track_clock();
	cg_track_read(FD, 10, true, 0, CG_CALL_recv, 0x4321);
	ck_assert_uint_eq(atomic_load(&slot->last_use), (uint64_t)CG_CALL_recv << 56 | 0x4321);
	ck_assert_uint_ge(atomic_load(&slot->last_tick), 70);
	ck_assert_uint_lt(atomic_load(&slot->last_tick), 200);
	ck_assert_uint_eq(atomic_load(&slot->last_tid), (unsigned)gettid());
	cg_track_write(FD, 0, CG_CALL_send, 0x77);
	ck_assert_uint_eq(atomic_load(&slot->last_use), (uint64_t)CG_CALL_send << 56 | 0x77);
}
END_TEST

START_TEST(the_first_end_of_file_counts)
{
	struct cg_header *h = track_start();
	struct cg_slot *slot = track_open(FD);
	cg_track_read(FD, 0, true, 0, CG_CALL_recv, 0x99);
	ck_assert_uint_eq(atomic_load(&slot->flags), CG_SLOT_EOF);
	ck_assert_uint_ge(slot->eof_ns, slot->open_ns);
	ck_assert_ptr_nonnull(core_stack(slot->eof_stack));
	ck_assert_uint_eq(slot->eof_tid, (unsigned)gettid());
	ck_assert_uint_eq(slot->eof_call, CG_CALL_recv);
	ck_assert_uint_eq(atomic_load(&slot->last_use), (uint64_t)CG_CALL_recv << 56 | 0x99);
	slot->eof_ns = 42;
	uint32_t stack = slot->eof_stack;
	read_end(FD, 0);
	fails(FD, ECONNRESET);
	ck_assert_uint_eq(slot->eof_ns, 42);
	ck_assert_uint_eq(slot->eof_stack, stack);
	ck_assert_uint_eq(slot->eof_call, CG_CALL_recv);
	ck_assert_uint_eq(atomic_load(&h->count.eofs), 1);
	ck_assert_uint_eq(atomic_load(&slot->flags), CG_SLOT_EOF | CG_SLOT_ERROR);
}
END_TEST

START_TEST(what_returns_0_without_an_end_is_none)
{
	struct cg_header *h = track_start();
	struct cg_slot *slot = track_open(FD);
	cg_track_read(FD, 0, false, 0, CG_CALL_read, 1); /* nothing was asked for */
	read_end(FD, MSG_ERRQUEUE);
	ck_assert_uint_eq(atomic_load(&slot->flags), 0);
	read_end(FD, MSG_PEEK);
	ck_assert_uint_eq(atomic_load(&slot->flags), CG_SLOT_PEEKED);
	cg_track_shutdown(FD, SHUT_RD);
	read_end(FD, 0);
	ck_assert_uint_eq(atomic_load(&slot->flags), CG_SLOT_PEEKED | CG_SLOT_SHUT_RD);
	ck_assert_uint_eq(slot->eof_ns, 0);
	ck_assert_uint_eq(slot->eof_stack, 0);
	ck_assert_uint_eq(atomic_load(&h->count.eofs), 0);
}
END_TEST

START_TEST(an_end_on_what_is_no_connection_is_ignored)
{
	struct cg_header *h = track_start();
	read_end(FD, 0);
	struct cg_slot *slot = track_open(FD);
	cg_track_listen(FD);
	read_end(FD, 0);
	cg_track_retire(FD, CG_CALL_close, 1);
	read_end(FD, 0);
	ck_assert_uint_eq(slot->eof_ns, 0);
	ck_assert_uint_eq(atomic_load(&h->count.eofs), 0);
}
END_TEST

START_TEST(some_errors_tell_of_the_end)
{
	static const int ends[] = {ECONNRESET, EPIPE, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH};
	static const int others[] = {EAGAIN, EINTR, ENOTCONN, EINVAL, ENOBUFS};
	struct cg_header *h = track_start();
	for (unsigned i = 0; i < 5; i++) {
		struct cg_slot *slot = track_open(FD);
		fails(FD, others[i]);
		write_fails(FD, others[i]);
		ck_assert_uint_eq(atomic_load(&slot->flags), 0);
		fails(FD, ends[i]);
		ck_assert_uint_eq(atomic_load(&slot->flags), CG_SLOT_ERROR);
		ck_assert_uint_ne(slot->eof_ns, 0);
		slot = track_open(FD);
		write_fails(FD, ends[i]);
		ck_assert_uint_eq(atomic_load(&slot->flags), CG_SLOT_ERROR);
		ck_assert_uint_eq(slot->eof_call, CG_CALL_send);
	}
	ck_assert_uint_eq(atomic_load(&h->count.eofs), 0);
}
END_TEST

START_TEST(a_dup_tells_of_the_same_connection)
{
	struct cg_header *h = track_start();
	struct cg_slot *from = track_open(FD);
	read_end(FD, 0);
	from->inode = 77;
	cg_track_dup(FD, FD + 1, CG_CALL_dup);
	struct cg_slot *to = cg_slot_at(FD + 1);
	ck_assert_uint_eq(atomic_load(&to->kind), CG_FD_CONN);
	ck_assert_uint_eq(to->conn, from->conn);
	ck_assert_uint_eq(to->role, from->role);
	ck_assert_uint_eq(to->eof_ns, from->eof_ns);
	ck_assert_uint_eq(to->eof_stack, from->eof_stack);
	ck_assert_uint_eq(to->inode, 77);
	ck_assert_uint_eq(to->open_call, CG_CALL_dup);
	ck_assert_uint_ne(to->open_stack, from->open_stack);
	ck_assert_uint_eq(atomic_load(&to->flags), CG_SLOT_EOF | CG_SLOT_DUPPED);
	ck_assert_uint_eq(atomic_load(&from->flags), CG_SLOT_EOF | CG_SLOT_DUPPED);
	ck_assert_uint_eq(atomic_load(&h->open_now), 2);
	ck_assert_uint_eq(atomic_load(&h->count.opened), 2);
	uint32_t gen = atomic_load(&from->gen);
	cg_track_dup(FD, FD, CG_CALL_dup2);
	ck_assert_uint_eq(atomic_load(&from->gen), gen);
	ck_assert_uint_eq(atomic_load(&h->open_now), 2);
	cg_track_dup(FD + 5, FD + 1, CG_CALL_dup2); /* something unknown, over it */
	ck_assert_uint_eq(atomic_load(&to->kind), CG_FD_NONE);
	ck_assert_uint_eq(atomic_load(&h->open_now), 1);
	cg_track_listen(FD);
	cg_track_dup(FD, FD + 1, CG_CALL_dup);
	ck_assert_uint_eq(atomic_load(&to->kind), CG_FD_LISTENER);
}
END_TEST

START_TEST(a_connect_that_is_under_way_makes_a_client)
{
	track_start();
	struct cg_slot *slot = open_as(FD, CG_ROLE_NONE);
	cg_track_connect(FD, -1, EINVAL); /* no attempt */
	ck_assert_uint_eq(atomic_load(&slot->flags), 0);
	cg_track_connect(FD, -1, ECONNREFUSED);
	ck_assert_uint_eq(slot->role, CG_ROLE_NONE);
	ck_assert_uint_eq(atomic_load(&slot->flags), CG_SLOT_CONNECT | CG_SLOT_REFUSED);
	slot->first_seen_ns = 1;
	cg_track_connect(FD, -1, EINPROGRESS);
	ck_assert_uint_eq(slot->role, CG_ROLE_CONNECTED);
	ck_assert_uint_eq(atomic_load(&slot->flags), CG_SLOT_CONNECT);
	ck_assert_uint_eq(slot->first_seen_ns, 0); /* each attempt begins anew */
	ck_assert_ptr_nonnull(core_stack(slot->conn_stack));
	slot = open_as(FD + 1, CG_ROLE_NONE);
	cg_track_connect(FD + 1, -1, EINTR);
	ck_assert_uint_eq(slot->role, CG_ROLE_CONNECTED);
	slot = open_as(FD + 2, CG_ROLE_NONE);
	cg_track_connect(FD + 2, -1, ECONNREFUSED);
	cg_track_connect(FD + 2, 0, 0);
	ck_assert_uint_eq(slot->role, CG_ROLE_CONNECTED);
	ck_assert_uint_eq(atomic_load(&slot->flags), 0);
	cg_track_connect(FD + 3, 0, 0);
	ck_assert(!cg_track_knows(FD + 3));
}
END_TEST

START_TEST(flags_follow_the_calls)
{
	struct cg_header *h = track_start();
	struct cg_slot *slot = track_open(FD);
	cg_track_shutdown(FD, SHUT_WR);
	ck_assert_uint_eq(atomic_load(&slot->flags), CG_SLOT_SHUT_WR);
	ck_assert_ptr_nonnull(core_stack(slot->shut_stack));
	ck_assert_uint_eq(slot->shut_tid, (unsigned)gettid());
	ck_assert_uint_ge(slot->shut_ns, slot->open_ns);
	slot = track_open(FD + 1);
	cg_track_shutdown(FD + 1, SHUT_RDWR);
	ck_assert_uint_eq(atomic_load(&slot->flags), CG_SLOT_SHUT_RD | CG_SLOT_SHUT_WR);
	slot = track_open(FD + 2);
	cg_track_polled(FD + 2, false);
	ck_assert_uint_eq(atomic_load(&slot->flags), CG_SLOT_UNPOLLED);
	cg_track_polled(FD + 2, true);
	cg_track_stdio(FD + 2);
	cg_track_sent(FD + 2);
	ck_assert_uint_eq(atomic_load(&slot->flags), CG_SLOT_STDIO | CG_SLOT_DUPPED | CG_SLOT_SENT | CG_SLOT_POLLED);
	cg_track_exhausted(FD, CG_CALL_accept4, EMFILE);
	ck_assert_uint_eq(atomic_load(&h->count.exhausted), 1);
	is_event(1, CG_EVENT_FD_EXHAUSTED, FD, EMFILE);
	cg_track_retire(FD + 2, CG_CALL_close, 1);
	cg_track_shutdown(FD + 2, SHUT_WR); /* closed: nobody's */
	ck_assert_uint_eq(slot->shut_ns, 0);
}
END_TEST

static unsigned woken;

static void wake(bool in_signal)
{
	(void)in_signal;
	woken++;
}

START_TEST(the_sweep_is_woken_when_it_wants_to_be)
{
	track_start();
	cg_track_wake = wake;
	atomic_store(&cg_track_wanted, false);
	track_open(FD);
	ck_assert_uint_eq(woken, 0);
	atomic_store(&cg_track_wanted, true);
	track_open(FD);
	ck_assert_uint_eq(woken, 1);
	cg_track_dup(FD, FD + 1, CG_CALL_dup);
	ck_assert_uint_eq(woken, 2);
}
END_TEST

static void cases(TCase *tc)
{
	core_fixtures(tc);
	tcase_add_test(tc, an_opening_fills_the_slot);
	tcase_add_test(tc, a_number_given_out_anew_starts_empty);
	tcase_add_test(tc, a_descriptor_beyond_the_limit_is_counted);
	tcase_add_test(tc, a_use_notes_where_and_by_whom);
	tcase_add_test(tc, the_first_end_of_file_counts);
	tcase_add_test(tc, what_returns_0_without_an_end_is_none);
	tcase_add_test(tc, an_end_on_what_is_no_connection_is_ignored);
	tcase_add_test(tc, some_errors_tell_of_the_end);
	tcase_add_test(tc, a_dup_tells_of_the_same_connection);
	tcase_add_test(tc, a_connect_that_is_under_way_makes_a_client);
	tcase_add_test(tc, flags_follow_the_calls);
	tcase_add_test(tc, the_sweep_is_woken_when_it_wants_to_be);
}
