/* Where a policy's files may lie, what they may include, and what is noted of them. */
#include "policy_file.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>

/* Its only error is at `place` and holds `what`. */
static void fails(const char *name, const char *place, const char *what)
{
	char wanted[PATH_MAX];
	int count = load(name);
	snprintf(wanted, sizeof wanted, "%s/%s: ", folder, place);
	ck_assert_msg(count == 1 && strncmp(errors[0], wanted, strlen(wanted)) == 0 && strstr(errors[0], what),
	              "%d errors: %s; wanted %s%s", count, errors[0], wanted, what);
}

static void sub(const char *name)
{
	ck_assert_int_eq(mkdir(path_of(name), 0700), 0);
}

START_TEST(absent)
{
	fails("none.cfg", "none.cfg:1", "No such file");
	sub("d");
	fails("d", "d:1", "is a folder");
	put("f", "");
	fails("f/x.cfg", "f/x.cfg:1", "Not a directory");
}
END_TEST

START_TEST(writable_by_others)
{
	put("p.cfg", "version = 1;");
	chmod(path_of("p.cfg"), 0620);
	fails("p.cfg", "p.cfg:1", "may be written by others (mode 0620)");
	chmod(path_of("p.cfg"), 0602);
	fails("p.cfg", "p.cfg:1", "may be written by others (mode 0602)");
	chmod(path_of("p.cfg"), 0444);
	ck_assert_int_eq(load("p.cfg"), 0);
}
END_TEST

START_TEST(folder_writable_by_others)
{
	sub("d");
	sub("d/e");
	put("d/e/p.cfg", "version = 1;");
	ck_assert_int_eq(load("d/e/p.cfg"), 0);
	chmod(path_of("d"), 0770);
	fails("d/e/p.cfg", "d/e/p.cfg:1", "the folder");
	chmod(path_of("d"), 01777); /* as /tmp: others can neither replace nor remove what is ours */
	ck_assert_int_eq(load("d/e/p.cfg"), 0);
}
END_TEST

START_TEST(of_another_user)
{
	if (geteuid() != 0)
		SKIP("only root can give files away");
	sub("d");
	chmod(path_of("d"), 01777);
	put("d/p.cfg", "version = 1;");
	ck_assert_int_eq(chown(path_of("d/p.cfg"), 4711, 4711), 0);
	fails("d/p.cfg", "d/p.cfg:1", "belongs to user 4711");
	put("mine.cfg", "version = 1;");
	ck_assert_int_eq(symlink("../mine.cfg", path_of("d/link.cfg")), 0);
	ck_assert_int_eq(load("d/link.cfg"), 0);
	ck_assert_int_eq(lchown(path_of("d/link.cfg"), 4711, 4711), 0);
	fails("d/link.cfg", "d/link.cfg:1", "belongs to user 4711");
	ck_assert_int_eq(chown(path_of("d"), 4711, 4711), 0);
	fails("d/link.cfg", "d/link.cfg:1", "belongs to user 4711");
}
END_TEST

/* Links are followed, and what they lead through counts. */
START_TEST(by_way_of_links)
{
	sub("a");
	sub("b");
	put("b/p.cfg", "version = 1;");
	ck_assert_int_eq(symlink("../b", path_of("a/to_b")), 0);
	ck_assert_int_eq(symlink("./to_b/.././b//p.cfg", path_of("a/p.cfg")), 0);
	ck_assert_int_eq(load("a/p.cfg"), 0);
	char absolute[PATH_MAX];
	snprintf(absolute, sizeof absolute, "%s", path_of("a/p.cfg"));
	ck_assert_int_eq(symlink(absolute, path_of("abs.cfg")), 0);
	ck_assert_int_eq(load("abs.cfg"), 0);
	chmod(path_of("b"), 0777);
	fails("abs.cfg", "abs.cfg:1", "/b may be written by others");
	ck_assert_int_eq(symlink("loop.cfg", path_of("loop.cfg")), 0);
	fails("loop.cfg", "loop.cfg:1", "Too many levels");
}
END_TEST

START_TEST(no_regular_file)
{
	ck_assert_int_eq(mkfifo(path_of("pipe"), 0600), 0);
	fails("pipe", "pipe:1", "no regular file"); /* and is not waited for */
	ck_assert_int_eq(cg_policy_load("/dev/null", "app", &policy, errors, NOTES, warnings, NOTES, &warned), 1);
}
END_TEST

