/*
 * Logs that are not the process's own to write: links, other users' files, folders where others may write. Each case
 * runs in a process of its own. Who is another user takes root to say.
 */
#include "unit.h"

#include "log.h"
#include "log_fixture.h"
#include "log_target.h"

#include <grp.h>

enum { SOMEBODY = 4242, NOBODY = 65534 };

static void need_root(void)
{
	if (geteuid() != 0)
		SKIP("giving files to others takes root");
}

static void is_written(const char *path)
{
	start(path);
	ck_assert_int_eq(cg_log_write("mine\n", 5, NULL), 0);
	ck_assert_str_eq(content(path), "mine\n");
}

/* stderr learns once why, and nothing is made or changed. */
static void is_refused(const char *path, int reason, const char *why)
{
	char wanted[CG_LOG_PATH_MAX + 128];
	struct stat before, after;
	int there = lstat(path, &before), err = pipe_as_stderr();
	start(path);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(cg_log_write("mine\n", 5, NULL), -reason);
	snprintf(wanted, sizeof wanted, "closeguard: cannot write to %s: %s; reports are lost until that is mended\n",
	         path, why);
	ck_assert_str_eq(behind_time(drained(err)), wanted);
	ck_assert_uint_eq(cg_log_lost(), 10);
	ck_assert_int_eq(lstat(path, &after), there);
	if (there == 0)
		ck_assert_int_eq(after.st_size, before.st_size);
}

static const char *folder(const char *name, mode_t mode, uid_t owner, gid_t group)
{
	ck_assert_int_eq(mkdir(in_dir(name), 0700), 0);
	ck_assert_int_eq(chown(in_dir(name), owner, group), 0);
	ck_assert_int_eq(chmod(in_dir(name), mode), 0);
	return in_dir(name);
}

START_TEST(a_hard_link_is_refused)
{
	write_file(in_dir("precious"), "keep");
	ck_assert_int_eq(link(in_dir("precious"), in_dir("app.log")), 0);
	is_refused(in_dir("app.log"), CG_LOG_HARD_LINK, "it is a hard link, it has another name");
	ck_assert_str_eq(content(in_dir("precious")), "keep");
}
END_TEST

START_TEST(another_user_s_file_is_refused)
{
	need_root();
	write_file(in_dir("app.log"), "");
	ck_assert_int_eq(chown(in_dir("app.log"), SOMEBODY, (gid_t)-1), 0);
	is_refused(in_dir("app.log"), CG_LOG_FOREIGN_FILE, "it belongs to another user");
}
END_TEST

START_TEST(another_user_s_fifo_is_refused)
{
	need_root();
	ck_assert_int_eq(mkfifo(in_dir("fifo"), 0666), 0);
	ck_assert_int_eq(chown(in_dir("fifo"), SOMEBODY, (gid_t)-1), 0);
	int end = open(in_dir("fifo"), O_RDONLY | O_NONBLOCK);
	is_refused(in_dir("fifo"), CG_LOG_FOREIGN_FILE, "it belongs to another user");
	ck_assert_str_eq(drained(end), "");
}
END_TEST

START_TEST(another_user_s_folder_is_refused)
{
	need_root();
	folder("theirs", 0755, SOMEBODY, 0);
	is_refused(in_dir("theirs/app.log"), CG_LOG_FOREIGN_FOLDER, "its folder belongs to another user");
}
END_TEST

START_TEST(another_user_s_sticky_folder_is_refused)
{
	need_root();
	folder("theirs", 01777, SOMEBODY, 0);
	is_refused(in_dir("theirs/app.log"), CG_LOG_FOREIGN_FOLDER, "its folder belongs to another user");
}
END_TEST

