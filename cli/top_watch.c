/*
 * top_watch.c: looks which recorders there are, and reads them.
 */
#include "top_watch.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "clock.h"

/* Folders of users who have just begun are found so much later; within a known one, a change of its time tells. */
static const uint64_t list_again_ns = 3000000000u;

/* Its process may be only making it. */
static const uint64_t settled_s = 2;

static void forget_dirs(struct cg_top_watch *watch)
{
	for (unsigned i = 0; i < watch->dir_count; i++)
		free(watch->dirs[i]);
	watch->dir_count = 0;
}

static struct timespec time_of(const char *path)
{
	struct stat st;
	struct timespec never = {0};
	return stat(path, &st) == 0 ? st.st_mtim : never;
}

static void add_dir(struct cg_top_watch *watch, const char *path)
{
	if (watch->dir_count == CG_TOP_WATCH_DIRS || !(watch->dirs[watch->dir_count] = strdup(path)))
		return;
	watch->changed[watch->dir_count] = time_of(path);
	watch->dir_count++;
}

/* The user whose number is in a folder's name; false where there is none. */
static bool user_in(const char *path, uid_t *ret)
{
	const char *dash = strrchr(path, '-');
	char *end;
	unsigned long uid = dash ? strtoul(dash + 1, &end, 10) : 0;
	*ret = (uid_t)uid;
	return dash && dash[1] && !*end && uid < CG_ANY_USER;
}

/* A folder with another user's name on it is somebody's trap: it is told, and not looked into. */
static bool is_users_own(struct cg_top_watch *watch, const char *path)
{
	struct stat st;
	uid_t uid;
	if (!user_in(path, &uid) || lstat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return false;
	if (st.st_uid != uid)
		(void)cg_common_print(watch->foreign, sizeof watch->foreign, "%s is left out: %s", path,
		                      cg_recorders_error(-EPERM));
	return st.st_uid == uid;
}

static uid_t owner_of(const struct cg_top_watch *watch, unsigned dir)
{
	uid_t uid;
	if (dir == 0)
		return cg_recorders_dir_owner();
	return user_in(watch->dirs[dir], &uid) ? uid : geteuid();
}

/* Where a folder was chosen that one, else this user's, and whoever may read them sees the others' too. */
static void find_dirs(struct cg_top_watch *watch)
{
	const char *chosen = getenv("CLOSEGUARD_DIR"), *own = cg_recorders_dir();
	glob_t found;
	forget_dirs(watch);
	add_dir(watch, own);
	if ((chosen && *chosen) || glob("/dev/shm/closeguard-[0-9]*", 0, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		if (strcmp(found.gl_pathv[i], own) != 0 && is_users_own(watch, found.gl_pathv[i]))
			add_dir(watch, found.gl_pathv[i]);
	globfree(&found);
}

/* A file that came within the same moment as the last look would not change the time: such a moment is looked at again.
 */
static bool has_changed(const struct cg_top_watch *watch)
{
	uint64_t now_s = cg_clock_realtime() / 1000000000u;
	for (unsigned i = 0; i < watch->dir_count; i++) {
		struct timespec at = time_of(watch->dirs[i]);
		bool same = at.tv_sec == watch->changed[i].tv_sec && at.tv_nsec == watch->changed[i].tv_nsec;
		if (!same || (uint64_t)at.tv_sec + 1 >= now_s)
			return true;
	}
	return false;
}

/* Of other users' folders, those that may not be read are simply not ours to show. */
static int list_all(struct cg_top_watch *watch, struct cg_recorders *ret)
{
	find_dirs(watch);
	for (unsigned i = 0; i < watch->dir_count; i++) {
		int error = cg_recorders_find(watch->dirs[i], owner_of(watch, i), 0, ret);
		if (error && i == 0) {
			(void)cg_common_print(watch->trouble, sizeof watch->trouble, "%s: %s", watch->dirs[i],
			                      cg_recorders_error(error));
			return error;
		}
	}
	return 0;
}

static int list_one(struct cg_top_watch *watch, struct cg_recorders *ret)
{
	int error = cg_recorders_find_process(watch->pid, ret);
	if (error)
		(void)cg_common_print(watch->trouble, sizeof watch->trouble, "%s: %s", cg_recorders_dir(),
		                      cg_recorders_error(error));
	return error;
}

static int list(struct cg_top_watch *watch, uint64_t now_ns)
{
	struct cg_recorders found = {0};
	if (!watch->pid && watch->listed_ns && now_ns - watch->listed_ns < list_again_ns && !has_changed(watch))
		return 0;
	watch->foreign[0] = '\0';
	int error = watch->pid ? list_one(watch, &found) : list_all(watch, &found);
	if (found.foreign)
		(void)cg_common_print(watch->foreign, sizeof watch->foreign,
		                      "recorders left out, since they belong to other users than their folder: %u",
		                      found.foreign);
	if (error) {
		cg_recorders_free(&found);
		return error;
	}
	cg_recorders_free(&watch->recorders);
	watch->recorders = found;
	watch->listed_ns = now_ns;
	return 0;
}

static void note_unreadable(struct cg_top_watch *watch, const char *path)
{
	struct cg_recording recording;
	struct stat st;
	if (stat(path, &st) < 0 || (uint64_t)st.st_mtime + settled_s > cg_clock_realtime() / 1000000000u)
		return;
	if (cg_recording_open(path, &recording, watch->trouble) == 0)
		cg_recording_close(&recording);
	else
		watch->unreadable++;
}

static int read_one(struct cg_top_watch *watch, const char *path, struct cg_top_sample *sample)
{
	struct cg_top_seen unseen = {0}, *seen = &unseen;
	struct cg_top_model *model = &watch->model;
	for (unsigned i = 0; i < model->process_count; i++)
		if (strcmp(model->processes[i]->path, path) == 0)
			seen = &model->processes[i]->seen;
	int error = cg_top_sample_read(path, seen, sample);
	if (error == -EINVAL)
		note_unreadable(watch, path);
	if (error)
		return 0;
	struct cg_top_process *process = cg_top_model_process(model, path);
	if (!process)
		return -ENOMEM;
	process->seen = *seen;
	return cg_top_model_put(model, process, sample);
}

/* The last one is told in full, in front of which stands how many there are. */
static void count_unreadable(struct cg_top_watch *watch)
{
	char last[sizeof watch->trouble];
	memcpy(last, watch->trouble, sizeof last);
	(void)cg_common_print(watch->trouble, sizeof watch->trouble, "%u recorders cannot be read: %s",
	                      watch->unreadable, last);
}

int cg_top_watch_refresh(struct cg_top_watch *watch, uint64_t now_ns)
{
	static struct cg_top_sample sample;
	watch->trouble[0] = '\0';
	watch->unreadable = 0;
	int error = list(watch, now_ns);
	if (error)
		return error;
	cg_top_model_begin(&watch->model, now_ns);
	for (size_t i = 0; !error && i < watch->recorders.count; i++)
		error = read_one(watch, watch->recorders.list[i].path, &sample);
	if (error)
		(void)cg_common_print(watch->trouble, sizeof watch->trouble, "%s", strerror(-error));
	else
		cg_top_model_end(&watch->model);
	if (watch->unreadable > 1)
		count_unreadable(watch);
	return error;
}

void cg_top_watch_free(struct cg_top_watch *watch)
{
	forget_dirs(watch);
	cg_recorders_free(&watch->recorders);
	cg_top_model_free(&watch->model);
}
