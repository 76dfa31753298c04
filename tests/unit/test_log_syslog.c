/* syslog as a target, with a daemon of the test's own. */
#include "unit.h"

#include "log.h"
#include "log_fixture.h"

#include <sys/socket.h>
#include <sys/un.h>

static int syslog_daemon(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	cg_log_syslog_path = in_dir("log.sock");
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", cg_log_syslog_path);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static const char *datagram(int fd)
{
	static char text[10000];
	ssize_t n = recv(fd, text, sizeof(text) - 1, 0);
	text[n < 0 ? 0 : n] = '\0';
	return n < 0 ? NULL : text;
}

START_TEST(syslog_gets_a_datagram_a_line)
{
	char long_line[20000];
	int daemon_fd = syslog_daemon();
	start("syslog");
	ck_assert_int_eq(cg_log_write("one\n\ntwo %s\nthree", 17, NULL), 0);
	ck_assert_str_eq(datagram(daemon_fd), "<28>closeguard[4711]: one");
	ck_assert_str_eq(datagram(daemon_fd), "<28>closeguard[4711]: two %s");
	ck_assert_str_eq(datagram(daemon_fd), "<28>closeguard[4711]: three");
	memset(long_line, 'x', sizeof(long_line));
	ck_assert_int_eq(cg_log_write(long_line, sizeof(long_line), NULL), 0);
	ck_assert_uint_eq(strlen(datagram(daemon_fd)), 8191);
	ck_assert_ptr_null(datagram(daemon_fd));
}
END_TEST

START_TEST(without_syslog_stderr_is_told)
{
	cg_log_syslog_path = in_dir("log.sock");
	int err = pipe_as_stderr();
	start("syslog");
	ck_assert_int_eq(cg_log_write("one\ntwo\n", 8, NULL), -ENOENT);
	ck_assert_int_eq(cg_log_write("three\n", 6, NULL), -ENOENT);
	const char *told = drained(err);
	ck_assert_ptr_nonnull(strstr(told, "log.sock: no such file or directory"));
	ck_assert_ptr_eq(strchr(told, '\n'), told + strlen(told) - 1);
	ck_assert_uint_eq(cg_log_lost(), 14);
}
END_TEST

START_TEST(a_stuck_syslog_is_given_up)
{
	char batch[40000];
	pipe_as_stderr();
	syslog_daemon();
	start("syslog");
	fill_lines(batch, sizeof(batch));
	uint64_t began = now_ms();
	ck_assert_int_eq(cg_log_write(batch, sizeof(batch), NULL), -EAGAIN);
	ck_assert_uint_lt(now_ms() - began, 1000);
	uint64_t lost = cg_log_lost();
	ck_assert_uint_gt(lost, 0);
	ck_assert_uint_lt(lost, sizeof(batch));
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_unchecked_fixture(tc, make_dir, remove_dir);
	tcase_add_checked_fixture(tc, make_case_dir, NULL);
	tcase_add_test(tc, syslog_gets_a_datagram_a_line);
	tcase_add_test(tc, without_syslog_stderr_is_told);
	tcase_add_test(tc, a_stuck_syslog_is_given_up);
}
