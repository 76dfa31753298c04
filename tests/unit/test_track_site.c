/* test_track_site.c: the history of the places that open connections. */
#include "core_fixture.h"
#include "track_fixture.h"
#include "unit.h"

#define MS 1000000ull

static void retire(int fd)
{
	ck_assert_ptr_nonnull(cg_track_retire(fd, CG_CALL_close, 0x6000).slot);
}

/* The clock may have begun a moment ago. */
static uint64_t before_now(uint64_t ago)
{
	uint64_t now = cg_track_clock();
	ck_assert_uint_gt(now, ago);
	return now - ago;
}

/* Opens at one place, was told of the end then, closes now: the place's history. */
static struct cg_site *close_after(uint64_t then_ns, uint32_t flags)
{
	struct cg_slot *slot = track_open(FD);
	slot->eof_ns = (flags & CG_SLOT_EOF) ? then_ns : 0;
	slot->first_seen_ns = (flags & CG_SLOT_EOF) ? 0 : then_ns;
	atomic_store(&slot->flags, flags);
	retire(FD);
	return cg_track_site(slot->open_stack, false);
}

/* One place in the code, however often. */
static struct cg_site *history_of(const uint64_t *ago, unsigned n, uint32_t flags)
{
	struct cg_site *site = NULL;
	for (unsigned i = 0; i < n; i++)
		site = close_after(before_now(ago[i]), flags);
	ck_assert_ptr_nonnull(site);
	return site;
}

/* Late is what took longer than a second. */
static struct cg_header *start(void)
{
	struct cg_header *h = track_start();
	h->warn_after_ns = 1000 * MS;
	return h;
}

START_TEST(a_site_counts_what_became_of_its_connections)
{
	static const uint64_t ago[] = {300 * MS, 600 * MS, 601 * MS, 1100 * MS, 1200 * MS};
	struct cg_header *h = start();
	struct cg_site *site = history_of(ago, 5, CG_SLOT_EOF);
	ck_assert_uint_eq(atomic_load(&site->opened), 5);
	ck_assert_uint_eq(atomic_load(&site->closed), 5);
	ck_assert_uint_eq(atomic_load(&site->closed_in_time), 3);
	ck_assert_uint_eq(atomic_load(&site->closed_late), 2);
	ck_assert_uint_eq(atomic_load(&site->delays[9]), 1);  /* 256 to 512 ms */
	ck_assert_uint_eq(atomic_load(&site->delays[10]), 2); /* 512 to 1024 ms */
	ck_assert_uint_eq(atomic_load(&site->delays[11]), 2);
	ck_assert_uint_eq(atomic_load(&h->count.late_closes), 2);
	ck_assert_uint_eq(events(), 2);
	struct cg_event *event = is_event(2, CG_EVENT_LATE_CLOSE, FD, 0);
	ck_assert_uint_eq(event->slot.conn, 5);
	ck_assert_uint_eq(event->call, CG_CALL_close);
	ck_assert_uint_eq(event->stack, event->slot.close_stack);
	ck_assert_uint_ge(event->ns, event->slot.close_ns);
}
END_TEST

/* The longest delay there can be is as old as the clock, which is minutes or years. */
START_TEST(the_longest_delay_has_a_bucket_too)
{
	unsigned bucket = 0;
	start();
	struct cg_site *site = close_after(1, CG_SLOT_EOF);
	for (uint64_t ms = cg_track_clock() / MS; ms && bucket < CG_DELAY_BUCKETS - 1; ms >>= 1)
		bucket++;
	ck_assert_ptr_nonnull(site);
	/* Or the one below, where the clock has just come into this one. */
	ck_assert_uint_eq(atomic_load(&site->delays[bucket]) + atomic_load(&site->delays[bucket - 1]), 1);
}
END_TEST

START_TEST(an_end_that_is_yet_to_come_has_no_delay)
{
	start();
	struct cg_site *site = close_after(cg_track_clock() + 60000 * MS, CG_SLOT_EOF);
	ck_assert_ptr_nonnull(site);
	ck_assert_uint_eq(atomic_load(&site->closed), 1);
	ck_assert_uint_eq(atomic_load(&site->closed_in_time) + atomic_load(&site->closed_late), 0);
}
END_TEST

START_TEST(a_site_takes_what_the_sweep_saw_but_tells_no_event)
{
	static const uint64_t ago[] = {600 * MS, 1100 * MS};
	struct cg_header *h = start();
	struct cg_site *site = history_of(ago, 2, 0);
	ck_assert_uint_eq(atomic_load(&site->closed_in_time), 1);
	ck_assert_uint_eq(atomic_load(&site->closed_late), 1);
	ck_assert_uint_eq(atomic_load(&h->count.late_closes), 0);
	ck_assert_uint_eq(events(), 0);
}
END_TEST

START_TEST(a_close_without_an_end_has_no_delay)
{
	track_start();
	struct cg_slot *slot = track_open(FD);
	struct cg_site *site = cg_track_site(slot->open_stack, false);
	retire(FD);
	ck_assert_uint_eq(atomic_load(&site->closed), 1);
	ck_assert_uint_eq(atomic_load(&site->closed_in_time) + atomic_load(&site->closed_late), 0);
	track_open(FD + 1);
	cg_track_listen(FD + 1);
	retire(FD + 1); /* listeners are no connections */
	ck_assert_uint_eq(atomic_load(&cg_recorder_header()->count.closed), 1);
}
END_TEST

START_TEST(a_full_table_of_sites_is_counted)
{
	struct cg_header *h = track_start();
	unsigned refused = 0;
	for (uint32_t stack = 1; stack <= 2 * CG_MAX_SITES; stack++) {
		struct cg_site *site = cg_track_site(stack, true);
		refused += !site;
		if (site && (atomic_load(&site->stack) != stack || cg_track_site(stack, false) != site))
			ck_abort_msg("stack %u has another's site", stack);
	}
	ck_assert_uint_ge(refused, CG_MAX_SITES);
	ck_assert_uint_eq(atomic_load(&h->count.site_overflows), refused);
	ck_assert_ptr_null(cg_track_site(0, true));
}
END_TEST

static void cases(TCase *tc)
{
	core_fixtures(tc);
	tcase_add_test(tc, a_site_counts_what_became_of_its_connections);
	tcase_add_test(tc, the_longest_delay_has_a_bucket_too);
	tcase_add_test(tc, an_end_that_is_yet_to_come_has_no_delay);
	tcase_add_test(tc, a_site_takes_what_the_sweep_saw_but_tells_no_event);
	tcase_add_test(tc, a_close_without_an_end_has_no_delay);
	tcase_add_test(tc, a_full_table_of_sites_is_counted);
}
