/* test_unshare.c: a thread with a table of descriptors of its own, and what it sees of the program's. */
#include "unshare.h"
#include "unit.h"

#include <fcntl.h>
#include <pthread.h>

#include "loopback.h"
#include "ownfd.h"
#include "procfs.h"
#include "procfs_tcp.h"

static struct loop loop;
static uint64_t server_inode;

/* Runs the body in a thread that has left the program's table, or skips. */
static void in_own_table(void *(*body)(void *))
{
	pthread_t thread;
	void *failed = NULL;
	if (!cg_unshare_possible())
		SKIP("close_range(CLOSE_RANGE_UNSHARE) is not there");
	loop_open(&loop, LOOP_IPV4);
	struct stat st;
	ck_assert_int_eq(fstat(loop.server, &st), 0);
	server_inode = st.st_ino;
	ck_assert_int_eq(pthread_create(&thread, NULL, body, NULL), 0);
	ck_assert_int_eq(pthread_join(thread, &failed), 0);
	ck_assert_msg(!failed, "%s", (const char *)failed);
}

#define WANT(condition)                                                                                                \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			return (void *)(uintptr_t) #condition;                                                         \
	} while (0)

static void *sees_the_program(void *unused)
{
	uint64_t inode = 0;
	(void)unused;
	WANT(cg_unshare_files() == 0);
	WANT(fcntl(loop.server, F_GETFD) < 0 || loop.server <= 3);
	WANT(cg_proc_descriptor(loop.server, &inode) == 1 && inode == server_inode);
	WANT(cg_proc_is_tcp(loop.server) == 1);
	WANT(cg_proc_is_tcp(0) != 1);
	WANT(cg_proc_descriptor(4711, &inode) == -ENOENT);
	WANT(cg_proc_shows_table());
	return NULL;
}

START_TEST(the_programs_descriptors_are_seen_from_outside)
{
	in_own_table(sees_the_program);
	ck_assert(!cg_ownfd_unshared);
	ck_assert_int_ge(fcntl(loop.server, F_GETFD), 0);
}
END_TEST

static int opened_there;

static void *opens(void *unused)
{
	(void)unused;
	WANT(cg_unshare_files() == 0);
	for (int fd = 0; fd <= 2; fd++)
		WANT(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	opened_there = cg_ownfd_take(open("/dev/null", O_RDONLY | O_CLOEXEC));
	WANT(opened_there >= 3);
	WANT(cg_ownfd_valid(opened_there) && !cg_ownfd_is(opened_there));
	int copy = cg_ownfd_dup(opened_there);
	WANT(copy > opened_there);
	cg_ownfd_close(copy);
	WANT(fcntl(copy, F_GETFD) < 0);
	return NULL;
}

START_TEST(what_it_opens_is_not_the_programs)
{
	struct stat before, after;
	int lowest = dup(0);
	close(lowest);
	ck_assert_int_eq(fstat(0, &before), 0);
	in_own_table(opens);
	ck_assert_int_eq(fstat(0, &after), 0);
	ck_assert(before.st_ino == after.st_ino && before.st_dev == after.st_dev);
	ck_assert_int_eq(cg_ownfd_next(0, ~0u), -1);
	close(loop.listener);
	close(loop.client);
	close(loop.server);
	ck_assert_int_eq(dup(0), lowest);
}
END_TEST

static void *takes(void *unused)
{
	struct stat st;
	(void)unused;
	WANT(cg_unshare_files() == 0);
	WANT(cg_unshare_takes());
	int copy = cg_unshare_take(loop.server);
	WANT(copy >= 0 && fstat(copy, &st) == 0 && st.st_ino == server_inode);
	cg_ownfd_close(copy);
	WANT(cg_unshare_take(4711) == -EBADF);
	return NULL;
}

START_TEST(descriptors_are_taken_over)
{
	if (!cg_unshare_may_take())
		SKIP("pidfd_getfd is not there, or a seccomp filter is in force");
	in_own_table(takes);
	ck_assert_int_ge(fcntl(loop.server, F_GETFD), 0);
}
END_TEST

START_TEST(in_a_shared_table_a_duplicate_does)
{
	loop_open(&loop, LOOP_IPV4);
	ck_assert(cg_unshare_takes());
	int copy = cg_unshare_take(loop.server);
	ck_assert(cg_ownfd_is(copy));
	cg_ownfd_close(copy);
	ck_assert_int_eq(cg_unshare_take(4711), -EBADF);
}
END_TEST

struct wanted {
	uint64_t inode;
	struct cg_tcp found;
};

static int find(const struct cg_tcp *tcp, void *context)
{
	struct wanted *wanted = context;
	if (tcp->inode != wanted->inode)
		return 0;
	wanted->found = *tcp;
	return 1;
}

static void listed_as(int fd, uint8_t state, uint32_t rqueue)
{
	struct wanted wanted = {0};
	struct cg_tcp itself = {0};
	struct stat st;
	ck_assert_int_eq(fstat(fd, &st), 0);
	wanted.inode = st.st_ino;
	ck_assert_int_eq(cg_proc_tcp(find, &wanted), 1);
	ck_assert_int_eq(cg_tcp_addresses(fd, &itself), 0);
	ck_assert_uint_eq(wanted.found.state, state);
	ck_assert(wanted.found.has_queues && !wanted.found.has_info);
	ck_assert_uint_eq(wanted.found.rqueue, rqueue);
	ck_assert_mem_eq(&wanted.found.local, &itself.local, sizeof itself.local);
	ck_assert_mem_eq(&wanted.found.peer, &itself.peer, sizeof itself.peer);
}

static void listed(enum loop_kind kind)
{
	loop_open(&loop, kind);
	listed_as(loop.listener, CG_TCP_LISTEN, 0);
	listed_as(loop.client, CG_TCP_ESTABLISHED, 0);
	ck_assert_int_eq(send(loop.client, "hello", 5, 0), 5);
	close(loop.client);
	listed_as(loop.server, CG_TCP_CLOSE_WAIT, 6); /* the FIN counts */
}

START_TEST(proc_lists_sockets_as_they_are)
{
	listed(LOOP_IPV4);
	listed(LOOP_MAPPED);
	if (loop_has_ipv6())
		listed(LOOP_IPV6);
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_test(tc, the_programs_descriptors_are_seen_from_outside);
	tcase_add_test(tc, what_it_opens_is_not_the_programs);
	tcase_add_test(tc, descriptors_are_taken_over);
	tcase_add_test(tc, in_a_shared_table_a_duplicate_does);
	tcase_add_test(tc, proc_lists_sockets_as_they_are);
}
