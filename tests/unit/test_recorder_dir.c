/* test_recorder_dir.c: the directory of recorders: where a file is made, and where memory is used instead. */
#include "core_fixture.h"
#include "unit.h"

#include <sys/resource.h>

static char place[128]; /* a directory below this case's, to be refused or made */

static const char *in_case(const char *name)
{
	snprintf(place, sizeof place, "%s/%s", core_dir, name);
	return place;
}

/* The recorder is in memory, and the reason is told. */
static void is_refused(const char *dir, const char *why)
{
	core_watch(dir);
	struct cg_header *h = cg_recorder_start();
	ck_assert_ptr_nonnull(h);
	ck_assert_int_eq(atomic_load(&h->fd), -1);
	ck_assert_ptr_nonnull(cg_recorder_trouble());
	ck_assert_ptr_nonnull(strstr(cg_recorder_trouble(), dir));
	ck_assert_ptr_nonnull(strstr(cg_recorder_trouble(), why));
	struct cg_slot *slot = cg_recorder_slot(1000, true);
	ck_assert_ptr_nonnull(slot);
	slot->open_ns = 1;
	ck_assert_uint_eq(atomic_load(&h->anonymous), 1);
	ck_assert_mem_eq(h->magic, CG_RECORD_MAGIC, 8);
	cg_recorder_finish(CG_STATE_EXITED);
}

START_TEST(the_file_and_a_new_directory_are_private)
{
	struct stat st;
	char path[512];
	umask(0);
	core_watch(in_case("new"));
	cg_recorder_start();
	ck_assert_ptr_null(cg_recorder_trouble());
	ck_assert_int_eq(stat(place, &st), 0);
	ck_assert_int_eq(st.st_mode, S_IFDIR | 0700);
	ck_assert_uint_eq(core_entries(place, path), 1);
	ck_assert_int_eq(lstat(path, &st), 0);
	ck_assert_int_eq(st.st_mode, S_IFREG | 0600);
}
END_TEST

START_TEST(a_symlink_is_refused)
{
	char path[512];
	ck_assert_int_eq(mkdir(in_case("real"), 0700), 0);
	ck_assert_int_eq(symlink("real", in_case("link")), 0);
	is_refused(in_case("link"), "cannot be opened");
	ck_assert_uint_eq(core_entries(in_case("real"), path), 0);
}
END_TEST

START_TEST(one_that_others_may_write_to_is_refused)
{
	char path[512];
	ck_assert_int_eq(mkdir(in_case("open"), 0700), 0);
	ck_assert_int_eq(chmod(place, _i % 2 ? 0770 : 0707), 0);
	is_refused(place, "others may write");
	ck_assert_uint_eq(core_entries(place, path), 0);
}
END_TEST

START_TEST(one_that_others_may_read_is_fine)
{
	ck_assert_int_eq(mkdir(in_case("readable"), 0755), 0);
	core_watch(place);
	cg_recorder_start();
	ck_assert_ptr_null(cg_recorder_trouble());
}
END_TEST

START_TEST(somebody_elses_is_refused)
{
	char path[512];
	if (geteuid() != 0)
		SKIP("only root can give a directory away");
	ck_assert_int_eq(mkdir(in_case("foreign"), 0700), 0);
	ck_assert_int_eq(chown(place, 12345, 12345), 0);
	is_refused(place, "belongs to somebody else");
	ck_assert_uint_eq(core_entries(place, path), 0);
}
END_TEST

START_TEST(a_file_is_no_directory)
{
	int fd = open(in_case("file"), O_CREAT | O_WRONLY, 0600);
	close(fd);
	is_refused(place, "cannot be opened");
}
END_TEST

START_TEST(a_missing_parent_is_not_made)
{
	is_refused(in_case("missing/dir"), "cannot be opened");
	ck_assert_int_eq(access(in_case("missing"), F_OK), -1);
}
END_TEST

