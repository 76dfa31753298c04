/* test_preload.c: which programs are handed a list without this library, and what that list looks like. */
#include "guard.h"
#include "preload.h"
#include "unit.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *const listed[] = {(char *)"A=1", (char *)"LD_PRELOAD=/lib/libcloseguard.so:/b.so", (char *)"B=2", NULL};

static char file[64];

static void remove_file(void)
{
	unlink(file);
}

static void write_file(const void *text, size_t n)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	ck_assert_int_eq(write(fd, text, n), (ssize_t)n);
	close(fd);
}

static size_t room_of(void)
{
	return cg_preload_room(AT_FDCWD, file, 0, listed);
}

/* A header of this machine's own kind. */
static Elf64_Ehdr own_header(void)
{
	Elf64_Ehdr header;
	int fd = open("/proc/self/exe", O_RDONLY);
	ck_assert_int_eq(read(fd, &header, sizeof header), sizeof header);
	close(fd);
	return header;
}

START_TEST(only_another_kind_of_program_is_foreign)
{
	Elf64_Ehdr header = own_header(), other;
	write_file(&header, sizeof header);
	ck_assert_uint_eq(room_of(), 0);
	other = header;
	other.e_machine = EM_S390;
	write_file(&other, sizeof other);
	ck_assert_uint_gt(room_of(), 0);
	other = header;
	other.e_ident[EI_CLASS] = ELFCLASS32;
	write_file(&other, sizeof other);
	ck_assert_uint_gt(room_of(), 0);
	other = header;
	other.e_ident[EI_DATA] = ELFDATA2MSB;
	write_file(&other, sizeof other);
	ck_assert_uint_gt(room_of(), 0);
	for (size_t n = 0; n < 20; n++) { /* cut short before it says what it is */
		write_file(&other, n);
		ck_assert_uint_eq(room_of(), 0);
	}
}
END_TEST

START_TEST(what_cannot_be_told_keeps_the_list)
{
	char line[512] = "#!";
	errno = 77;
	ck_assert_uint_eq(cg_preload_room(AT_FDCWD, NULL, 0, listed), 0);
	ck_assert_uint_eq(cg_preload_room(AT_FDCWD, "/nowhere", 0, listed), 0);
	ck_assert_uint_eq(cg_preload_room(-1, "", AT_EMPTY_PATH, listed), 0);
	ck_assert_uint_eq(cg_preload_room_in_path("no-such-program", listed), 0);
	ck_assert_uint_eq(cg_preload_room_in_path("", listed), 0);
	memset(line + 2, '/', sizeof line - 2); /* an interpreter whose name has no end */
	write_file(line, sizeof line);
	ck_assert_uint_eq(room_of(), 0);
	write_file("#!  \n", 5);
	ck_assert_uint_eq(room_of(), 0);
	strcpy(line + 2, file);
	write_file(line, strlen(line)); /* its own interpreter */
	ck_assert_uint_eq(room_of(), 0);
	unlink(file);
	ck_assert_int_eq(mkfifo(file, 0755), 0); /* which nobody writes to */
	ck_assert_uint_eq(room_of(), 0);
	ck_assert_int_eq(errno, 77);
}
END_TEST

START_TEST(nothing_is_asked_in_a_sandbox)
{
	Elf64_Ehdr other = own_header();
	other.e_machine = EM_S390;
	write_file(&other, sizeof other);
	ck_assert_uint_gt(room_of(), 0);
	atomic_store(&cg_guard.sealed, true);
	ck_assert_uint_eq(room_of(), 0);
	ck_assert_uint_eq(cg_preload_room_in_path("sh", listed), 0);
}
END_TEST

START_TEST(a_copy_shares_all_but_the_list)
{
	Elf64_Ehdr other = own_header();
	other.e_machine = EM_S390;
	write_file(&other, sizeof other);
	size_t room = room_of();
	char **place = malloc(room);
	char *const *copy = cg_preload_without(listed, place, room);
	ck_assert_ptr_eq(copy[0], listed[0]);
	ck_assert_str_eq(copy[1], "LD_PRELOAD=/b.so");
	ck_assert_ptr_eq(copy[2], listed[2]);
	ck_assert_ptr_null(copy[3]);
	char *const more[] = {(char *)"A=1", (char *)"B=2", (char *)"C=3", (char *)"LD_PRELOAD=/a/rather/long/list.so",
	                      (char *)"LD_PRELOAD=/another/list/that/is/long.so", NULL};
	copy = cg_preload_without(more, place, room); /* it has grown meanwhile */
	ck_assert_ptr_eq(copy[0], more[0]);
	free(place);
	char *const none[] = {(char *)"A=1", NULL};
	ck_assert_uint_eq(cg_preload_room(AT_FDCWD, file, 0, none), 0);
	ck_assert_uint_eq(cg_preload_room(AT_FDCWD, file, 0, NULL), 0);
}
END_TEST

START_TEST(an_environment_without_bounds_stays_as_it_is)
{
	static char *many[10001];
	Elf64_Ehdr other = own_header();
	other.e_machine = EM_S390;
	write_file(&other, sizeof other);
	for (int i = 0; i < 10000; i++)
		many[i] = listed[1];
	ck_assert_uint_eq(cg_preload_room(AT_FDCWD, file, 0, many), 0);
}
END_TEST

static const struct {
	const char *list, *others, *with_tokens;
} lists[] = {
    {"", "", ""},
    {"libcloseguard.so", "", ""},
    {"/x/libcloseguard.so.0", "", ""},
    {"/x/libcloseguard-dw.so", "/x/libcloseguard-dw.so", "/x/libcloseguard-dw.so"},
    {"a.so b.so", "a.so:b.so", "a.so:b.so"},
    {":: /x/libcloseguard.so  a.so:", "a.so", "a.so"},
    {"/libcloseguard.so/a.so", "/libcloseguard.so/a.so", "/libcloseguard.so/a.so"},
    {"$LIB/libcloseguard.so:a.so", "$LIB/libcloseguard.so:a.so", "a.so"},
};

START_TEST(only_our_entry_goes)
{
	char text[128];
	ck_assert_uint_eq(cg_preload_strip(lists[_i].list, text, false), strlen(lists[_i].others));
	ck_assert_str_eq(text, lists[_i].others);
	strcpy(text, lists[_i].list);
	cg_preload_strip(text, text, true);
	ck_assert_str_eq(text, lists[_i].with_tokens);
}
END_TEST

static void cases(TCase *tc)
{
	snprintf(file, sizeof file, "/tmp/closeguard-preload.%d", (int)getpid());
	cg_preload_init();
	tcase_add_checked_fixture(tc, NULL, remove_file);
	tcase_add_test(tc, only_another_kind_of_program_is_foreign);
	tcase_add_test(tc, what_cannot_be_told_keeps_the_list);
	tcase_add_test(tc, nothing_is_asked_in_a_sandbox);
	tcase_add_test(tc, a_copy_shares_all_but_the_list);
	tcase_add_test(tc, an_environment_without_bounds_stays_as_it_is);
	tcase_add_loop_test(tc, only_our_entry_goes, 0, (int)(sizeof lists / sizeof lists[0]));
}
