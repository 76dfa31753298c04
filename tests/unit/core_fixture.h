/* core_fixture.h: a recorder in a directory of its own for each case. */
#ifndef CORE_FIXTURE_H
#define CORE_FIXTURE_H

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guard.h"
#include "object.h"
#include "recorder.h"
#include "stack.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CORE_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CORE_SANITIZED 1
#endif
#endif
#ifndef CORE_SANITIZED
#define CORE_SANITIZED 0
#endif

#if defined(__SANITIZE_THREAD__)
#define CORE_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CORE_TSAN 1
#endif
#endif
#ifndef CORE_TSAN
#define CORE_TSAN 0
#endif

#define CORE_WARN_AFTER 5000000000u

static char core_base[48];
static char core_dir[64]; /* of this case */

/* On tmpfs where there is one, as recorders are. */
static inline void core_make_base(void)
{
	bool shm = access("/dev/shm", W_OK) == 0;
	snprintf(core_base, sizeof core_base, "%s/closeguard-test-core.XXXXXX", shm ? "/dev/shm" : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(core_base));
}

static inline void core_remove_base(void)
{
	char command[128];
	snprintf(command, sizeof command, "rm -rf '%s'", core_base);
	ck_assert_int_eq(system(command), 0);
}

static inline void core_make_dir(void)
{
	snprintf(core_dir, sizeof core_dir, "%s/%d", core_base, getpid());
	ck_assert_int_eq(mkdir(core_dir, 0700), 0);
}

/* What the library's constructor does before anything is recorded. */
static inline void core_watch(const char *dir)
{
	cg_guard_own();
	cg_object_init();
	atomic_store(&cg_guard.enabled, true);
	cg_recorder_configure(dir, "unit", CORE_WARN_AFTER);
}

static inline struct cg_header *core_start(void)
{
	core_watch(core_dir);
	struct cg_header *h = cg_recorder_start();
	ck_assert_ptr_nonnull(h);
	return h;
}

/* A copy of the stack with this id, until the next call in the thread; NULL for none. */
static inline const struct cg_stack_copy *core_stack(uint32_t id)
{
	static __thread struct cg_stack_copy copy;
	return cg_stack_read(id, &copy) ? &copy : NULL;
}

static inline void core_fixtures(TCase *tc)
{
	tcase_add_unchecked_fixture(tc, core_make_base, core_remove_base);
	tcase_add_checked_fixture(tc, core_make_dir, NULL);
}

/* How many entries a directory has; `last` gets the path of one of them, "" for none. */
static inline unsigned core_entries(const char *dir, char last[512])
{
	unsigned n = 0;
	DIR *stream = opendir(dir);
	last[0] = '\0';
	for (struct dirent *entry; stream && (entry = readdir(stream)) != NULL;) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(last, 512, "%s/%s", dir, entry->d_name);
		n++;
	}
	if (stream)
		closedir(stream);
	return n;
}

/* The state of this case's only file. */
static inline struct stat core_only_file(char path[512])
{
	struct stat st;
	ck_assert_uint_eq(core_entries(core_dir, path), 1);
	ck_assert_int_eq(lstat(path, &st), 0);
	return st;
}

/* A mount namespace of this case's own; false where that is not allowed. */
static inline bool core_private_mounts(void)
{
	return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

#endif