START_TEST(where_the_size_of_files_is_limited_there_is_none)
{
	char path[512];
	struct rlimit limit = {1 << 20, RLIM_INFINITY};
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	is_refused(core_dir, "size of files is limited");
	ck_assert_uint_eq(core_entries(core_dir, path), 0);
}
END_TEST

START_TEST(a_full_tmpfs_kills_nobody)
{
	enum { SLOTS = 20000, CHUNKS = (SLOTS + 127) / 128 };
	char path[512];
	struct stat st;
	ck_assert_int_eq(mkdir(in_case("small"), 0700), 0);
	if (!core_private_mounts() || mount("small", place, "tmpfs", 0, "size=64k,mode=0700") < 0)
		SKIP("a tmpfs cannot be mounted here");
	core_watch(place);
	struct cg_header *h = cg_recorder_start();
	ck_assert_int_ge(atomic_load(&h->fd), 0);
	for (int fd = 0; fd < SLOTS; fd++)
		cg_recorder_slot(fd, true)->open_ns = (uint64_t)fd + 1;
	for (int fd = 0; fd < SLOTS; fd++)
		if (cg_slot_at(fd)->open_ns != (uint64_t)fd + 1)
			ck_abort_msg("slot %d was lost", fd);
	ck_assert_uint_eq(core_entries(place, path), 1);
	ck_assert_int_eq(stat(path, &st), 0);
	uint64_t in_file = (uint64_t)st.st_blocks * 512 / CG_CHUNK_SIZE;
	ck_assert_uint_ge(in_file, 2);
	ck_assert_uint_eq(atomic_load(&h->anonymous), CHUNKS + 1 - in_file);
}
END_TEST

START_TEST(without_room_for_the_header_no_file_is_left)
{
	char path[512];
	ck_assert_int_eq(mkdir(in_case("tiny"), 0700), 0);
	if (!core_private_mounts() || mount("tiny", place, "tmpfs", 0, "size=8k,mode=0700") < 0)
		SKIP("a tmpfs cannot be mounted here");
	is_refused(place, "cannot be made");
	ck_assert_uint_eq(core_entries(place, path), 0);
}
END_TEST

START_TEST(unset_it_is_in_dev_shm_by_user)
{
	struct stat st;
	char path[512];
	if (!core_private_mounts() || mount("shm", "/dev/shm", "tmpfs", 0, "size=1m,mode=1777") < 0)
		SKIP("a tmpfs cannot be mounted here");
	core_watch("");
	uid_t user = geteuid();
	if (user == 0)
		ck_assert_int_eq(seteuid(12345), 0);
	struct cg_header *h = cg_recorder_start();
	ck_assert_int_ge(atomic_load(&h->fd), 0);
	ck_assert_uint_eq(h->uid, geteuid());
	snprintf(place, sizeof place, "/dev/shm/closeguard-%u", geteuid());
	ck_assert_int_eq(stat(place, &st), 0);
	ck_assert_int_eq(st.st_mode, S_IFDIR | 0700);
	ck_assert_uint_eq(core_entries(place, path), 1);
	ck_assert_int_eq(seteuid(user), 0);
}
END_TEST

static void cases(TCase *tc)
{
	core_fixtures(tc);
	tcase_add_test(tc, the_file_and_a_new_directory_are_private);
	tcase_add_test(tc, a_symlink_is_refused);
	tcase_add_loop_test(tc, one_that_others_may_write_to_is_refused, 0, 2);
	tcase_add_test(tc, one_that_others_may_read_is_fine);
	tcase_add_test(tc, somebody_elses_is_refused);
	tcase_add_test(tc, a_file_is_no_directory);
	tcase_add_test(tc, a_missing_parent_is_not_made);
	tcase_add_test(tc, where_the_size_of_files_is_limited_there_is_none);
	tcase_add_test(tc, a_full_tmpfs_kills_nobody);
	tcase_add_test(tc, without_room_for_the_header_no_file_is_left);
	tcase_add_test(tc, unset_it_is_in_dev_shm_by_user);
}
