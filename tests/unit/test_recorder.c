/* test_recorder.c: the recorder of this process: its header, its chunks, its end. */
#include "core_fixture.h"
#include "ownfd.h"
#include "unit.h"

#include <pthread.h>
#include <time.h>

static uint64_t now(clockid_t clock)
{
	struct timespec time;
	clock_gettime(clock, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void is_recent(uint64_t ns, clockid_t clock)
{
	ck_assert_uint_le(ns, now(clock));
	ck_assert_uint_lt(now(clock) - ns, 10000000000u);
}

START_TEST(it_is_made_at_the_first_need)
{
	char path[512];
	core_watch(core_dir);
	ck_assert_ptr_null(cg_recorder_header());
	ck_assert_ptr_null(cg_recorder_slot(3, true));
	ck_assert_ptr_null(cg_slot_at(3));
	ck_assert_uint_eq(cg_recorder_fd_end(), 0);
	cg_recorder_finish(CG_STATE_EXITED);
	ck_assert_uint_eq(core_entries(core_dir, path), 0);
	struct cg_header *h = cg_recorder_start();
	ck_assert_ptr_nonnull(h);
	ck_assert_ptr_eq(cg_recorder_start(), h);
	ck_assert_ptr_eq(cg_recorder_header(), h);
	ck_assert_uint_eq(core_entries(core_dir, path), 1);
	ck_assert_ptr_null(cg_recorder_trouble());
}
END_TEST

/* Read back from the file, as the command does. */
static void read_file(struct cg_header *ret)
{
	char path[512];
	core_only_file(path);
	int fd = open(path, O_RDONLY);
	ck_assert_int_eq(read(fd, ret, sizeof *ret), sizeof *ret);
	close(fd);
}

START_TEST(the_header_says_whose_it_is)
{
	struct cg_header h;
	char exe[256] = "", host[64];
	core_start();
	read_file(&h);
	ck_assert_mem_eq(h.magic, "CLOSEGD", 8);
	ck_assert_uint_eq(h.version, CG_RECORD_VERSION);
	ck_assert_uint_eq(h.header_size, sizeof h);
	ck_assert_uint_eq(h.chunk_size, CG_CHUNK_SIZE);
	ck_assert_uint_eq(h.slot_size, sizeof(struct cg_slot));
	ck_assert_uint_eq(atomic_load(&h.state), CG_STATE_LIVE);
	ck_assert_int_eq(h.pid, getpid());
	ck_assert_uint_eq(h.uid, geteuid());
	is_recent(h.start_ns, CLOCK_MONOTONIC);
	is_recent(h.start_realtime_ns, CLOCK_REALTIME);
	ck_assert_uint_eq(h.warn_after_ns, CORE_WARN_AFTER);
	ck_assert_str_eq(h.app, "unit");
	ck_assert_int_eq(gethostname(host, sizeof host), 0);
	ck_assert_str_eq(h.host, host);
	ck_assert_int_gt(readlink("/proc/self/exe", exe, sizeof exe - 1), 0);
	ck_assert_str_eq(h.exe, exe);
	ck_assert_uint_eq(atomic_load(&h.anonymous), 0);
	ck_assert_uint_eq(atomic_load(&h.next_conn), 1);
	ck_assert_uint_eq(atomic_load(&h.count.event_seq), 1);
	ck_assert_uint_eq(atomic_load(&h.spoken), 0);
}
END_TEST

START_TEST(the_header_says_where_things_are)
{
	struct cg_header h;
	unsigned long long start = 0;
	core_start();
	read_file(&h);
	ck_assert_uint_eq(h.off_modules, CG_OFF_MODULES);
	ck_assert_uint_eq(h.off_sites, CG_OFF_SITES);
	ck_assert_uint_eq(h.off_stack_index, CG_OFF_STACK_INDEX);
	ck_assert_uint_eq(h.off_stack_arena, CG_OFF_STACK_ARENA);
	ck_assert_uint_eq(h.off_events, CG_OFF_EVENTS);
	ck_assert_uint_eq(h.off_departed, CG_OFF_DEPARTED);
	ck_assert_uint_eq(h.off_findings, CG_OFF_FINDINGS);
	ck_assert_uint_eq(h.off_labels, CG_OFF_LABELS);
	ck_assert_uint_eq(h.off_actions, CG_OFF_ACTIONS);
	ck_assert_uint_eq(h.off_slots, CG_OFF_SLOTS);
	FILE *stat = fopen("/proc/self/stat", "r");
	ck_assert_int_eq(fscanf(stat,
	                        "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d "
	                        "%*d %llu",
	                        &start),
	                 1);
	fclose(stat);
	ck_assert_uint_eq(h.process_start, start);
}
END_TEST

/* Both the file and its descriptor are closeguard's own business. */
START_TEST(the_descriptor_is_a_high_one_of_ours)
{
	char path[512], link[64], target[512] = "";
	struct cg_header *h = core_start();
	int fd = atomic_load(&h->fd);
	core_only_file(path);
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ck_assert_int_gt(readlink(link, target, sizeof target - 1), 0);
	ck_assert_str_eq(target, path);
	ck_assert(cg_ownfd_valid(fd));
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
}
END_TEST

START_TEST(chunks_appear_on_demand_and_the_file_is_sparse)
{
	enum { FD = 1000000 };
	char path[512];
	core_start();
	ck_assert_uint_eq((uint64_t)core_only_file(path).st_blocks * 512, CG_CHUNK_SIZE);
	ck_assert_ptr_null(cg_recorder_slot(FD, false));
	ck_assert_ptr_null(cg_slot_at(FD));
	struct cg_slot *slot = cg_recorder_slot(FD, true);
	ck_assert_ptr_nonnull(slot);
	ck_assert_ptr_eq(cg_slot_at(FD), slot);
	ck_assert_ptr_eq(cg_recorder_slot(FD, true), slot);
	ck_assert_ptr_eq(cg_recorder_slot(FD + 1, false), slot + 1);
	slot->open_ns = 12345;
	ck_assert_ptr_null(cg_recorder_slot(FD - 128, false));
	struct stat st = core_only_file(path);
	ck_assert_uint_eq((uint64_t)st.st_blocks * 512, 2 * CG_CHUNK_SIZE);
	ck_assert_uint_gt((uint64_t)st.st_size, CG_OFF_SLOTS + FD * sizeof *slot);
	struct cg_slot in_file;
	int fd = open(path, O_RDONLY);
	ck_assert_int_eq(pread(fd, &in_file, sizeof in_file, CG_OFF_SLOTS + FD * sizeof *slot), sizeof in_file);
	ck_assert_uint_eq(in_file.open_ns, 12345);
}
END_TEST

START_TEST(descriptors_out_of_range_have_no_slot)
{
	core_start();
	ck_assert_ptr_null(cg_recorder_slot(-1, true));
	ck_assert_ptr_null(cg_recorder_slot(CG_MAX_FDS, true));
	ck_assert_ptr_nonnull(cg_recorder_slot(CG_MAX_FDS - 1, true));
	ck_assert_ptr_null(cg_slot_at(-1));
	ck_assert_ptr_null(cg_slot_at(CG_MAX_FDS));
}
END_TEST

START_TEST(in_a_sandbox_nothing_is_made_or_grown)
{
	struct cg_header *h;
	core_watch(core_dir);
	atomic_store(&cg_guard.sealed, true);
	ck_assert_ptr_null(cg_recorder_start());
	atomic_store(&cg_guard.sealed, false);
	h = core_start();
	struct cg_slot *slot = cg_recorder_slot(3, true);
	atomic_store(&cg_guard.sealed, true);
	ck_assert_ptr_eq(cg_recorder_start(), h);
	ck_assert_ptr_eq(cg_recorder_slot(3, true), slot);
	ck_assert_ptr_null(cg_recorder_slot(5000, true));
}
END_TEST

static pthread_barrier_t start_line;

static void *start_in_thread(void *argument)
{
	(void)argument;
	pthread_barrier_wait(&start_line);
	return cg_recorder_start();
}

START_TEST(of_threads_that_race_one_makes_it)
{
	char path[512];
	core_watch(core_dir);
	for (unsigned round = 0; round < 200; round++) {
		pthread_t threads[3];
		void *headers[3];
		pthread_barrier_init(&start_line, NULL, 3);
		for (unsigned i = 0; i < 3; i++)
			ck_assert_int_eq(pthread_create(&threads[i], NULL, start_in_thread, NULL), 0);
		for (unsigned i = 0; i < 3; i++)
			pthread_join(threads[i], &headers[i]);
		ck_assert_ptr_nonnull(headers[0]);
		ck_assert(headers[0] == headers[1] && headers[1] == headers[2]);
		core_only_file(path);
		int only = cg_ownfd_next(0, ~0u);
		ck_assert_int_eq(atomic_load(&cg_recorder_header()->fd), only);
		ck_assert_int_eq(cg_ownfd_next((unsigned)only + 1, ~0u), -1);
		cg_recorder_finish(CG_STATE_EXITED);
		cg_recorder_after_fork(); /* forgets it all, for the next round */
	}
}
END_TEST

START_TEST(a_file_of_the_apps_over_the_descriptor_is_not_touched)
{
	char path[512];
	struct stat before, after;
	struct cg_header *h = core_start();
	int ours = atomic_load(&h->fd);
	FILE *apps = tmpfile();
	ck_assert_int_eq(write(fileno(apps), "hello", 5), 5);
	ck_assert_int_eq(fstat(fileno(apps), &before), 0);
	ck_assert_int_eq(dup2(fileno(apps), ours), ours);
	ck_assert_ptr_nonnull(cg_recorder_slot(100000, true));
	ck_assert_int_eq(fstat(ours, &after), 0);
	ck_assert_int_eq(after.st_size, 5);
	ck_assert_int_eq(after.st_blocks, before.st_blocks);
	ck_assert_int_eq(atomic_load(&h->fd), -1);
	ck_assert_uint_eq(atomic_load(&h->anonymous), 0); /* our own file was opened by its name */
	ck_assert_uint_eq((uint64_t)core_only_file(path).st_blocks * 512, 2 * CG_CHUNK_SIZE);
	cg_recorder_finish(CG_STATE_EXITED);
	ck_assert_msg(core_entries(core_dir, path) == 0, "its own file is not removed any more");
	ck_assert_int_eq(fcntl(ours, F_GETFD), 0);
}
END_TEST

START_TEST(a_silent_end_removes_the_file)
{
	char path[512];
	core_start();
	cg_recorder_set_state(CG_STATE_EXECED);
	ck_assert_uint_eq(core_entries(core_dir, path), 1);
	cg_recorder_finish(CG_STATE_EXITED);
	ck_assert_uint_eq(core_entries(core_dir, path), 0);
	cg_recorder_finish(CG_STATE_EXITED);
}
END_TEST

START_TEST(an_end_with_something_said_keeps_it)
{
	struct cg_header h, *own = core_start();
	atomic_store(&own->spoken, 1);
	cg_recorder_finish(CG_STATE_EXITED);
	read_file(&h);
	ck_assert_uint_eq(atomic_load(&h.state), CG_STATE_EXITED);
	is_recent(atomic_load(&h.state_ns), CLOCK_MONOTONIC);
}
END_TEST

static void cases(TCase *tc)
{
	core_fixtures(tc);
	tcase_add_test(tc, it_is_made_at_the_first_need);
	tcase_add_test(tc, the_header_says_whose_it_is);
	tcase_add_test(tc, the_header_says_where_things_are);
	tcase_add_test(tc, the_descriptor_is_a_high_one_of_ours);
	tcase_add_test(tc, chunks_appear_on_demand_and_the_file_is_sparse);
	tcase_add_test(tc, descriptors_out_of_range_have_no_slot);
	tcase_add_test(tc, in_a_sandbox_nothing_is_made_or_grown);
	tcase_add_test(tc, of_threads_that_race_one_makes_it);
	tcase_add_test(tc, a_file_of_the_apps_over_the_descriptor_is_not_touched);
	tcase_add_test(tc, a_silent_end_removes_the_file);
	tcase_add_test(tc, an_end_with_something_said_keeps_it);
}
