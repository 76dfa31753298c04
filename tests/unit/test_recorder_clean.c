/* test_recorder_clean.c: what is removed from the directory of recorders, and which of them are of live processes. */
#include "core_fixture.h"
#include "procfs.h"
#include "unit.h"

#include <sys/wait.h>
#include <time.h>

static const char *in_case(const char *name)
{
	static char place[128];
	snprintf(place, sizeof place, "%s/%s", core_dir, name);
	return place;
}

static pid_t dead_pid(void)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	return pid;
}

static uint64_t now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* Puts a recorder of `pid` into the directory, with a header that says the rest. */
static struct cg_header like(enum cg_process_state state, bool spoken)
{
	struct cg_header h = {.magic = CG_RECORD_MAGIC, .version = CG_RECORD_VERSION};
	atomic_store(&h.state, state);
	atomic_store(&h.spoken, spoken);
	return h;
}

static void put(const char *name, const void *bytes, size_t n)
{
	int fd = open(in_case(name), O_CREAT | O_EXCL | O_WRONLY, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, n), (ssize_t)n);
	close(fd);
}

static void put_recorder(pid_t pid, unsigned serial, struct cg_header h)
{
	char name[64];
	snprintf(name, sizeof name, "%d.%x.rec", pid, serial);
	put(name, &h, sizeof h);
}

static bool is_there(const char *name)
{
	struct stat st;
	return lstat(in_case(name), &st) == 0;
}

START_TEST(what_the_dead_left_unsaid_is_removed)
{
	char name[64], path[512];
	pid_t dead = dead_pid();
	core_start();
	put_recorder(dead, 1, like(CG_STATE_LIVE, false));
	put_recorder(dead, 2, like(CG_STATE_LIVE, true));
	cg_recorder_clean_dir();
	snprintf(name, sizeof name, "%d.1.rec", dead);
	ck_assert(!is_there(name));
	snprintf(name, sizeof name, "%d.2.rec", dead);
	ck_assert_msg(is_there(name), "what was said by the dead is gone");
	ck_assert_int_ge(atomic_load(&cg_recorder_header()->fd), 0);
	ck_assert_uint_eq(core_entries(core_dir, path), 2); /* this process's is there still */
}
END_TEST

START_TEST(a_pid_that_is_anothers_now_is_dead)
{
	struct cg_header h = like(CG_STATE_LIVE, false);
	core_watch(core_dir);
	h.process_start = cg_proc_start_time(0);
	put_recorder(getpid(), 1, h);
	h.process_start++;
	put_recorder(getpid(), 2, h);
	cg_recorder_clean_dir();
	char path[512];
	ck_assert_uint_eq(core_entries(core_dir, path), 1);
	ck_assert_ptr_nonnull(strstr(path, ".1.rec"));
}
END_TEST

START_TEST(a_program_that_became_another_is_dead_after_a_while)
{
	struct cg_header h = like(CG_STATE_EXECED, false);
	char path[512];
	core_watch(core_dir);
	h.process_start = cg_proc_start_time(0);
	atomic_store(&h.state_ns, now() - 9000000000u);
	put_recorder(getpid(), 1, h);
	atomic_store(&h.state_ns, now() - 11000000000u);
	put_recorder(getpid(), 2, h);
	cg_recorder_clean_dir();
	ck_assert_uint_eq(core_entries(core_dir, path), 1);
	ck_assert_ptr_nonnull(strstr(path, ".1.rec"));
}
END_TEST

START_TEST(of_the_dead_that_spoke_the_newest_are_kept)
{
	pid_t dead = dead_pid();
	char path[512], name[64];
	core_watch(core_dir);
	for (unsigned i = 0; i < 37; i++) {
		struct cg_header h = like(CG_STATE_EXITED, true);
		h.start_realtime_ns = 1000 + (i * 7) % 37;
		put_recorder(dead, i, h);
	}
	cg_recorder_clean_dir();
	ck_assert_uint_eq(core_entries(core_dir, path), 32);
	for (unsigned i = 0; i < 37; i++) {
		snprintf(name, sizeof name, "%d.%x.rec", dead, i);
		ck_assert_int_eq(is_there(name), (i * 7) % 37 >= 5);
	}
	cg_recorder_clean_dir();
	ck_assert_uint_eq(core_entries(core_dir, path), 32);
}
END_TEST

