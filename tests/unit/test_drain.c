/* test_drain.c: two processes close one connection with unread data: one of them, and not none, drains it. */
#include <poll.h>
#include <sys/wait.h>

#include "act_parts.h"
#include "clock.h"
#include "core_fixture.h"
#include "loopback.h"
#include "ownfd.h"
#include "procfs.h"
#include "unit.h"

enum { PATIENCE_MS = 2000 };

static int to_other, from_other;
static int asked;    /* questions of this process */
static bool is_heir; /* the child: its last question is the one that both are about */
static pid_t other;

static bool yes(void)
{
	return true;
}

static void nothing(void)
{
}

static bool is_the_socket(uint64_t inode, const char *name)
{
	char path[300];
	struct stat st;
	snprintf(path, sizeof path, "/proc/%d/fd/%s", other, name);
	return stat(path, &st) == 0 && st.st_ino == inode;
}

static bool other_holds(uint64_t inode)
{
	char path[64];
	bool found = false;
	snprintf(path, sizeof path, "/proc/%d/fd", other);
	DIR *dir = opendir(path);
	for (struct dirent *entry; dir && (entry = readdir(dir));)
		found |= is_the_socket(inode, entry->d_name);
	if (dir)
		closedir(dir);
	return found;
}

/* Tells the other that this one has looked, and lets it look before the answer is given. */
static void meet(void)
{
	struct pollfd end = {from_other, POLLIN, 0};
	char byte = 'x';
	ck_assert_int_eq(write(to_other, &byte, 1), 1);
	if (poll(&end, 1, PATIENCE_MS) == 1)
		ck_assert_int_eq(read(from_other, &byte, 1), 1);
}

static void holders(const struct cg_act_question *questions, unsigned count, enum cg_held *ret)
{
	ck_assert_uint_eq(count, 1);
	ret[0] = other_holds(questions[0].inode) ? CG_HELD_YES : CG_HELD_NO;
	if (++asked == 4 || !is_heir)
		meet();
}

static void close_under_a_drain(int fd)
{
	struct cg_act_plan plan = {.drain_ms = 3000, .drain_bytes = 1 << 20, .enforce = true};
	enum cg_action_reason why;
	struct cg_act_drain how = {.ask = true, .inherited = is_heir};
	int place = cg_act_drain_take(fd, &plan, how, &why);
	ck_assert_int_gt(place, 0);
	close(fd);
	cg_act_drain_begin(place, true);
}

static void run_until_done(void)
{
	for (uint64_t turn; (turn = cg_act_drain_run(holders)) > 0;)
		cg_act_drain_wait(turn);
}

/* The peer hears the end and no reset, though it had sent what nobody read. */
static void peer_hears_the_end(int peer)
{
	struct pollfd end = {peer, POLLIN, 0};
	char byte;
	ck_assert_int_eq(poll(&end, 1, 30000), 1);
	ck_assert_int_eq(recv(peer, &byte, 1, 0), 0);
}

START_TEST(of_two_that_ask_at_the_same_time_one_drains)
{
	struct loop loop;
	int down[2], up[2], status;
	core_start();
	cg_act_has_thread = yes;
	cg_act_wake = nothing;
	ck_assert_int_eq(pipe(down) | pipe(up), 0);
	loop_open(&loop, LOOP_IPV4);
	ck_assert_int_eq(send(loop.client, "unread", 6, 0), 6);
	pid_t parent = getpid();
	pid_t child = fork();
	is_heir = child == 0;
	other = is_heir ? parent : child;
	to_other = is_heir ? up[1] : down[1];
	from_other = is_heir ? down[0] : up[0];
	if (is_heir)
		close(loop.client);
	close_under_a_drain(loop.server);
	if (is_heir) {
		run_until_done();
		_exit(0);
	}
	/* The child has seen this one's duplicate for the last time: now this one asks, for the first. */
	struct pollfd last = {from_other, POLLIN, 0};
	ck_assert_int_eq(poll(&last, 1, 30000), 1);
	for (uint64_t end = cg_clock_now() + 20000000000u; cg_act_draining() && cg_clock_now() < end;) {
		(void)cg_act_drain_run(holders);
		struct pollfd heard = {loop.client, POLLIN, 0};
		if (poll(&heard, 1, 20) == 1)
			break;
	}
	peer_hears_the_end(loop.client);
	close(loop.client);
	run_until_done();
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}
END_TEST

static void cases(TCase *tc)
{
	core_fixtures(tc);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, of_two_that_ask_at_the_same_time_one_drains);
}
