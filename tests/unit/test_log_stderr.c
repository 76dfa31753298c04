/* stderr as a target: what it may have become, readers that are slow, stuck or gone, and the signals of all that. */
#include "unit.h"

#include "log.h"
#include "log_fixture.h"

#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>

static int put(void)
{
	return cg_log_write("line\n", 5, NULL);
}

static void refused(void)
{
	ck_assert_int_eq(put(), -EBADF);
	ck_assert_uint_eq(cg_log_lost(), 5);
}

START_TEST(a_pipe_is_written_to)
{
	int err = pipe_as_stderr();
	start("stderr");
	ck_assert_int_eq(put(), 0);
	ck_assert_str_eq(drained(err), "line\n");
	ck_assert_uint_eq(cg_log_lost(), 0);
}
END_TEST

START_TEST(a_file_keeps_its_position)
{
	as_stderr(open(in_dir("err"), O_WRONLY | O_CREAT, 0600));
	start("");
	ck_assert_int_eq(write(2, "app\n", 4), 4);
	ck_assert_int_eq(put(), 0);
	ck_assert_int_eq(write(2, "app\n", 4), 4);
	ck_assert_str_eq(content(in_dir("err")), "app\nline\napp\n");
}
END_TEST

START_TEST(closed_is_counted)
{
	start("stderr");
	close(2);
	refused();
	start("stderr");
	refused();
}
END_TEST

START_TEST(what_got_a_closed_stderr_s_number_is_left_alone)
{
	close(2);
	start("stderr");
	ck_assert_int_eq(open(in_dir("data"), O_WRONLY | O_CREAT, 0600), 2);
	refused();
	ck_assert_str_eq(content(in_dir("data")), "");
}
END_TEST

START_TEST(a_socket_that_came_later_is_left_alone)
{
	int pair[2];
	start("stderr");
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	as_stderr(pair[0]);
	refused();
	start_as("stderr", 4712); /* a forked child looks again and must not take it for its log */
	refused();
	ck_assert_str_eq(drained(pair[1]), "");
}
END_TEST

START_TEST(a_socket_that_was_there_is_written_to)
{
	int pair[2];
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	as_stderr(pair[0]);
	start("stderr");
	ck_assert_int_eq(put(), 0);
	ck_assert_str_eq(drained(pair[1]), "line\n");
	close(pair[1]);
	ck_assert_int_eq(put(), -EPIPE);
}
END_TEST

START_TEST(a_client_s_connection_is_never_written_to)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, len), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &len), 0);
	ck_assert_int_eq(connect(client, (struct sockaddr *)&address, len), 0);
	as_stderr(accept(listener, NULL, NULL));
	start("stderr");
	refused();
	shutdown(2, SHUT_WR);
	char byte;
	ck_assert_int_eq(recv(client, &byte, 1, 0), 0);
}
END_TEST

START_TEST(a_database_that_came_later_is_left_alone)
{
	start("stderr");
	as_stderr(open(in_dir("data"), O_RDWR | O_CREAT, 0600));
	refused();
	start_as("stderr", 4712);
	refused();
	ck_assert_str_eq(content(in_dir("data")), "");
}
END_TEST

START_TEST(a_log_that_came_later_is_written_to)
{
	int flags[] = {O_WRONLY, O_WRONLY | O_APPEND, O_RDWR | O_APPEND};
	start("stderr");
	for (int i = 0; i < 3; i++) {
		as_stderr(open(in_dir("err"), flags[i] | O_CREAT | O_TRUNC, 0600));
		ck_assert_int_eq(put(), 0);
		ck_assert_str_eq(content(in_dir("err")), "line\n");
	}
}
END_TEST

START_TEST(a_full_pipe_is_given_up)
{
	char batch[200000];
	int err = pipe_as_stderr();
	start("stderr");
	fill_lines(batch, sizeof(batch));
	uint64_t began = now_ms();
	ck_assert_int_eq(cg_log_write(batch, sizeof(batch), NULL), -EAGAIN);
	uint64_t took = now_ms() - began;
	ck_assert_uint_lt(took, 1000);
	ck_assert_uint_ge(took, 150);
	size_t arrived = strlen(drained(err));
	ck_assert_uint_gt(arrived, 4096);
	ck_assert_uint_eq(arrived % 50, 0); /* whole lines */
	ck_assert_uint_eq(cg_log_lost(), sizeof(batch) - arrived);
}
END_TEST