START_TEST(files_that_are_no_recorders_are_left_alone)
{
	struct cg_header other = like(CG_STATE_LIVE, false), newer = other;
	char path[512], dead[32];
	pid_t pid = dead_pid();
	core_watch(core_dir);
	other.magic[0] = 'X';
	newer.version++;
	put_recorder(pid, 1, other);
	put_recorder(pid, 2, newer);
	snprintf(dead, sizeof dead, "%d.3.rec", pid);
	put(dead, "short", 5);
	snprintf(dead, sizeof dead, "%d.4.rec", pid);
	ck_assert_int_eq(symlink("nowhere", in_case(dead)), 0);
	snprintf(dead, sizeof dead, "%d.5.rec", pid);
	ck_assert_int_eq(mkfifo(in_case(dead), 0600), 0); /* must not be waited for */
	newer.version--;
	put("notes.rec", &newer, sizeof newer);
	snprintf(dead, sizeof dead, "%d.txt", pid);
	put(dead, &newer, sizeof newer);
	cg_recorder_clean_dir();
	ck_assert_uint_eq(core_entries(core_dir, path), 7);
}
END_TEST

START_TEST(watched_is_who_has_a_live_recorder)
{
	struct cg_header h = like(CG_STATE_LIVE, false);
	core_watch(core_dir);
	ck_assert(!cg_recorder_watches(getpid()));
	h.process_start = cg_proc_start_time(0) + 1;
	put_recorder(getpid(), 1, h); /* of the pid's user before */
	ck_assert(!cg_recorder_watches(getpid()));
	cg_recorder_start();
	ck_assert(cg_recorder_watches(getpid()));
	ck_assert(!cg_recorder_watches(getppid()));
	pid_t dead = dead_pid();
	put_recorder(dead, 1, like(CG_STATE_LIVE, false));
	ck_assert(!cg_recorder_watches(dead));
	cg_recorder_set_state(CG_STATE_EXECED);
	ck_assert(!cg_recorder_watches(getpid()));
}
END_TEST

/* What somebody else could have put there is neither believed nor removed. */
START_TEST(what_is_not_ours_alone_is_left_alone)
{
	char path[512], name[64];
	pid_t dead = dead_pid();
	core_watch(core_dir);
	put_recorder(dead, 1, like(CG_STATE_LIVE, false));
	snprintf(name, sizeof name, "%d.1.rec", dead);
	cg_recorder_start();
	ck_assert(cg_recorder_watches(getpid()));
	ck_assert_int_eq(chmod(core_dir, 0777), 0);
	ck_assert(!cg_recorder_watches(getpid()));
	cg_recorder_clean_dir();
	ck_assert(is_there(name));
	ck_assert_int_eq(chmod(core_dir, 0700), 0);
	if (geteuid() != 0)
		SKIP("not root: no file of another user can be made");
	snprintf(path, sizeof path, "/proc/self/fd/%d", atomic_load(&cg_recorder_header()->fd));
	ck_assert_int_eq(chown(path, 65534, 65534), 0);
	ck_assert(!cg_recorder_watches(getpid()));
	ck_assert_int_eq(chown(core_dir, 65534, 65534), 0);
	cg_recorder_clean_dir();
	ck_assert(is_there(name));
}
END_TEST

static void cases(TCase *tc)
{
	core_fixtures(tc);
	tcase_add_test(tc, what_the_dead_left_unsaid_is_removed);
	tcase_add_test(tc, what_is_not_ours_alone_is_left_alone);
	tcase_add_test(tc, a_pid_that_is_anothers_now_is_dead);
	tcase_add_test(tc, a_program_that_became_another_is_dead_after_a_while);
	tcase_add_test(tc, of_the_dead_that_spoke_the_newest_are_kept);
	tcase_add_test(tc, files_that_are_no_recorders_are_left_alone);
	tcase_add_test(tc, watched_is_who_has_a_live_recorder);
}
