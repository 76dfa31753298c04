/*
 * recorders.c: looks for recorder files, named PID.NUMBER.rec.
 */
#include "recorders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "recording.h"

static void default_dir(uid_t uid, char *ret, size_t size)
{
	(void)cg_common_print(ret, size, "/dev/shm/closeguard-%u", uid);
}

const char *cg_recorders_dir(void)
{
	static char dir[PATH_MAX];
	const char *chosen = getenv("CLOSEGUARD_DIR");
	if (chosen && *chosen)
		return chosen;
	default_dir(geteuid(), dir, sizeof dir);
	return dir;
}

uid_t cg_recorders_dir_owner(void)
{
	const char *chosen = getenv("CLOSEGUARD_DIR");
	return chosen && *chosen ? CG_ANY_USER : geteuid();
}

const char *cg_recorders_error(int error)
{
	return error == -EPERM ? "it belongs to another user than the one whose recorders it should have"
	                       : strerror(-error);
}

/* The pid that a recorder's name begins with; 0: the name is none of a recorder. */
static pid_t pid_of(const char *name)
{
	char *end;
	long pid = *name >= '1' && *name <= '9' ? strtol(name, &end, 10) : 0;
	if (pid <= 0 || pid > INT_MAX || *end != '.')
		return 0;
	size_t digits = strspn(end + 1, "0123456789abcdef");
	return digits && strcmp(end + 1 + digits, ".rec") == 0 ? (pid_t)pid : 0;
}

int cg_recorders_add(struct cg_recorders *recorders, const char *path)
{
	struct cg_recorder *list = realloc(recorders->list, (recorders->count + 1) * sizeof *list);
	if (!list)
		return -ENOMEM;
	recorders->list = list;
	list[recorders->count] = (struct cg_recorder){.path = strdup(path)};
	if (!list[recorders->count].path)
		return -ENOMEM;
	recorders->count++;
	return 0;
}

void cg_recorders_free(struct cg_recorders *recorders)
{
	for (size_t i = 0; i < recorders->count; i++)
		free(recorders->list[i].path);
	free(recorders->list);
}

static int by_age(const void *a, const void *b)
{
	const struct cg_recorder *one = a, *other = b;
	if (one->started != other->started)
		return one->started < other->started ? 1 : -1;
	return strcmp(one->path, other->path);
}

static void sort(struct cg_recorder *list, size_t count)
{
	struct cg_header header;
	for (size_t i = 0; i < count; i++) {
		list[i].searched = true;
		list[i].started = cg_recording_peek(list[i].path, &header) ? header.start_realtime_ns : 0;
	}
	qsort(list, count, sizeof *list, by_age);
}

/* A symbolic link in place of the directory is somebody else's doing: the library does not follow one either. */
static DIR *open_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir && fd >= 0) {
		int error = errno;
		close(fd);
		errno = error;
	}
	return dir;
}

/* One that is gone again is left to whoever wants to read it. */
static bool is_foreign(DIR *dir, const char *name, uid_t owner)
{
	struct stat st;
	return fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_uid != owner && st.st_uid != geteuid();
}

int cg_recorders_find(const char *dir, uid_t owner, pid_t pid, struct cg_recorders *recorders)
{
	char path[PATH_MAX + NAME_MAX];
	struct stat st;
	size_t before = recorders->count;
	DIR *open = open_dir(dir);
	if (!open)
		return errno == ENOENT ? 0 : -errno;
	int error = fstat(dirfd(open), &st) < 0 ? -errno : 0;
	if (!error && owner != CG_ANY_USER && st.st_uid != owner && st.st_uid != geteuid())
		error = -EPERM;
	for (struct dirent *entry; !error && (entry = readdir(open)) != NULL;) {
		pid_t of = pid_of(entry->d_name);
		if (!of || (pid && of != pid))
			continue;
		if (is_foreign(open, entry->d_name, st.st_uid)) {
			recorders->foreign++;
			continue;
		}
		error = cg_common_print(path, sizeof path, "%s/%s", dir, entry->d_name);
		if (!error)
			error = cg_recorders_add(recorders, path);
	}
	closedir(open);
	if (recorders->count > before)
		sort(recorders->list + before, recorders->count - before);
	return error;
}

int cg_recorders_find_process(pid_t pid, struct cg_recorders *recorders)
{
	char path[64];
	struct stat st;
	size_t before = recorders->count;
	int error = cg_recorders_find(cg_recorders_dir(), cg_recorders_dir_owner(), pid, recorders);
	if (error || recorders->count > before)
		return error;
	if (cg_common_print(path, sizeof path, "/proc/%d", pid) < 0 || stat(path, &st) < 0 || st.st_uid == geteuid())
		return 0;
	uid_t owner = st.st_uid;
	default_dir(owner, path, sizeof path);
	return cg_recorders_find(path, owner, pid, recorders);
}
