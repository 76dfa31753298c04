/* test_track_close.c: closings, what they leave behind, and mistakes around them. */
#include "core_fixture.h"
#include "track_fixture.h"
#include "unit.h"

#include <sys/socket.h>

enum { HERE = 0x6000, THERE = 0x7000 };

static struct cg_retired retire(int fd)
{
	return cg_track_retire(fd, CG_CALL_close, HERE);
}

/* What the wrapper of close tells when the kernel says EBADF. */
static void close_bad(int fd, uintptr_t caller)
{
	cg_track_close_row(fd, caller);
	ck_assert_ptr_null(cg_track_retire(fd, CG_CALL_close, caller).slot);
	cg_track_close_failed(fd, CG_CALL_close, caller);
}

static void close_well(int fd, uintptr_t caller)
{
	cg_track_close_row(fd, caller);
	ck_assert_ptr_nonnull(cg_track_retire(fd, CG_CALL_close, caller).slot);
}

START_TEST(a_retired_slot_tells_who_closed_it)
{
	struct cg_header *h = track_start();
	struct cg_slot *slot = track_open(FD);
	uint32_t gen = atomic_load(&slot->gen);
	ck_assert_ptr_eq(retire(FD).slot, slot);
	ck_assert_uint_eq(atomic_load(&slot->kind), CG_FD_CLOSED);
	ck_assert_uint_eq(atomic_load(&slot->gen), gen);
	ck_assert_uint_ge(slot->close_ns, slot->open_ns);
	ck_assert_uint_eq(slot->close_tid, (unsigned)gettid());
	ck_assert_uint_eq(slot->close_call, CG_CALL_close);
	ck_assert_uint_eq(core_stack(slot->close_stack)->depth, 1);
	ck_assert_uint_eq(core_stack(slot->close_stack)->ip[0], HERE);
	ck_assert_uint_eq(atomic_load(&h->open_now), 0);
	ck_assert_uint_eq(atomic_load(&h->count.closed), 1);
	ck_assert_ptr_null(retire(FD).slot);
	ck_assert_ptr_null(retire(FD + 1).slot);
	ck_assert_ptr_null(retire(100000).slot);
	ck_assert_uint_eq(atomic_load(&h->count.closed), 1);
	ck_assert_uint_eq(events(), 0);
}
END_TEST

START_TEST(an_unretired_one_is_what_it_was)
{
	struct cg_header *h = track_start();
	struct cg_slot *slot = track_open(FD);
	cg_track_listen(FD);
	cg_track_unretire(retire(FD));
	ck_assert_uint_eq(atomic_load(&slot->kind), CG_FD_LISTENER);
	ck_assert_uint_eq(atomic_load(&h->open_now), 1);
	struct cg_retired late = retire(FD);
	track_open(FD); /* the number is another's */
	cg_track_unretire(late);
	ck_assert_uint_eq(atomic_load(&slot->kind), CG_FD_CONN);
	ck_assert_uint_eq(atomic_load(&h->open_now), 1);
	retire(FD);
	cg_track_unretire(late);
	ck_assert_uint_eq(atomic_load(&slot->kind), CG_FD_CLOSED);
	ck_assert_uint_eq(atomic_load(&h->open_now), 0);
	cg_track_unretire((struct cg_retired){0});
	ck_assert_uint_eq(atomic_load(&h->open_now), 0);
}
END_TEST

static unsigned departed_now(void)
{
	return (unsigned)atomic_load(&cg_recorder_header()->count.departed_seq);
}

static struct cg_slot *open_socket(int *fd)
{
	*fd = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_ge(*fd, 0);
	return track_open(*fd);
}

START_TEST(what_may_live_on_elsewhere_is_kept_as_departed)
{
	struct stat st;
	int fd, twin, shared = -1;
	track_start();
	open_socket(&fd);
	retire(fd);
	ck_assert_uint_eq(departed_now(), 0);
	uint32_t conn = open_socket(&shared)->conn;
	cg_track_spawned();
	retire(shared);
	ck_assert_uint_eq(departed_now(), 1);
	struct cg_departed *departed = cg_recorder_departed(0, false);
	ck_assert_uint_eq(departed->conn, conn);
	ck_assert_int_eq(departed->fd, shared);
	ck_assert_uint_eq(atomic_load(&departed->gen) % 2, 0);
	ck_assert_uint_ne(atomic_load(&departed->gen), 0);
	ck_assert_int_eq(fstat(shared, &st), 0);
	ck_assert_uint_eq(departed->slot.inode, st.st_ino);
	ck_assert_uint_ne(departed->slot.close_ns, 0);
	open_socket(&fd);
	retire(fd); /* opened after the spawn */
	ck_assert_uint_eq(departed_now(), 1);
	open_socket(&fd);
	twin = dup(fd);
	cg_track_dup(fd, twin, CG_CALL_dup);
	retire(fd);
	retire(twin);
	ck_assert_uint_eq(departed_now(), 3);
	cg_track_spawn_begin();
	open_socket(&fd); /* while another thread forks */
	retire(fd);
	cg_track_spawn_end();
	ck_assert_uint_eq(departed_now(), 4);
	cg_track_opening = atomic_load(&cg_track_epoch);
	cg_track_open(fd, CG_CALL_received, CG_FD_CONN, CG_ROLE_NONE, CG_ORIGIN_RECEIVED, 0);
	retire(fd);
	ck_assert_uint_eq(departed_now(), 5);
}
END_TEST