START_TEST(the_app_s_pipe_stays_blocking)
{
	pipe_as_stderr();
	start("stderr");
	ck_assert_int_eq(put(), 0);
	ck_assert_int_eq(fcntl(2, F_GETFL) & O_NONBLOCK, 0);
}
END_TEST

static void *read_slowly(void *argument)
{
	static char arrived[400000];
	size_t len = 0;
	ssize_t n;
	do {
		usleep(1000);
		n = read(*(int *)argument, arrived + len, 8192);
		len += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	arrived[len] = '\0';
	return arrived;
}

START_TEST(a_slow_reader_gets_all)
{
	char batch[130001];
	void *arrived;
	pthread_t reader;
	int err = pipe_as_stderr();
	start("stderr");
	fill_lines(batch, sizeof(batch) - 1);
	batch[sizeof(batch) - 1] = '\0';
	ck_assert_int_eq(pthread_create(&reader, NULL, read_slowly, &err), 0);
	ck_assert_int_eq(cg_log_write(batch, sizeof(batch) - 1, NULL), 0);
	close(2);
	ck_assert_int_eq(pthread_join(reader, &arrived), 0);
	ck_assert(strcmp(arrived, batch) == 0);
	ck_assert_uint_eq(cg_log_lost(), 0);
}
END_TEST

START_TEST(a_line_longer_than_a_chunk_arrives)
{
	char batch[10001];
	int err = pipe_as_stderr();
	start("stderr");
	memset(batch, 'x', sizeof(batch));
	batch[9999] = '\n';
	batch[10000] = '\0';
	ck_assert_int_eq(cg_log_write(batch, 10000, NULL), 0);
	ck_assert(strcmp(drained(err), batch) == 0);
}
END_TEST

static int open_terminal(int *ret_master, int *ret_terminal)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
		return -1;
	*ret_master = master;
	*ret_terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
	return *ret_terminal;
}

static void gives_up_on_terminal(void)
{
	char batch[100000];
	fill_lines(batch, sizeof(batch));
	uint64_t began = now_ms();
	ck_assert_int_eq(cg_log_write(batch, sizeof(batch), NULL), -EAGAIN);
	ck_assert_uint_lt(now_ms() - began, 1000);
	ck_assert_uint_gt(cg_log_lost(), 0);
}

START_TEST(a_stopped_terminal_is_given_up)
{
	int master, terminal;
	if (open_terminal(&master, &terminal) < 0)
		SKIP("no pseudo terminal can be made");
	as_stderr(terminal);
	start("stderr");
	ck_assert_int_eq(put(), 0);
	ck_assert_str_eq(drained(master), "line\r\n");
	ck_assert_int_eq(tcflow(2, TCOOFF), 0);
	gives_up_on_terminal();
}
END_TEST

/* Here poll sees some room, but less than a chunk needs. */
START_TEST(a_terminal_that_nobody_reads_is_given_up)
{
	int master, terminal;
	if (open_terminal(&master, &terminal) < 0)
		SKIP("no pseudo terminal can be made");
	as_stderr(terminal);
	start("stderr");
	gives_up_on_terminal();
	ck_assert_int_eq(fcntl(2, F_GETFL) & O_NONBLOCK, 0);
}
END_TEST

static volatile int signals_seen;

static void count_signal(int number)
{
	(void)number;
	signals_seen++;
}

static void without_reader(void)
{
	close(pipe_as_stderr());
	start("stderr");
}

START_TEST(a_reader_that_has_gone_raises_nothing)
{
	sigset_t pending;
	signal(SIGPIPE, count_signal);
	without_reader();
	ck_assert_int_eq(put(), -EPIPE);
	sigpending(&pending);
	ck_assert_int_eq(sigismember(&pending, SIGPIPE), 0);
	ck_assert_int_eq(signals_seen, 0);
	ck_assert_uint_eq(cg_log_lost(), 5);
}
END_TEST

START_TEST(the_app_s_own_pending_signal_stays)
{
	sigset_t pipe_only, pending;
	signal(SIGPIPE, count_signal);
	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);
	ck_assert_int_eq(sigprocmask(SIG_BLOCK, &pipe_only, NULL), 0);
	raise(SIGPIPE);
	without_reader();
	ck_assert_int_eq(put(), -EPIPE);
	sigpending(&pending);
	ck_assert_int_eq(sigismember(&pending, SIGPIPE), 1);
	ck_assert_int_eq(sigprocmask(SIG_UNBLOCK, &pipe_only, NULL), 0);
	ck_assert_int_eq(signals_seen, 1);
}
END_TEST

