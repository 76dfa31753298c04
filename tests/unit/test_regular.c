/* test_regular.c: opening what somebody else has named: regular files, and nothing else is even touched. */
#include "sys_regular.h"
#include "unit.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char folder[] = "/tmp/closeguard-regular-XXXXXX";

static void make_folder(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
	static const char *const names[] = {"file", "link", "fifo", "socket"};
	char path[80];
	for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		unlink(path);
	}
	rmdir(folder);
	strcpy(strrchr(folder, '-'), "-XXXXXX");
}

static const char *in_folder(const char *name)
{
	static char path[80];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static const char *make_file(const char *text)
{
	const char *path = in_folder("file");
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	return path;
}

/* Did anybody open it since `notes` were begun? */
static bool was_opened(int notes)
{
	char events[4096] __attribute__((aligned(8)));
	return read(notes, events, sizeof events) > 0;
}

static int watch(const char *path)
{
	int notes = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	ck_assert_int_ge(notes, 0);
	ck_assert_int_ge(inotify_add_watch(notes, path, IN_OPEN), 0);
	return notes;
}

START_TEST(test_reads_a_regular_file)
{
	char text[8] = "";
	int fd = cg_open_regular(make_file("hello"), O_NOFOLLOW);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(read(fd, text, sizeof text - 1), 5);
	ck_assert_str_eq(text, "hello");
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
}
END_TEST

START_TEST(test_leaves_no_descriptor_behind)
{
	int before = dup(0), after;
	close(before);
	ck_assert_int_eq(cg_open_regular("/dev/null", 0), -EINVAL);
	ck_assert_int_eq(cg_open_regular("/", 0), -EISDIR);
	close(cg_open_regular(make_file("x"), 0));
	after = dup(0);
	ck_assert_int_eq(after, before);
	close(after);
}
END_TEST

START_TEST(test_a_fifo_is_not_opened)
{
	const char *path = in_folder("fifo");
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	int notes = watch(path);
	ck_assert_int_eq(cg_open_regular(path, 0), -EINVAL);
	ck_assert(!was_opened(notes));
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ck_assert(was_opened(notes)); /* that is how it would look */
	close(fd);
	close(notes);
}
END_TEST

START_TEST(test_a_device_is_not_opened)
{
	int notes = watch("/dev/tty");
	ck_assert_int_eq(cg_open_regular("/dev/tty", 0), -EINVAL);
	ck_assert(!was_opened(notes));
	close(notes);
}
END_TEST

START_TEST(test_a_socket_is_refused)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(address.sun_path, sizeof address.sun_path, "%s", in_folder("socket"));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(cg_open_regular(address.sun_path, 0), -EINVAL);
	close(fd);
}
END_TEST

START_TEST(test_links)
{
	char target[80];
	snprintf(target, sizeof target, "%s", make_file("x"));
	const char *link = in_folder("link");
	ck_assert_int_eq(symlink(target, link), 0);
	ck_assert_int_eq(cg_open_regular(link, O_NOFOLLOW), -ELOOP);
	int fd = cg_open_regular(link, 0);
	ck_assert_int_ge(fd, 0);
	close(fd);
	unlink(link);
	ck_assert_int_eq(symlink("/dev/null", link), 0);
	ck_assert_int_eq(cg_open_regular(link, 0), -EINVAL);
}
END_TEST

START_TEST(test_questions_to_the_kernel_are_no_files)
{
	ck_assert_int_eq(cg_open_regular("/proc/self/status", 0), -EINVAL);
	if (access("/sys/kernel/uevent_seqnum", R_OK) == 0)
		ck_assert_int_eq(cg_open_regular("/sys/kernel/uevent_seqnum", 0), -EINVAL);
	int fd = cg_open_regular("/proc/self/exe", 0); /* a link out of /proc */
	ck_assert_int_ge(fd, 0);
	close(fd);
}
END_TEST

/* A lease holds up everybody who opens the file, for the 45 seconds that its holder has to give it up. */
START_TEST(test_does_not_wait_for_a_lease)
{
	const char *path = make_file("x");
	int fd = open(path, O_RDWR | O_CLOEXEC);
	signal(SIGIO, SIG_IGN);
	if (fcntl(fd, F_SETLEASE, F_WRLCK) < 0)
		SKIP("no leases on the file system of /tmp");
	ck_assert_int_eq(cg_open_regular(path, 0), -EAGAIN);
	close(fd);
}
END_TEST

START_TEST(test_tells_what_is_wrong)
{
	ck_assert_int_eq(cg_open_regular(in_folder("none"), 0), -ENOENT);
	ck_assert_int_eq(cg_open_regular(folder, 0), -EISDIR);
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_test(tc, test_reads_a_regular_file);
	tcase_add_test(tc, test_leaves_no_descriptor_behind);
	tcase_add_test(tc, test_a_fifo_is_not_opened);
	tcase_add_test(tc, test_a_device_is_not_opened);
	tcase_add_test(tc, test_a_socket_is_refused);
	tcase_add_test(tc, test_links);
	tcase_add_test(tc, test_questions_to_the_kernel_are_no_files);
	tcase_add_test(tc, test_does_not_wait_for_a_lease);
	tcase_add_test(tc, test_tells_what_is_wrong);
}
