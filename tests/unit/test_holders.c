/* test_holders.c: who else holds a socket, against children of the test and their threads. */
#include <linux/close_range.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>

#include "child.h"
#include "loopback.h"
#include "procfs.h"
#include "procfs_holders.h"
#include "suspects.h"
#include "unit.h"

static const uint64_t minute = 60000000000ull, second = 1000000000ull;
static uint64_t now = 1000000000000ull; /* of looks: each is later than the one before */

static struct cg_holders_view view;

/* The answer of a walk that begins now. */
static struct cg_holders holders_of(int fd)
{
	struct cg_holders found = {0};
	now += second;
	ck_assert(cg_holders_want(inode_of(fd), now));
	cg_holders_walk(now, now, minute, true);
	ck_assert_int_eq(cg_holders_get(inode_of(fd), now, &found, &view), 0);
	return found;
}

START_TEST(holders_in_children)
{
	int shared = new_socket(), alone = new_socket(), copy = dup(shared);
	struct child one = fork_holder(copy), two = fork_holder(shared);
	struct cg_holders found = holders_of(shared);
	ck_assert_uint_eq(found.count, 2);
	ck_assert(found.pids[0] + found.pids[1] == one.pid + two.pid);
	ck_assert(found.pids[0] == one.pid || found.pids[0] == two.pid);
	ck_assert(!found.other_table && !view.hidden && !view.unread_self);
	ck_assert_uint_eq(holders_of(alone).count, 0);
	/* One walk answers all that was asked for, and an answer is of its time. */
	ck_assert_int_eq(cg_holders_get(inode_of(shared), now, &found, &view), 0);
	ck_assert_uint_eq(found.count, 2);
	ck_assert_int_eq(cg_holders_get(inode_of(shared), now + 1, &found, &view), -EAGAIN);
	ck_assert_int_eq(cg_holders_get(~0ull, 0, &found, &view), -EAGAIN);
	end_child(one);
	end_child(two);
	ck_assert_uint_eq(holders_of(shared).count, 0);
}
END_TEST

/* A process of which `work` is made in a second thread; its first one ends, where `ends`. */
static struct child fork_threads(void *(*work)(void *), void *argument, bool ends, int closed)
{
	int wait_pipe[2], ready[2];
	char byte;
	ck_assert(pipe(wait_pipe) == 0 && pipe(ready) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		pthread_t thread;
		int *numbers = argument;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(wait_pipe[1]);
		numbers[1] = wait_pipe[0];
		numbers[2] = ready[1];
		pthread_create(&thread, NULL, work, argument);
		if (ends)
			pthread_exit(NULL);
		(void)!read(wait_pipe[0], &byte, 1);
		close(closed);
		(void)!write(ready[1], "r", 1);
		pause();
	}
	close(wait_pipe[0]);
	if (!ends)
		ck_assert_int_eq(read(ready[0], &byte, 1), 1); /* it has a table of its own */
	if (!ends)
		ck_assert_int_eq(write(wait_pipe[1], "c", 1), 1);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	fcntl(wait_pipe[1], F_SETFD, FD_CLOEXEC);
	return (struct child){pid, wait_pipe[1]};
}

static void *stays(void *argument)
{
	const int *numbers = argument;
	(void)!write(numbers[2], "r", 1);
	pause();
	return NULL;
}

static void *has_own_table(void *argument)
{
	if (syscall(SYS_unshare, CLONE_FILES) < 0)
		_exit(3);
	return stays(argument);
}

/* /proc/PID/fd of such a process is empty. */
START_TEST(holder_whose_first_thread_has_ended)
{
	int fd = new_socket(), numbers[3] = {fd, 0, 0};
	char path[64];
	struct child child = fork_threads(stays, numbers, true, -1);
	snprintf(path, sizeof path, "/proc/%d/exe", child.pid);
	for (int i = 0; i < 10000 && readlink(path, path + 32, 1) > 0; i++)
		usleep(1000);
	struct cg_holders found = holders_of(fd);
	ck_assert_uint_eq(found.count, 1);
	ck_assert_int_eq(found.pids[0], child.pid);
	end_child(child);
}
END_TEST

START_TEST(holder_whose_thread_has_a_table_of_its_own)
{
	int fd = new_socket(), numbers[3] = {fd, 0, 0};
	struct child child = fork_threads(has_own_table, numbers, false, fd);
	struct cg_holders found = holders_of(fd);
	ck_assert_uint_eq(found.count, 1);
	ck_assert_int_eq(found.pids[0], child.pid);
	end_child(child);
}
END_TEST

struct own {
	pthread_barrier_t barrier;
	bool unshares;
};