START_TEST(size)
{
	static char text[(1 << 20) + 2];
	memset(text, ' ', sizeof text);
	memcpy(text, "version = 1;", 12);
	put_bytes("p.cfg", text, 1 << 20);
	ck_assert_int_eq(load("p.cfg"), 0);
	put_bytes("p.cfg", text, (1 << 20) + 1);
	fails("p.cfg", "p.cfg:1", "larger than 1 MiB");
	put_bytes("part.cfg", text + 12, 1 << 19);
	memset(text, ' ', 12);
	memcpy(text, "@include \"part.cfg\"\n@include \"part.cfg\"\nversion = 1;", 53 - 1);
	put_bytes("p.cfg", text, 52);
	fails("p.cfg", "part.cfg:1", "with what it includes");
}
END_TEST

/* What would take libconfig's stack or time without bound. */
START_TEST(depth_and_number)
{
	static char text[100000];
	memset(text, '(', sizeof text);
	memcpy(text, "version = 1; x = ", 17);
	put_bytes("p.cfg", text, sizeof text);
	fails("p.cfg", "p.cfg:1", "more than 16 deep");
	size_t n = 0;
	for (unsigned i = 0; n + 20 < sizeof text; i++)
		n += (size_t)sprintf(text + n, "a%u=1\n", i);
	put_bytes("p.cfg", text, n);
	fails("p.cfg", "p.cfg:8193", "more than 8192 settings");
}
END_TEST

START_TEST(nul_bytes)
{
	put_bytes("p.cfg", "version = 1;\n\n\0mode = \"nonsense\";\n", 34);
	fails("p.cfg", "p.cfg:3", "NUL");
	put("p.cfg", "version = 1;\napp = \"a\\x00b\";\n");
	fails("p.cfg", "p.cfg:2", "\\x00");
}
END_TEST

START_TEST(includes)
{
	sub("d");
	put("p.cfg", "version = 1;\n@include \"d/one.cfg\" # a comment\nrules = (\n  @include \"d/rule.cfg\"\n, { "
	             "});\nmod = 1;\n");
	put("d/one.cfg", "@include \"two.cfg\"\nstacks = \"fp\";");
	put("d/two.cfg", "depth = 3;\n");
	put("d/rule.cfg", "{ match = { role = \"accepted\"; }; }\n");
	fails("p.cfg", "p.cfg:6", "mod: this key is unknown");
	put("p.cfg", "version = 1;\n@include \"d/one.cfg\"\nrules = (\n  @include \"d/rule.cfg\"\n, { });\n");
	ck_assert_int_eq(load("p.cfg"), 0);
	ck_assert_str_eq(policy.settings.stacks, "fp");
	ck_assert_str_eq(policy.settings.depth, "3");
	ck_assert_uint_eq(policy.file_count, 4);
	ck_assert_str_eq(policy.files[2].path, path_of("d/two.cfg"));
	ck_assert_uint_eq(policy.rules[0].file, 3);
	ck_assert_uint_eq(policy.rules[0].line, 1);
	ck_assert_uint_eq(policy.rules[1].file, 0);
	ck_assert_uint_eq(policy.rules[1].line, 5);
	put("d/two.cfg", "\n\ndepth = 99;\n");
	fails("p.cfg", "d/two.cfg:3", "depth: 99");
	put("d/rule.cfg", "{\n match = {\n role = ;\n};}");
	fails("p.cfg", "d/rule.cfg:3", "syntax error");
}
END_TEST

START_TEST(bad_includes)
{
	put("p.cfg", "version = 1;\n@include \"none.cfg\"\n");
	fails("p.cfg", "p.cfg:2", "@include: ");
	put("none.cfg", "depth = 3;");
	chmod(path_of("none.cfg"), 0666);
	fails("p.cfg", "p.cfg:2", "may be written by others");
	put("p.cfg", "version = 1; @include \"none.cfg\"\n");
	fails("p.cfg", "p.cfg:1", "at the beginning of a line");
	put("p.cfg", "version = 1;\n@include none.cfg\n");
	fails("p.cfg", "p.cfg:2", "in quotes");
	put("p.cfg", "version = 1;\n@include \"none.cfg\n\"");
	fails("p.cfg", "p.cfg:2", "on the same line");
	put("p.cfg", "version = 1;\n# @include \"x\"\n/*\n@include \"x\"\n*/ app = \"\n@include \\\"x\\\"\n\";");
	fails("p.cfg", "p.cfg:5", "app: ");
	put("p.cfg", "@include \"p.cfg\"\n");
	fails("p.cfg", "p.cfg:1", "includes itself");
	put("p.cfg", "\n@include \"q.cfg\"\n");
	put("q.cfg", "\n\n@include \"../");
	fails("p.cfg", "q.cfg:3", "in quotes");
	put("q.cfg", "\n\n@include \"p.cfg\"");
	fails("p.cfg", "q.cfg:3", "includes itself");
	put("q.cfg", "app = \"x");
	fails("p.cfg", "q.cfg:1", "no closing quote");
	put("q.cfg", "app = \"x\"; /*");
	fails("p.cfg", "q.cfg:1", "has no end");
}
END_TEST

