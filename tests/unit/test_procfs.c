/* test_procfs.c: what /proc tells, against epoll sets, children and threads of the test itself. */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "loopback.h"
#include "procfs.h"
#include "unit.h"

static uint64_t inode_of(int fd)
{
	struct stat st;
	ck_assert_int_eq(fstat(fd, &st), 0);
	return st.st_ino;
}

static int new_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(fd, 0);
	return fd;
}

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
	ck_assert_int_eq(cg_proc_epolls(count_registration, &seen), 0);
	ck_assert_uint_eq(seen.count, MANY + 1);
	ck_assert_uint_eq(seen.wrong, 0);
	ck_assert_int_eq(cg_proc_polled_by(last, inode_of(last)), seen.epfd);
	seen.count = 0;
	seen.stop_after = 3;
	ck_assert_int_eq(cg_proc_epolls(count_registration, &seen), 7);
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
	cg_proc_epolls(count_registration, &registrations);
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

struct child {
	pid_t pid;
	int go; /* closing it ends the child */
};

/* A child that holds what is open here, and nothing more than `keep` of it. */
static struct child fork_holder(int keep)
{
	int wait_pipe[2], ready[2];
	char byte;
	ck_assert(pipe(wait_pipe) == 0 && pipe(ready) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		for (int fd = 3; fd < 1024; fd++)
			if (fd != keep && fd != wait_pipe[0] && fd != ready[1])
				close(fd);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)!write(ready[1], "r", 1);
		_exit(read(wait_pipe[0], &byte, 1) == 0 ? 0 : 1);
	}
	ck_assert_int_gt(pid, 0);
	close(wait_pipe[0]);
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	fcntl(wait_pipe[1], F_SETFD, FD_CLOEXEC);
	return (struct child){pid, wait_pipe[1]};
}

static void end_child(struct child child)
{
	int status = 0;
	close(child.go);
	kill(child.pid, SIGKILL);
	ck_assert_int_eq(waitpid(child.pid, &status, 0), child.pid);
}

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
	tcase_add_test(tc, holders_in_children);
	tcase_add_test(tc, holder_with_two_descriptors_counts_once);
	tcase_add_test(tc, holders_within_a_budget);
	tcase_add_test(tc, holders_that_cannot_be_read);
	tcase_add_test(tc, names_and_number_of_threads);
	tcase_add_test(tc, start_times_and_life);
	tcase_add_test(tc, stat_of_a_process_with_a_nasty_name);
	tcase_add_test(tc, descriptors_after_the_first_thread_has_ended);
	tcase_add_test(tc, process_whose_first_thread_has_ended);
}