static void *thread_of_ours(void *argument)
{
	struct own *own = argument;
	if (own->unshares)
		syscall(SYS_unshare, CLONE_FILES);
	pthread_barrier_wait(&own->barrier);
	pthread_barrier_wait(&own->barrier);
	return NULL;
}

START_TEST(a_thread_of_this_process_has_its_own)
{
	int fd = new_socket();
	for (int unshares = 0; unshares < 2; unshares++) {
		struct own own = {.unshares = unshares};
		pthread_t thread;
		pthread_barrier_init(&own.barrier, NULL, 2);
		ck_assert_int_eq(pthread_create(&thread, NULL, thread_of_ours, &own), 0);
		pthread_barrier_wait(&own.barrier);
		struct cg_holders found = holders_of(fd);
		ck_assert_uint_eq(found.count, 0);
		ck_assert(found.other_table == own.unshares);
		pthread_barrier_wait(&own.barrier);
		pthread_join(thread, NULL);
	}
}
END_TEST

START_TEST(holder_with_two_descriptors_counts_once)
{
	int fd = new_socket(), wait_pipe[2], ready[2];
	char byte;
	ck_assert(pipe(ready) == 0 && pipe(wait_pipe) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		close(wait_pipe[1]);
		(void)!write(ready[1], dup(fd) >= 0 ? "r" : "x", 1);
		_exit(read(wait_pipe[0], &byte, 1) == 0 ? 0 : 1);
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	ck_assert_int_eq(byte, 'r');
	struct cg_holders found = holders_of(fd);
	ck_assert_uint_eq(found.count, 1);
	ck_assert_int_eq(found.pids[0], pid);
	end_child((struct child){pid, wait_pipe[1]});
}
END_TEST

/* A budget that runs out is no answer, and the next one goes on where it ended. */
START_TEST(holders_within_a_budget)
{
	int fd = new_socket(), turns = 0;
	uint64_t inode = inode_of(fd);
	struct cg_holders found;
	struct child child = fork_holder(fd);
	now += minute;
	ck_assert(cg_holders_want(inode, now));
	for (; turns < 100000 && cg_holders_get(inode, now, &found, &view) < 0; turns++)
		cg_holders_walk(now, now, 1, true);
	ck_assert_int_gt(turns, 1);
	ck_assert_int_lt(turns, 100000);
	ck_assert_uint_eq(found.count, 1);
	ck_assert_int_eq(found.pids[0], child.pid);
	end_child(child);
}
END_TEST

/* By themselves walks are made seldom: less often while answers stay the same, at once for a new question. */
START_TEST(answers_hold_for_a_while)
{
	int fd = new_socket(), other = new_socket();
	struct cg_holders found = holders_of(fd);
	struct child child = fork_holder(fd);
	ck_assert(cg_holders_want(inode_of(fd), now + second));
	cg_holders_walk(now + second, 0, minute, false);
	ck_assert_int_eq(cg_holders_get(inode_of(fd), 0, &found, &view), 0);
	ck_assert_uint_eq(found.count, 0);
	ck_assert(cg_holders_want(inode_of(other), now + second));
	cg_holders_walk(now, 0, minute, false); /* the last walk has taken more than its share just now */
	ck_assert_int_eq(cg_holders_get(inode_of(other), 0, &found, &view), -EAGAIN);
	now += 60 * second;
	ck_assert(cg_holders_want(inode_of(fd), now));
	cg_holders_walk(now, 0, minute, false);
	ck_assert_int_eq(cg_holders_get(inode_of(fd), 0, &found, &view), 0);
	ck_assert_uint_eq(found.count, 1);
	end_child(child);
}
END_TEST

START_TEST(more_than_can_be_wanted)
{
	struct cg_holders found;
	now += minute;
	for (unsigned i = 0; i < CG_HOLDERS_WANTED; i++)
		ck_assert(cg_holders_want(~0ull - 7 * i, now));
	ck_assert(!cg_holders_want(5, now));
	ck_assert(cg_holders_want(~0ull, now));
	int fd = new_socket();
	now += 6 * second; /* room is made, of what was wanted before */
	ck_assert(cg_holders_want(~0ull, now));
	ck_assert_uint_eq(holders_of(fd).count, 0);
	ck_assert_int_eq(cg_holders_get(~0ull, now, &found, &view), 0);
	ck_assert_int_eq(cg_holders_get(~0ull - 7, now, &found, &view), -EAGAIN);
}
END_TEST

/* As nobody, root's processes cannot be read. */
static void check_as_nobody(int fd)
{
	if (syscall(SYS_setresuid, 65534, 65534, 65534))
		_exit(77);
	struct cg_holders found = holders_of(fd);
	struct cg_share share = {.reach = CG_REACH_ANY};
	bool good = found.count == 0 && view.unread && view.unread_start > 0;
	_exit(good && cg_holders_judge(&found, &view, &share) == CG_HELD_UNKNOWN ? 0 : 1);
}

START_TEST(holders_that_cannot_be_read)
{
	int status, fd = new_socket();
	if (geteuid() != 0)
		SKIP("only root can become somebody else");
	int other = new_socket(); /* which the unread process holds, and the one that asks does not */
	struct child child = fork_holder(other);
	pid_t pid = fork();
	if (pid == 0)
		check_as_nobody(fd);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	end_child(child);
	ck_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		SKIP("the user cannot be changed");
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

START_TEST(a_fork_forgets_the_answers)
{
	int status, fd = new_socket();
	struct cg_holders found = holders_of(fd);
	pid_t pid = fork();
	if (pid == 0) {
		cg_proc_after_fork();
		_exit(cg_holders_get(inode_of(fd), 0, &found, &view) == -EAGAIN && holders_of(fd).count == 1 ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

static enum cg_held judge(struct cg_holders_view seen, struct cg_share share)
{
	const struct cg_holders none = {0};
	return cg_holders_judge(&none, &seen, &share);
}

#define SHARE(...) ((struct cg_share){__VA_ARGS__})
#define VIEW(...) ((struct cg_holders_view){__VA_ARGS__})

START_TEST(what_is_known_of_nobody)
{
	struct cg_share own = SHARE(.reach = CG_REACH_OWN), kin = SHARE(.reach = CG_REACH_KIN, .born = 100),
	                heir = SHARE(.reach = CG_REACH_KIN, .born = 100, .inherited = true),
	                ageless = SHARE(.reach = CG_REACH_KIN), any = SHARE(.reach = CG_REACH_ANY),
	                sent = SHARE(.reach = CG_REACH_OWN, .sent = true);
	struct cg_holders_view host = VIEW(.host = true), nested = VIEW(0), hidden = VIEW(.hidden = true),
	                       older = VIEW(.unread = 1, .unread_start = 99),
	                       younger = VIEW(.unread = 2, .unread_start = 100),
	                       ancestor = VIEW(.unread = 1, .unread_start = 99, .unread_ancestor = true);
	const struct {
		struct cg_holders_view *view;
		struct cg_share *share;
		enum cg_held held;
	} cases[] = {
	    {&host, &any, CG_HELD_NO},           {&host, &sent, CG_HELD_UNKNOWN},     {&nested, &any, CG_HELD_UNKNOWN},
	    {&nested, &own, CG_HELD_NO},         {&nested, &kin, CG_HELD_NO},         {&hidden, &own, CG_HELD_NO},
	    {&hidden, &kin, CG_HELD_UNKNOWN},    {&older, &kin, CG_HELD_NO},          {&older, &heir, CG_HELD_NO},
	    {&older, &ageless, CG_HELD_UNKNOWN}, {&younger, &kin, CG_HELD_UNKNOWN},   {&younger, &own, CG_HELD_NO},
	    {&ancestor, &kin, CG_HELD_NO},       {&ancestor, &heir, CG_HELD_UNKNOWN}, {&older, &any, CG_HELD_UNKNOWN},
	};
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++)
		ck_assert_msg(judge(*cases[i].view, *cases[i].share) == cases[i].held, "case %u", i);
	ck_assert_int_eq(judge(VIEW(.host = true, .unread_self = true), own), CG_HELD_UNKNOWN);
	struct cg_holders found = {.other_table = true};
	ck_assert_int_eq(cg_holders_judge(&found, &host, &own), CG_HELD_YES);
	found = (struct cg_holders){.count = 1};
	ck_assert_int_eq(cg_holders_judge(&found, &nested, &own), CG_HELD_YES);
}
END_TEST

static void cases(TCase *tc)
{
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, holders_in_children);
	tcase_add_test(tc, holder_whose_first_thread_has_ended);
	tcase_add_test(tc, holder_whose_thread_has_a_table_of_its_own);
	tcase_add_test(tc, a_thread_of_this_process_has_its_own);
	tcase_add_test(tc, holder_with_two_descriptors_counts_once);
	tcase_add_test(tc, holders_within_a_budget);
	tcase_add_test(tc, answers_hold_for_a_while);
	tcase_add_test(tc, more_than_can_be_wanted);
	tcase_add_test(tc, holders_that_cannot_be_read);
	tcase_add_test(tc, a_fork_forgets_the_answers);
	tcase_add_test(tc, what_is_known_of_nobody);
}
