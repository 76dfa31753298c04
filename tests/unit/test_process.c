/* test_process.c: names, numbers and lives of processes and threads as /proc tells them. */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/syscall.h>

#include "child.h"
#include "procfs.h"
#include "unit.h"

static _Atomic pid_t named_tid;
static pthread_barrier_t barrier;

static void *named_thread(void *unused)
{
	prctl(PR_SET_NAME, "worker-3 (a) b");
	named_tid = (pid_t)syscall(SYS_gettid);
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	return unused;
}

/* pthread_join returns on a futex that the kernel wakes shortly before /proc forgets the thread. */
static void wait_gone(pid_t tid)
{
	for (int i = 0; i < 1000 && syscall(SYS_tgkill, getpid(), tid, 0) == 0; i++)
		usleep(1000);
}

static int count_threads(void)
{
	DIR *tasks = opendir("/proc/self/task");
	int n = 0;
	ck_assert_ptr_nonnull(tasks);
	for (struct dirent *entry; (entry = readdir(tasks));)
		n += entry->d_name[0] != '.';
	closedir(tasks);
	return n;
}

START_TEST(names_and_number_of_threads)
{
	pthread_t thread;
	char name[32], expected[32];
	ck_assert_int_eq(cg_proc_threads(), count_threads());
	pthread_barrier_init(&barrier, NULL, 2);
	ck_assert_int_eq(pthread_create(&thread, NULL, named_thread, NULL), 0);
	pthread_barrier_wait(&barrier);
	ck_assert_ptr_eq(cg_proc_thread_name(named_tid, name), name);
	ck_assert_str_eq(name, "worker-3 (a) b");
	ck_assert_int_ge(cg_proc_threads(), 2);
	ck_assert_int_eq(cg_proc_threads(), count_threads());
	pthread_barrier_wait(&barrier);
	pthread_join(thread, NULL);
	wait_gone(named_tid);
	snprintf(expected, sizeof(expected), "tid %d", named_tid);
	ck_assert_str_eq(cg_proc_thread_name(named_tid, name), expected);
}
END_TEST

START_TEST(start_times_and_life)
{
	struct cg_proc_stat stat;
	uint64_t mine = cg_proc_start_time(0);
	siginfo_t info;
	ck_assert_uint_ne(mine, 0);
	ck_assert_uint_eq(cg_proc_start_time(getpid()), mine);
	ck_assert(cg_proc_alive(getpid(), mine));
	ck_assert(cg_proc_alive(getpid(), 0));
	ck_assert(!cg_proc_alive(getpid(), mine + 1));
	ck_assert(!cg_proc_alive(0, 0));
	ck_assert(!cg_proc_alive(-1, 0));
	struct child child = fork_holder(-1);
	uint64_t start = cg_proc_start_time(child.pid);
	ck_assert_uint_ge(start, mine);
	ck_assert(cg_proc_alive(child.pid, start));
	kill(child.pid, SIGKILL);
	ck_assert_int_eq(waitid(P_PID, (id_t)child.pid, &info, WEXITED | WNOWAIT), 0);
	ck_assert_int_eq(cg_proc_stat(child.pid, &stat), 0);
	ck_assert_int_eq(stat.state, 'Z');
	ck_assert(!cg_proc_alive(child.pid, start));
	end_child(child);
	ck_assert(!cg_proc_alive(child.pid, start));
	ck_assert_uint_eq(cg_proc_start_time(child.pid), 0);
	ck_assert_int_eq(cg_proc_stat(child.pid, &stat), -ENOENT);
}
END_TEST

/* A name made to mislead whoever splits the line at blanks. */
START_TEST(stat_of_a_process_with_a_nasty_name)
{
	struct cg_proc_stat before, after;
	ck_assert_int_eq(cg_proc_stat(0, &before), 0);
	prctl(PR_SET_NAME, ") Z 1 1 1 (");
	ck_assert_int_eq(cg_proc_stat(0, &after), 0);
	ck_assert_int_eq(after.state, 'R');
	ck_assert_uint_eq(after.start, before.start);
	ck_assert_uint_eq(after.threads, before.threads);
}
END_TEST

static void *outlive_main(void *unused)
{
	usleep(200000);
	_exit(unused ? 1 : 0);
}

START_TEST(process_whose_first_thread_has_ended)
{
	struct cg_proc_stat stat = {0};
	int status;
	pid_t child = fork();
	if (child == 0) {
		pthread_t thread;
		pthread_create(&thread, NULL, outlive_main, NULL);
		syscall(SYS_exit, 0); /* this thread only */
	}
	for (int i = 0; i < 150 && stat.state != 'Z'; i++) {
		usleep(1000);
		ck_assert_int_eq(cg_proc_stat(child, &stat), 0);
	}
	bool alive = cg_proc_alive(child, 0);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	if (stat.state != 'Z' || stat.threads < 2)
		SKIP("the child was not caught between its threads' ends");
	ck_assert(alive);
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_test(tc, names_and_number_of_threads);
	tcase_add_test(tc, start_times_and_life);
	tcase_add_test(tc, stat_of_a_process_with_a_nasty_name);
	tcase_add_test(tc, process_whose_first_thread_has_ended);
}
