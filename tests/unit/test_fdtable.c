/* test_fdtable.c: whether there is a socket, as asked of descriptor after descriptor. */
#include "fdtable.h"
#include "unit.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* A table as exec leaves it: nothing but what a test of its own process has on 0 to 2, which may be a socket too. */
static void close_all(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	for (int fd = 3; fd < 1024; fd++)
		close(fd);
}

/* In a child of its own: the test's descriptors go. */
static int answer_with(int (*open_some)(int number), int number)
{
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		close_all();
		if (open_some && open_some(number) < 0)
			_exit(3);
		_exit(cg_fdtable_no_socket());
	}
	int status;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) < 2);
	return WEXITSTATUS(status);
}

static int move(int fd, int number)
{
	int moved = fcntl(fd, F_DUPFD, number);
	close(fd);
	return moved;
}

static int open_socket(int number)
{
	return move(socket(AF_INET, SOCK_STREAM, 0), number);
}

static int open_local_socket(int number)
{
	return move(socket(AF_UNIX, SOCK_STREAM, 0), number);
}

static int open_file(int number)
{
	return move(open("/dev/null", O_RDONLY), number);
}

static int open_pipe(int number)
{
	int ends[2];
	return pipe(ends) < 0 ? -1 : move(ends[0], number);
}

START_TEST(a_socket_is_told_from_other_things)
{
	int fd = open_socket(3), file = open_file(3), pipe_end = open_pipe(3);
	ck_assert(cg_fdtable_is_socket(fd));
	ck_assert(!cg_fdtable_is_socket(file));
	ck_assert(!cg_fdtable_is_socket(pipe_end));
	close(fd);
	ck_assert(!cg_fdtable_is_socket(fd));
	ck_assert(!cg_fdtable_is_socket(-1));
}
END_TEST

START_TEST(no_socket_is_known_for_sure)
{
	ck_assert_int_eq(answer_with(NULL, 0), 1);
	ck_assert_int_eq(answer_with(open_file, 40), 1);
	ck_assert_int_eq(answer_with(open_pipe, 63), 1);
	ck_assert_int_eq(answer_with(open_pipe, 64), 1);
	ck_assert_int_eq(answer_with(open_file, 255), 1);
}
END_TEST

static const int numbers[] = {3, 62, 63, 64, 65, 127, 128, 254, 255, 256, 257, 511, 1000};

START_TEST(a_socket_at_any_number_is_never_overlooked)
{
	ck_assert_int_eq(answer_with(open_socket, numbers[_i]), 0);
	ck_assert_int_eq(answer_with(open_local_socket, numbers[_i]), 0);
}
END_TEST

START_TEST(high_numbers_are_not_answered_for)
{
	ck_assert_int_eq(answer_with(open_file, 256), 0);
	ck_assert_int_eq(answer_with(open_file, 900), 0);
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_test(tc, a_socket_is_told_from_other_things);
	tcase_add_test(tc, no_socket_is_known_for_sure);
	tcase_add_loop_test(tc, a_socket_at_any_number_is_never_overlooked, 0, sizeof numbers / sizeof numbers[0]);
	tcase_add_test(tc, high_numbers_are_not_answered_for);
}
