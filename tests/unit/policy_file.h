/* policy_file.h: policies written, loaded and looked at, in a folder of the test's own. */
#ifndef POLICY_FILE_H
#define POLICY_FILE_H

#include "unit.h"

#include "policy.h"

#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOTES = 64 };

static char folder[64];
static struct cg_policy policy;
static char errors[NOTES][CG_POLICY_LINE], warnings[NOTES][CG_POLICY_LINE];
static unsigned warned;

static void make_folder(void)
{
	strcpy(folder, "/tmp/closeguard-test.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
	char command[128];
	snprintf(command, sizeof command, "rm -rf %s", folder);
	ck_assert_int_eq(system(command), 0);
}

static const char *path_of(const char *name)
{
	static char path[PATH_MAX];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static void put_bytes(const char *name, const char *data, size_t size)
{
	unlink(path_of(name)); /* some filesystems wait for the disk where a file is written over */
	FILE *file = fopen(path_of(name), "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(data, 1, size, file), size);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod(path_of(name), 0600), 0);
}

static void __attribute__((unused)) put(const char *name, const char *text)
{
	put_bytes(name, text, strlen(text));
}

/* Loads a file of the folder; returns how many errors it has. */
static int __attribute__((unused)) load(const char *name)
{
	memset(errors, 0, sizeof errors);
	return cg_policy_load(path_of(name), "app", &policy, errors, NOTES, warnings, NOTES, &warned);
}

/* Loads the text as a policy of version 1; its first line is line 1 all the same. */
static int __attribute__((unused)) load_text(const char *text)
{
	char *whole;
	ck_assert_int_gt(asprintf(&whole, "version = 1; %s", text), 0);
	put("p.cfg", whole);
	free(whole);
	return load("p.cfg");
}

static void __attribute__((unused)) accepted(const char *text)
{
	int count = load_text(text);
	ck_assert_msg(count == 0, "%s: %s", text, errors[0]);
}

/* It has one error, which ends as `wanted` says behind "FOLDER/p.cfg:". */
static void __attribute__((unused)) refused(const char *text, const char *wanted)
{
	int count = load_text(text);
	ck_assert_msg(count == 1, "%s: %d errors: %s; %s", text, count, errors[0], errors[1]);
	size_t n = strlen(path_of("p.cfg"));
	ck_assert_msg(strncmp(errors[0], path_of("p.cfg"), n) == 0 &&
	                  strstr(errors[0] + n, wanted) == errors[0] + n + 1,
	              "%s: %s, wanted %s", text, errors[0], wanted);
}

#endif
