/*
 * The log's file and what can happen to it. Each case runs in a process of its own, so descriptor 2, limits and
 * the working directory are the case's to spoil. stderr and syslog have tests of their own.
 */
#include "unit.h"

#include "log.h"
#include "log_fixture.h"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>

static void put(const char *text)
{
	ck_assert_int_eq(cg_log_write(text, strlen(text), NULL), 0);
}

START_TEST(a_file_is_appended_to_and_private)
{
	struct stat st;
	umask(0);
	start(in_dir("app.log"));
	ck_assert_int_ne(access(in_dir("app.log"), F_OK), 0);
	put("one\n");
	put("two\nthree\n");
	ck_assert_str_eq(content(in_dir("app.log")), "one\ntwo\nthree\n");
	ck_assert_int_eq(stat(in_dir("app.log"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_uint_eq(cg_log_lost(), 0);
}
END_TEST

START_TEST(a_rotated_file_is_followed)
{
	start(in_dir("app.log"));
	put("one\n");
	ck_assert_int_eq(rename(in_dir("app.log"), in_dir("app.log.1")), 0);
	put("two\n");
	ck_assert_str_eq(content(in_dir("app.log.1")), "one\n");
	ck_assert_str_eq(content(in_dir("app.log")), "two\n");
}
END_TEST

START_TEST(names_are_expanded)
{
	start(in_dir("%e-%p-%h-%t-%%.log"));
	put("x\n");
	ck_assert_str_eq(content(in_dir("my_app-4711-box_1-20260301T120000Z-%.log")), "x\n");
}
END_TEST

START_TEST(what_cannot_be_expanded_goes_to_stderr)
{
	char text[CG_LOG_PATH_MAX + 2];
	const char *bad[] = {"/tmp/%q", "/tmp/%", "relative%", text};
	memset(text, 'x', sizeof(text));
	text[0] = '/';
	text[sizeof(text) - 1] = '\0';
	int err = pipe_as_stderr();
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(try_start(bad[i]), -EINVAL);
		put("to stderr\n");
		ck_assert_str_eq(drained(err), "to stderr\n");
	}
}
END_TEST

START_TEST(the_longest_path)
{
	char text[CG_LOG_PATH_MAX + 1];
	memset(text, 'x', sizeof(text));
	text[0] = '/';
	text[CG_LOG_PATH_MAX - 1] = '\0';
	ck_assert_int_eq(try_start(text), 0);
	text[CG_LOG_PATH_MAX - 1] = 'x';
	text[CG_LOG_PATH_MAX] = '\0';
	ck_assert_int_eq(try_start(text), -EINVAL);
}
END_TEST

START_TEST(a_relative_path_stays_where_the_app_began)
{
	ck_assert_int_eq(chdir(in_dir("")), 0);
	start("app.log");
	ck_assert_int_eq(chdir("/"), 0);
	start("app.log"); /* as after a daemon's fork */
	put("x\n");
	ck_assert_str_eq(content(in_dir("app.log")), "x\n");
}
END_TEST

START_TEST(none_and_an_empty_batch)
{
	int err = pipe_as_stderr();
	start("none");
	put("x\n");
	start("stderr");
	put("");
	ck_assert_str_eq(drained(err), "");
	ck_assert_uint_eq(cg_log_lost(), 0);
}
END_TEST

/* stderr learns once why; the bytes are counted. */
static void fails_with(const char *path, int error, const char *why)
{
	char wanted[CG_LOG_PATH_MAX + 128];
	int err = pipe_as_stderr();
	start(path);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(cg_log_write("lost\n", 5, NULL), error);
	snprintf(wanted, sizeof(wanted), "closeguard: cannot write to %s: %s; reports are lost until that is mended\n",
	         path, why);
	ck_assert_str_eq(behind_time(drained(err)), wanted);
	ck_assert_uint_eq(cg_log_lost(), 15);
	ck_assert_uint_eq(cg_log_lost(), 0);
}

START_TEST(a_symbolic_link_is_refused)
{
	write_file(in_dir("precious"), "keep");
	ck_assert_int_eq(symlink(in_dir("precious"), in_dir("app.log")), 0);
	fails_with(in_dir("app.log"), -ELOOP, "it is a symbolic link");
	ck_assert_str_eq(content(in_dir("precious")), "keep");
}
END_TEST

START_TEST(directories_are_not_made)
{
	fails_with(in_dir("none/app.log"), -ENOENT, "no such file or directory");
	ck_assert_int_ne(access(in_dir("none"), F_OK), 0);
}
END_TEST

START_TEST(a_directory_is_no_log)
{
	fails_with(in_dir("."), -EISDIR, "it is a directory");
}
END_TEST

START_TEST(a_fifo_that_nobody_reads_does_not_block)
{
	ck_assert_int_eq(mkfifo(in_dir("fifo"), 0600), 0);
	uint64_t began = now_ms();
	fails_with(in_dir("fifo"), -ENXIO, "nobody reads");
	ck_assert_uint_lt(now_ms() - began, 1000);
}
END_TEST

START_TEST(a_fifo_that_is_stuck_is_given_up)
{
	char batch[200000];
	ck_assert_int_eq(mkfifo(in_dir("fifo"), 0600), 0);
	ck_assert_int_ge(open(in_dir("fifo"), O_RDONLY | O_NONBLOCK), 0);
	start(in_dir("fifo"));
	fill_lines(batch, sizeof(batch));
	uint64_t began = now_ms();
	int err = pipe_as_stderr();
	ck_assert_int_eq(cg_log_write(batch, sizeof(batch), NULL), -EAGAIN);
	ck_assert_uint_lt(now_ms() - began, 1000);
	ck_assert_ptr_nonnull(strstr(drained(err), "its reader is stuck"));
	ck_assert_uint_gt(cg_log_lost(), sizeof(batch) / 2);
}
END_TEST

START_TEST(a_target_that_changes_is_told_again)
{
	int err = pipe_as_stderr();
	for (int i = 0; i < 2; i++) {
		start(in_dir("none/a"));
		ck_assert_int_eq(cg_log_write("x\n", 2, NULL), -ENOENT);
	}
	ck_assert_ptr_nonnull(strstr(drained(err), "none/a: no such"));
	start(in_dir("none/b"));
	ck_assert_int_eq(cg_log_write("x\n", 2, NULL), -ENOENT);
	const char *told = drained(err);
	ck_assert_ptr_nonnull(strstr(told, "none/b: no such"));
	ck_assert_ptr_null(strstr(told, "none/a"));
}
END_TEST

START_TEST(a_forked_child_has_a_log_and_losses_of_its_own)
{
	pipe_as_stderr();
	start_as(in_dir("%p/log"), 1);
	ck_assert_int_eq(cg_log_write("x\n", 2, NULL), -ENOENT);
	start_as(in_dir("%p.log"), 2);
	ck_assert_uint_eq(cg_log_lost(), 0);
	put("child\n");
	ck_assert_str_eq(content(in_dir("2.log")), "child\n");
}
END_TEST

/* A private mount of 16 KiB over the fixture's directory. */
static void tiny_disk(void)
{
	if (unshare(CLONE_NEWNS) < 0)
		SKIP("no private mount namespace (unshare is refused)");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", in_dir(""), "tmpfs", 0, "size=16k,mode=0700") < 0)
		SKIP("mounting a tmpfs is refused");
}

START_TEST(a_full_disk_leaves_no_half_line)
{
	char batch[20000];
	tiny_disk();
	int err = pipe_as_stderr();
	start(in_dir("app.log"));
	put("first\n");
	fill_lines(batch, sizeof(batch));
	ck_assert_int_eq(cg_log_write(batch, sizeof(batch), NULL), -ENOSPC);
	ck_assert_str_eq(content(in_dir("app.log")), "first\n");
	ck_assert_uint_eq(cg_log_lost(), sizeof(batch));
	ck_assert_ptr_nonnull(strstr(drained(err), "no space left"));
	put("again\n");
	ck_assert_str_eq(content(in_dir("app.log")), "first\nagain\n");
}
END_TEST

START_TEST(a_file_size_limit_raises_no_signal)
{
	char batch[20000];
	struct rlimit limit = {8192, 8192};
	pipe_as_stderr();
	start(in_dir("app.log"));
	put("first\n");
	fill_lines(batch, sizeof(batch));
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_int_eq(cg_log_write(batch, sizeof(batch), NULL), -EFBIG);
	ck_assert_str_eq(content(in_dir("app.log")), "first\n");
	ck_assert_uint_eq(cg_log_lost(), sizeof(batch));
}
END_TEST

/*
 * A batch of three pages. The second cannot be touched until another writer has appended to the file, which happens in
 * the handler of the fault; the third cannot be read by the kernel, so the batch fails after that.
 */
static char *pages;
static char other_log[128];

static void append_other(int number)
{
	(void)number;
	int fd = open(other_log, O_WRONLY | O_APPEND);
	if (fd < 0 || write(fd, "other\n", 6) != 6 || mprotect(pages + 4096, 4096, PROT_READ | PROT_WRITE) < 0)
		_exit(9);
	close(fd);
	memset(pages + 4096, '\n', 4096);
}

START_TEST(what_others_appended_is_not_cut)
{
	if (sysconf(_SC_PAGESIZE) != 4096)
		SKIP("pages are not 4096 bytes here");
	pipe_as_stderr();
	snprintf(other_log, sizeof(other_log), "%s", in_dir("app.log"));
	start(other_log);
	pages = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(pages, MAP_FAILED);
	fill_lines(pages, 4096);
	ck_assert_int_eq(mprotect(pages + 4096, 2 * 4096, PROT_NONE), 0);
	signal(SIGSEGV, append_other);
	ck_assert_int_eq(cg_log_write(pages, 3 * 4096, NULL), -EFAULT);
	const char *text = content(other_log);
	ck_assert_uint_eq(strlen(text), 4096 + 6 + 4096);
	ck_assert_int_eq(memcmp(text + 4096, "other\n", 6), 0);
	ck_assert_uint_eq(cg_log_lost(), 4096);
}
END_TEST

START_TEST(without_descriptors_the_reserve_is_used)
{
	pipe_as_stderr();
	start(in_dir("app.log"));
	int reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int spare = exhaust_descriptors();
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(cg_log_write("x\n", 2, &reserve), 0);
		ck_assert_int_eq(open("/dev/null", O_RDONLY), -1); /* the reserve is a descriptor again */
		ck_assert_int_eq(fcntl(reserve, F_GETFD), FD_CLOEXEC);
	}
	close(spare);
	ck_assert_str_eq(content(in_dir("app.log")), "x\nx\n");
	free_descriptors();
	ck_assert_uint_eq(cg_log_lost(), 0);
}
END_TEST

START_TEST(without_descriptors_and_reserve_it_is_counted)
{
	int none = -1;
	pipe_as_stderr();
	start(in_dir("app.log"));
	exhaust_descriptors();
	ck_assert_int_eq(cg_log_write("lost\n", 5, &none), -EMFILE);
	ck_assert_int_eq(cg_log_write("lost\n", 5, NULL), -EMFILE);
	ck_assert_uint_eq(cg_log_lost(), 10);
	free_descriptors();
}
END_TEST

START_TEST(a_reserve_that_became_the_app_s_is_left_open)
{
	int pair[2];
	start(in_dir("app.log"));
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	int app_null = open("/dev/null", O_RDONLY);
	int app_zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	int candidates[] = {pair[0], app_null, app_zero};
	exhaust_descriptors();
	for (int i = 0; i < 3; i++) {
		int reserve = candidates[i];
		ck_assert_int_eq(cg_log_write("x\n", 2, &reserve), -EMFILE);
		ck_assert_int_eq(reserve, -1);
		ck_assert_int_ge(fcntl(candidates[i], F_GETFD), 0);
	}
	free_descriptors();
}
END_TEST

START_TEST(no_descriptor_is_kept_and_errno_stays)
{
	const char *targets[] = {in_dir("app.log"), in_dir("none/x"), "stderr", "syslog"};
	pipe_as_stderr();
	cg_log_syslog_path = in_dir("no.sock");
	for (int i = 0; i < 4; i++) {
		unsigned before = count_descriptors();
		start(targets[i]);
		errno = 4242;
		cg_log_write("x\n", 2, NULL);
		ck_assert_int_eq(errno, 4242);
		ck_assert_uint_eq(count_descriptors(), before);
	}
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_unchecked_fixture(tc, make_dir, remove_dir);
	tcase_add_checked_fixture(tc, make_case_dir, NULL);
	tcase_add_test(tc, a_file_is_appended_to_and_private);
	tcase_add_test(tc, a_rotated_file_is_followed);
	tcase_add_test(tc, names_are_expanded);
	tcase_add_test(tc, what_cannot_be_expanded_goes_to_stderr);
	tcase_add_test(tc, the_longest_path);
	tcase_add_test(tc, a_relative_path_stays_where_the_app_began);
	tcase_add_test(tc, none_and_an_empty_batch);
	tcase_add_test(tc, a_symbolic_link_is_refused);
	tcase_add_test(tc, directories_are_not_made);
	tcase_add_test(tc, a_directory_is_no_log);
	tcase_add_test(tc, a_fifo_that_nobody_reads_does_not_block);
	tcase_add_test(tc, a_fifo_that_is_stuck_is_given_up);
	tcase_add_test(tc, a_target_that_changes_is_told_again);
	tcase_add_test(tc, a_forked_child_has_a_log_and_losses_of_its_own);
	tcase_add_test(tc, a_full_disk_leaves_no_half_line);
	tcase_add_test(tc, a_file_size_limit_raises_no_signal);
	tcase_add_test(tc, what_others_appended_is_not_cut);
	tcase_add_test(tc, without_descriptors_the_reserve_is_used);
	tcase_add_test(tc, without_descriptors_and_reserve_it_is_counted);
	tcase_add_test(tc, a_reserve_that_became_the_app_s_is_left_open);
	tcase_add_test(tc, no_descriptor_is_kept_and_errno_stays);
}