START_TEST(too_many_includes)
{
	char name[32], text[64];
	for (unsigned i = 0; i < 10; i++) {
		sprintf(name, "%u.cfg", i);
		sprintf(text, "@include \"%u.cfg\"\n", i + 1);
		put(name, text);
	}
	fails("0.cfg", "8.cfg:1", "more than 8 deep");
	put("leaf", "");
	char *many = calloc(20, 20);
	for (unsigned i = 0; i < 16; i++)
		strcat(many, "@include \"leaf\"\n");
	put("p.cfg", many);
	free(many);
	fails("p.cfg", "p.cfg:16", "more than 16 files");
}
END_TEST

/* What the library compares to see that a file has changed. */
START_TEST(what_is_noted)
{
	put("p.cfg", "version = 1;\n");
	struct timespec times[2] = {{5, 6}, {1234567890, 987654321}};
	ck_assert_int_eq(utimensat(AT_FDCWD, path_of("p.cfg"), times, 0), 0);
	ck_assert_int_eq(symlink("p.cfg", path_of("link.cfg")), 0);
	ck_assert_int_eq(load("link.cfg"), 0);
	struct stat found;
	ck_assert_int_eq(stat(path_of("p.cfg"), &found), 0);
	ck_assert_uint_eq(policy.file_count, 1);
	ck_assert_str_eq(policy.files[0].path, path_of("link.cfg")); /* a link that is changed is a change, too */
	ck_assert_uint_eq(policy.files[0].dev, found.st_dev);
	ck_assert_uint_eq(policy.files[0].inode, found.st_ino);
	ck_assert_uint_eq(policy.files[0].size, 13);
	ck_assert_int_eq(policy.files[0].mtime_ns, INT64_C(1234567890987654321));
	ck_assert_int_eq(policy.files[0].ctime_ns, found.st_ctim.tv_sec * INT64_C(1000000000) + found.st_ctim.tv_nsec);
}
END_TEST

/* The app may change its folder afterwards. */
START_TEST(relative_paths)
{
	put("p.cfg", "version = 1;\nx = 1;");
	ck_assert_int_eq(chdir(folder), 0);
	ck_assert_int_eq(cg_policy_load("p.cfg", "app", &policy, errors, NOTES, warnings, NOTES, &warned), 1);
	ck_assert_ptr_eq(strstr(errors[0], "p.cfg:2: x: "), errors[0]);
	put("p.cfg", "version = 1;\n");
	ck_assert_int_eq(cg_policy_load("p.cfg", "app", &policy, errors, NOTES, warnings, NOTES, &warned), 0);
	ck_assert_str_eq(policy.files[0].path, path_of("p.cfg"));
}
END_TEST

START_TEST(leaves_no_descriptor)
{
	put("p.cfg", "version = 1;\n@include \"p.cfg\"");
	int before = open("/dev/null", O_RDONLY | O_CLOEXEC);
	close(before);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(load("p.cfg"), 1);
	int after = open("/dev/null", O_RDONLY | O_CLOEXEC);
	close(after);
	ck_assert_int_eq(before, after);
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_test(tc, absent);
	tcase_add_test(tc, writable_by_others);
	tcase_add_test(tc, folder_writable_by_others);
	tcase_add_test(tc, of_another_user);
	tcase_add_test(tc, by_way_of_links);
	tcase_add_test(tc, no_regular_file);
	tcase_add_test(tc, size);
	tcase_add_test(tc, depth_and_number);
	tcase_add_test(tc, nul_bytes);
	tcase_add_test(tc, includes);
	tcase_add_test(tc, bad_includes);
	tcase_add_test(tc, too_many_includes);
	tcase_add_test(tc, what_is_noted);
	tcase_add_test(tc, relative_paths);
	tcase_add_test(tc, leaves_no_descriptor);
}