START_TEST(an_opening_during_a_fork_may_be_shared)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	track_start();
	cg_track_opening = atomic_load(&cg_track_epoch); /* accept() begins, another thread forks meanwhile */
	cg_track_spawn_begin();
	cg_track_spawn_end();
	cg_track_open(fd, CG_CALL_accept4, CG_FD_CONN, CG_ROLE_ACCEPTED, CG_ORIGIN_SEEN, 0);
	retire(fd);
	ck_assert_uint_eq(departed_now(), 1);
}
END_TEST

START_TEST(a_double_close_is_an_event)
{
	struct cg_header *h = track_start();
	uint32_t conn = track_open(FD)->conn;
	close_well(FD, HERE);
	close_bad(FD, THERE);
	ck_assert_uint_eq(atomic_load(&h->count.double_closes), 1);
	struct cg_event *event = is_event(1, CG_EVENT_DOUBLE_CLOSE, FD, EBADF);
	ck_assert_uint_eq(event->slot.conn, conn);
	ck_assert_uint_eq(event->tid, (unsigned)gettid());
	ck_assert_ptr_nonnull(core_stack(event->stack));
	close_bad(FD + 3, THERE); /* never was a connection */
	ck_assert_uint_eq(events(), 1);
	cg_track_close_row(FD + 40, HERE);
	close_bad(FD, THERE); /* again, and from the same place */
	ck_assert_uint_eq(atomic_load(&h->count.double_closes), 2);
}
END_TEST

START_TEST(a_row_of_closes_is_no_mistake)
{
	struct cg_header *h = track_start();
	for (int fd = FD; fd < FD + 3; fd++) {
		track_open(fd);
		close_well(fd, HERE);
	}
	for (int fd = FD - 1; fd < FD + 5; fd++)
		close_bad(fd, THERE);
	ck_assert_uint_eq(events(), 0);
	for (int fd = FD + 5; fd >= FD; fd--) /* and downwards */
		close_bad(fd, THERE);
	ck_assert_uint_eq(events(), 0);
	ck_assert_uint_eq(atomic_load(&h->count.double_closes), 0);
}
END_TEST

START_TEST(the_first_of_a_row_is_taken_back)
{
	struct cg_header *h = track_start();
	track_open(FD);
	close_well(FD, HERE);
	close_bad(FD, THERE);
	is_event(1, CG_EVENT_DOUBLE_CLOSE, FD, EBADF);
	close_bad(FD + 1, THERE);
	is_event(1, CG_EVENT_NONE, FD, EBADF);
	ck_assert_uint_eq(atomic_load(&h->count.double_closes), 0);
	close_bad(FD + 40, HERE);
	close_bad(FD, THERE);
	close_bad(FD + 1, HERE); /* the next number from elsewhere is no row */
	is_event(2, CG_EVENT_DOUBLE_CLOSE, FD, EBADF);
	ck_assert_uint_eq(atomic_load(&h->count.double_closes), 1);
}
END_TEST

START_TEST(a_use_after_close_is_an_event)
{
	struct cg_header *h = track_start();
	track_open(FD);
	fails(FD, EBADF); /* not closed here: nothing is known */
	ck_assert_uint_eq(events(), 0);
	retire(FD);
	fails(FD, EBADF);
	is_event(1, CG_EVENT_USE_AFTER_CLOSE, FD, EBADF);
	write_fails(FD, EBADF);
	ck_assert_uint_eq(is_event(2, CG_EVENT_USE_AFTER_CLOSE, FD, EBADF)->call, CG_CALL_send);
	ck_assert_uint_eq(atomic_load(&h->count.uses_after_close), 2);
	cg_track_forget(FD); /* a file has the number now */
	fails(FD, EBADF);
	ck_assert_uint_eq(events(), 2);
}
END_TEST

static void cases(TCase *tc)
{
	core_fixtures(tc);
	tcase_add_test(tc, a_retired_slot_tells_who_closed_it);
	tcase_add_test(tc, an_unretired_one_is_what_it_was);
	tcase_add_test(tc, what_may_live_on_elsewhere_is_kept_as_departed);
	tcase_add_test(tc, an_opening_during_a_fork_may_be_shared);
	tcase_add_test(tc, a_double_close_is_an_event);
	tcase_add_test(tc, a_row_of_closes_is_no_mistake);
	tcase_add_test(tc, the_first_of_a_row_is_taken_back);
	tcase_add_test(tc, a_use_after_close_is_an_event);
}
