/* test_procfs.c: what /proc tells of descriptors, against epoll sets and sockets of the test itself. */
#include <fcntl.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "loopback.h"
#include "procfs.h"
#include "unit.h"

static void watch(int epfd, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = 0x20696e6f3a313233}; /* the bytes of " ino:123" */
	ck_assert_int_eq(epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &event), 0);
}

START_TEST(polled_by_an_epoll_set)
{
	int first = epoll_create1(EPOLL_CLOEXEC), second = epoll_create1(EPOLL_CLOEXEC);
	int watched = new_socket(), other = new_socket();
	ck_assert_int_eq(cg_proc_polled_by(watched, inode_of(watched)), -1);
	watch(second, watched);
	ck_assert_int_eq(cg_proc_polled_by(watched, inode_of(watched)), second);
	ck_assert_int_eq(cg_proc_polled_by(watched, 0), second);
	ck_assert_int_eq(cg_proc_polled_by(other, inode_of(other)), -1);
	watch(first, other);
	ck_assert_int_eq(cg_proc_polled_by(other, inode_of(other)), first);
	ck_assert_int_eq(epoll_ctl(second, EPOLL_CTL_DEL, watched, NULL), 0);
	ck_assert_int_eq(cg_proc_polled_by(watched, inode_of(watched)), -1);
	close(first);
	close(second);
}
END_TEST

/* The registration belongs to the file: it stays with a dup, and not with the number. */
START_TEST(polled_by_after_a_dup)
{
	int epfd = epoll_create1(EPOLL_CLOEXEC), fd = new_socket(), other = new_socket();
	uint64_t inode = inode_of(fd);
	watch(epfd, fd);
	int copy = dup(fd);
	ck_assert_int_eq(dup2(other, fd), fd);
	ck_assert_int_eq(cg_proc_polled_by(fd, inode_of(fd)), -1);
	ck_assert_int_eq(cg_proc_polled_by(copy, inode), epfd);
	close(copy);
	ck_assert_int_eq(cg_proc_polled_by(copy, inode), -1);
}
END_TEST

enum { MANY = 500 };

struct registrations {
	int epfd;
	unsigned count, wrong, stop_after;
};

static int count_registration(int epfd, int fd, uint64_t inode, void *context)
{
	struct registrations *seen = context;
	seen->wrong += epfd != seen->epfd || inode != inode_of(fd);
	seen->count++;
	return seen->count == seen->stop_after ? 7 : 0;
}

/* About 80 bytes each: many times the buffer that reads them. */
START_TEST(epolls_of_many_descriptors)
{
	struct registrations seen = {.epfd = epoll_create1(EPOLL_CLOEXEC)};
	for (int i = 0; i < MANY; i++)
		watch(seen.epfd, new_socket());
	int last = new_socket();
	watch(seen.epfd, last);
	ck_assert_int_eq(cg_proc_epolls(UINT64_MAX, count_registration, &seen), 0);
	ck_assert_uint_eq(seen.count, MANY + 1);
	ck_assert_uint_eq(seen.wrong, 0);
	ck_assert_int_eq(cg_proc_polled_by(last, inode_of(last)), seen.epfd);
	seen.count = 0;
	seen.stop_after = 3;
	ck_assert_int_eq(cg_proc_epolls(UINT64_MAX, count_registration, &seen), 7);
	ck_assert_uint_eq(seen.count, 3);
}
END_TEST

static void *polled_by_elsewhere(void *context)
{
	int fd = *(int *)context;
	*(int *)context = cg_proc_polled_by(fd, inode_of(fd));
	return NULL;
}

START_TEST(threads_see_the_process)
{
	int epfd = epoll_create1(EPOLL_CLOEXEC), fd = new_socket();
	pthread_t thread;
	watch(epfd, fd);
	ck_assert_int_eq(pthread_create(&thread, NULL, polled_by_elsewhere, &fd), 0);
	pthread_join(thread, NULL);
	ck_assert_int_eq(fd, epfd);
}
END_TEST

struct sockets {
	int fd, stop_at;
	unsigned matches, wrong;
};

