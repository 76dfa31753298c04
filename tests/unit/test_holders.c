/* test_holders.c: who else holds a socket, against children of the test. */
#include <sys/syscall.h>

#include "child.h"
#include "loopback.h"
#include "procfs.h"
#include "unit.h"

struct held {
	unsigned index[16];
	pid_t pid[16];
	unsigned count;
	int stop;
};

static int note_holder(unsigned index, pid_t pid, void *context)
{
	struct held *held = context;
	if (held->count < 16) {
		held->index[held->count] = index;
		held->pid[held->count] = pid;
	}
	held->count++;
	return held->stop;
}

static const uint64_t minute = 60000000000ull;

START_TEST(holders_in_children)
{
	int shared = new_socket(), alone = new_socket();
	uint64_t inodes[3] = {inode_of(shared), inode_of(alone), ~0ull};
	unsigned shared_index = inodes[0] > inodes[1];
	struct held held = {0};
	if (shared_index) {
		inodes[1] = inode_of(shared);
		inodes[0] = inode_of(alone);
	}
	int copy = dup(shared);
	struct child one = fork_holder(copy), two = fork_holder(shared);
	int r = cg_proc_holders(inodes, 3, getpid(), minute, note_holder, &held);
	ck_assert(r == 0 || r == 1);
	ck_assert_uint_eq(held.count, 2);
	ck_assert(held.index[0] == shared_index && held.index[1] == shared_index);
	ck_assert(held.pid[0] + held.pid[1] == one.pid + two.pid);
	ck_assert(held.pid[0] == one.pid || held.pid[0] == two.pid);
	ck_assert(held.pid[0] < held.pid[1]);
	held = (struct held){.stop = 9};
	ck_assert_int_eq(cg_proc_holders(inodes, 3, getpid(), minute, note_holder, &held), 9);
	ck_assert_uint_eq(held.count, 1);
	end_child(one);
	end_child(two);
	held = (struct held){0};
	ck_assert_int_ge(cg_proc_holders(inodes, 3, getpid(), minute, note_holder, &held), 0);
	ck_assert_uint_eq(held.count, 0);
}
END_TEST

START_TEST(holder_with_two_descriptors_counts_once)
{
	int fd = new_socket();
	uint64_t inode = inode_of(fd);
	struct held held = {0};
	struct child child;
	int ready[2], wait_pipe[2];
	char byte;
	ck_assert(pipe(ready) == 0 && pipe(wait_pipe) == 0);
	child.pid = fork();
	if (child.pid == 0) {
		close(wait_pipe[1]);
		(void)!write(ready[1], dup(fd) >= 0 ? "r" : "x", 1);
		_exit(read(wait_pipe[0], &byte, 1) == 0 ? 0 : 1);
	}
	child.go = wait_pipe[1];
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	ck_assert_int_eq(byte, 'r');
	ck_assert_int_ge(cg_proc_holders(&inode, 1, getpid(), minute, note_holder, &held), 0);
	ck_assert_uint_eq(held.count, 1);
	ck_assert_int_eq(held.pid[0], child.pid);
	end_child(child);
	ck_assert_int_eq(cg_proc_holders(&inode, 0, getpid(), minute, note_holder, &held), 0);
}
END_TEST

START_TEST(holders_within_a_budget)
{
	int fd = new_socket();
	uint64_t inode = inode_of(fd);
	struct held held = {0};
	struct child child = fork_holder(fd);
	ck_assert_int_eq(cg_proc_holders(&inode, 1, getpid(), 1, note_holder, &held), -ETIME);
	ck_assert_uint_eq(held.count, 0);
	end_child(child);
}
END_TEST

/* As nobody, root's processes cannot be read: the answer is then "not all". */
START_TEST(holders_that_cannot_be_read)
{
	int status, fd = new_socket();
	uint64_t inode = inode_of(fd);
	struct held held = {0};
	if (geteuid() != 0)
		SKIP("only root can become somebody else");
	int init = open("/proc/1/fd", O_RDONLY | O_CLOEXEC);
	if (init < 0)
		SKIP("this root may not read other processes");
	close(init);
	ck_assert_int_eq(cg_proc_holders(&inode, 1, getpid(), minute, note_holder, &held), 0);
	pid_t child = fork();
	if (child == 0) {
		if (syscall(SYS_setresuid, 65534, 65534, 65534))
			_exit(77);
		_exit(cg_proc_holders(&inode, 1, getpid(), minute, note_holder, &held) == 1 && held.count == 0 ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		SKIP("the user cannot be changed");
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_test(tc, holders_in_children);
	tcase_add_test(tc, holder_with_two_descriptors_counts_once);
	tcase_add_test(tc, holders_within_a_budget);
	tcase_add_test(tc, holders_that_cannot_be_read);
}