START_TEST(the_signal_mask_is_restored)
{
	sigset_t before, after;
	without_reader();
	sigemptyset(&before);
	sigaddset(&before, SIGUSR1);
	sigprocmask(SIG_SETMASK, &before, NULL);
	ck_assert_int_eq(put(), -EPIPE);
	sigprocmask(SIG_SETMASK, NULL, &after);
	ck_assert_int_eq(memcmp(&before, &after, 8), 0);
}
END_TEST

static int run(int (*part)(int), int argument)
{
	int status = -1;
	pid_t child = fork();
	if (child == 0)
		_exit(part(argument));
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static int background_job(int terminal)
{
	signal(SIGTTOU, count_signal);
	signal(SIGALRM, SIG_DFL);
	alarm(5); /* a write that ends in SIGTTOU is tried again for ever */
	setpgid(0, 0);
	as_stderr(terminal);
	start("stderr");
	return put() == 0 && signals_seen == 0 ? 0 : 1;
}

static int session(int terminal)
{
	struct termios settings;
	if (setsid() < 0 || ioctl(terminal, TIOCSCTTY, 0) < 0)
		return 2;
	if (tcgetattr(terminal, &settings) < 0)
		return 3;
	settings.c_lflag |= TOSTOP;
	return tcsetattr(terminal, TCSANOW, &settings) < 0 ? 3 : run(background_job, terminal);
}

START_TEST(a_background_job_is_not_stopped)
{
	int master, terminal;
	if (open_terminal(&master, &terminal) < 0)
		SKIP("no pseudo terminal can be made");
	int result = run(session, terminal);
	if (result == 2)
		SKIP("no controlling terminal can be had");
	ck_assert_int_eq(result, 0);
	ck_assert_str_eq(drained(master), "line\r\n");
}
END_TEST

START_TEST(without_descriptors_stderr_still_speaks)
{
	int err = pipe_as_stderr();
	start("stderr");
	exhaust_descriptors();
	ck_assert_int_eq(put(), 0);
	ck_assert_str_eq(drained(err), "line\n");
	ck_assert_int_ge(fcntl(2, F_GETFD), 0);
	free_descriptors();
}
END_TEST

START_TEST(before_init_it_goes_to_stderr)
{
	int err = pipe_as_stderr();
	ck_assert_int_eq(put(), 0);
	ck_assert_str_eq(drained(err), "line\n");
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_unchecked_fixture(tc, make_dir, remove_dir);
	tcase_add_checked_fixture(tc, make_case_dir, NULL);
	tcase_add_test(tc, a_pipe_is_written_to);
	tcase_add_test(tc, a_file_keeps_its_position);
	tcase_add_test(tc, closed_is_counted);
	tcase_add_test(tc, what_got_a_closed_stderr_s_number_is_left_alone);
	tcase_add_test(tc, a_socket_that_came_later_is_left_alone);
	tcase_add_test(tc, a_socket_that_was_there_is_written_to);
	tcase_add_test(tc, a_client_s_connection_is_never_written_to);
	tcase_add_test(tc, a_database_that_came_later_is_left_alone);
	tcase_add_test(tc, a_log_that_came_later_is_written_to);
	tcase_add_test(tc, a_full_pipe_is_given_up);
	tcase_add_test(tc, the_app_s_pipe_stays_blocking);
	tcase_add_test(tc, a_slow_reader_gets_all);
	tcase_add_test(tc, a_line_longer_than_a_chunk_arrives);
	tcase_add_test(tc, a_stopped_terminal_is_given_up);
	tcase_add_test(tc, a_terminal_that_nobody_reads_is_given_up);
	tcase_add_test(tc, a_reader_that_has_gone_raises_nothing);
	tcase_add_test(tc, the_app_s_own_pending_signal_stays);
	tcase_add_test(tc, the_signal_mask_is_restored);
	tcase_add_test(tc, a_background_job_is_not_stopped);
	tcase_add_test(tc, without_descriptors_stderr_still_speaks);
	tcase_add_test(tc, before_init_it_goes_to_stderr);
}