static int count_socket(int fd, uint64_t inode, void *context)
{
	struct sockets *seen = context;
	seen->wrong += inode != inode_of(fd);
	seen->matches += fd == seen->fd;
	return fd == seen->stop_at ? 5 : 0;
}

static unsigned count_open(void)
{
	unsigned n = 0;
	for (int fd = 0; fd < 8192; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

START_TEST(sockets_of_the_process)
{
	struct sockets seen = {.fd = new_socket(), .stop_at = -1};
	unsigned before = 0, after = 0, untouched = 9;
	ck_assert_int_eq(cg_proc_sockets(count_socket, &seen, &before), 0);
	ck_assert_uint_eq(seen.matches, 1);
	ck_assert_uint_eq(seen.wrong, 0);
	int file = open("/dev/null", O_RDONLY), more = new_socket();
	ck_assert_int_eq(cg_proc_sockets(count_socket, &seen, &after), 0);
	ck_assert_uint_eq(after, before + 2);
	ck_assert_uint_eq(after, count_open());
	seen.stop_at = more;
	ck_assert_int_eq(cg_proc_sockets(count_socket, &seen, &untouched), 5);
	ck_assert_uint_eq(untouched, 9);
	ck_assert_int_eq(cg_proc_sockets(count_socket, &seen, NULL), 5);
	ck_assert_int_eq(fcntl(file, F_GETFD), 0);
}
END_TEST

/* The walks leave nothing open and take no number that the program would have got. */
START_TEST(descriptors_are_given_back)
{
	struct sockets seen = {.fd = -1, .stop_at = new_socket()};
	struct registrations registrations = {.epfd = epoll_create1(0), .stop_after = 1};
	char name[32];
	watch(registrations.epfd, seen.stop_at);
	int before = dup(0);
	close(before);
	cg_proc_sockets(count_socket, &seen, NULL);
	cg_proc_epolls(UINT64_MAX, count_registration, &registrations);
	cg_proc_thread_name(getpid(), name);
	cg_proc_threads();
	unsigned open_now = 0, open_later = 0;
	seen.stop_at = -1;
	ck_assert_int_eq(cg_proc_sockets(count_socket, &seen, &open_now), 0);
	ck_assert_int_eq(cg_proc_sockets(count_socket, &seen, &open_later), 0);
	ck_assert_uint_eq(open_now, open_later);
	int after = dup(0);
	ck_assert_int_eq(after, before);
}
END_TEST

static int epfd_of_child, fd_of_child;

/* Exit status 0: the descriptors are still seen. 77: the first thread is still there. */
static void *look_after_main(void *unused)
{
	struct cg_proc_stat stat = {0};
	struct sockets seen = {.fd = fd_of_child, .stop_at = -1};
	for (int i = 0; i < 2000 && stat.state != 'Z'; i++) {
		usleep(1000);
		cg_proc_stat(0, &stat);
	}
	if (stat.state != 'Z')
		_exit(77);
	if (cg_proc_sockets(count_socket, &seen, NULL) || seen.matches != 1)
		_exit(1);
	if (cg_proc_polled_by(fd_of_child, inode_of(fd_of_child)) != epfd_of_child)
		_exit(2);
	_exit(unused ? 3 : 0);
}

START_TEST(descriptors_after_the_first_thread_has_ended)
{
	int status;
	epfd_of_child = epoll_create1(0);
	fd_of_child = new_socket();
	watch(epfd_of_child, fd_of_child);
	pid_t child = fork();
	if (child == 0) {
		pthread_t thread;
		pthread_create(&thread, NULL, look_after_main, NULL);
		syscall(SYS_exit, 0); /* this thread only */
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		SKIP("the first thread did not end");
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_test(tc, polled_by_an_epoll_set);
	tcase_add_test(tc, polled_by_after_a_dup);
	tcase_add_test(tc, epolls_of_many_descriptors);
	tcase_add_test(tc, threads_see_the_process);
	tcase_add_test(tc, sockets_of_the_process);
	tcase_add_test(tc, descriptors_are_given_back);
	tcase_add_test(tc, descriptors_after_the_first_thread_has_ended);
}