START_TEST(a_folder_of_another_group_is_refused)
{
	need_root();
	folder("shared", 0775, 0, SOMEBODY);
	is_refused(in_dir("shared/app.log"), CG_LOG_SHARED_FOLDER, "others may write to its folder");
	ck_assert_int_eq(chmod(in_dir("shared"), 0755), 0);
	is_written(in_dir("shared/app.log"));
}
END_TEST

START_TEST(a_folder_of_everybody_s_is_refused)
{
	folder("public", 0777, (uid_t)-1, (gid_t)-1);
	is_refused(in_dir("public/app.log"), CG_LOG_SHARED_FOLDER, "others may write to its folder");
}
END_TEST

START_TEST(a_folder_of_our_groups_is_good)
{
	gid_t more[] = {SOMEBODY};
	folder("own", 0775, (uid_t)-1, getegid());
	is_written(in_dir("own/app.log"));
	need_root();
	folder("more", 0775, 0, SOMEBODY);
	ck_assert_int_eq(setgroups(1, more), 0);
	is_written(in_dir("more/app.log"));
}
END_TEST

START_TEST(a_sticky_folder_is_good)
{
	folder("tmp", 01777, (uid_t)-1, (gid_t)-1);
	is_written(in_dir("tmp/app.log"));
}
END_TEST

/* As seen from inside a user namespace, to which root is nobody. */
START_TEST(nobody_s_sticky_folder_is_good)
{
	need_root();
	folder("tmp", 01777, NOBODY, NOBODY);
	is_written(in_dir("tmp/app.log"));
}
END_TEST

/* What an administrator has prepared for a service. */
START_TEST(root_s_file_and_folder_are_good_for_a_user)
{
	need_root();
	write_file(in_dir("app.log"), "");
	ck_assert_int_eq(chmod(in_dir("app.log"), 0666), 0);
	ck_assert_int_eq(chmod(base_dir, 0711), 0);
	ck_assert_int_eq(chmod(case_dir, 0711), 0);
	ck_assert_int_eq(seteuid(SOMEBODY), 0);
	start(in_dir("app.log"));
	ck_assert_int_eq(cg_log_write("mine\n", 5, NULL), 0);
	ck_assert_str_eq(content(in_dir("app.log")), "mine\n");
}
END_TEST

START_TEST(devices_are_written_to)
{
	start("/dev/null");
	ck_assert_int_eq(cg_log_write("mine\n", 5, NULL), 0);
	ck_assert_uint_eq(cg_log_lost(), 0);
}
END_TEST

START_TEST(a_relative_path_is_judged_too)
{
	need_root();
	folder("shared", 0775, 0, SOMEBODY);
	ck_assert_int_eq(chdir(in_dir("shared")), 0);
	int err = pipe_as_stderr();
	start("app.log");
	ck_assert_int_eq(cg_log_write("mine\n", 5, NULL), -CG_LOG_SHARED_FOLDER);
	ck_assert_ptr_nonnull(strstr(drained(err), "others may write to its folder"));
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_unchecked_fixture(tc, make_dir, remove_dir);
	tcase_add_checked_fixture(tc, make_case_dir, NULL);
	tcase_add_test(tc, a_hard_link_is_refused);
	tcase_add_test(tc, another_user_s_file_is_refused);
	tcase_add_test(tc, another_user_s_fifo_is_refused);
	tcase_add_test(tc, another_user_s_folder_is_refused);
	tcase_add_test(tc, another_user_s_sticky_folder_is_refused);
	tcase_add_test(tc, a_folder_of_another_group_is_refused);
	tcase_add_test(tc, a_folder_of_everybody_s_is_refused);
	tcase_add_test(tc, a_folder_of_our_groups_is_good);
	tcase_add_test(tc, a_sticky_folder_is_good);
	tcase_add_test(tc, nobody_s_sticky_folder_is_good);
	tcase_add_test(tc, root_s_file_and_folder_are_good_for_a_user);
	tcase_add_test(tc, devices_are_written_to);
	tcase_add_test(tc, a_relative_path_is_judged_too);
}
