/* parse_path.c: opening a file that nobody else can have put there. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "parse.h"

enum { LINKS = 40 }; /* the kernel's own limit */

struct walk {
	char done[PATH_MAX]; /* what is known to be safe: a folder without links in its path, "" for / */
	char left[PATH_MAX]; /* what is still to be gone */
	unsigned links;
	char *why;
	size_t why_size;
};

static int __attribute__((format(printf, 2, 3))) fail(struct walk *walk, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(walk->why, walk->why_size, format, arguments);
	va_end(arguments);
	return -1;
}

/* The end of a long path says more than its beginning. */
static const char *tail(const char *path)
{
	enum { SHOWN = 200 };
	size_t n = strlen(path);
	return n > SHOWN ? path + n - SHOWN : path;
}

/*
 * In a folder with the sticky bit, others may make files but not touch these; so whose a file is decides, there as
 * everywhere.
 */
static int judge(struct walk *walk, const char *path, const struct stat *found)
{
	bool folder = S_ISDIR(found->st_mode);
	if (found->st_uid != 0 && found->st_uid != geteuid())
		return fail(walk, "%s belongs to user %u; only root's and user %u's are trusted", tail(path),
		            (unsigned)found->st_uid, (unsigned)geteuid());
	if (S_ISLNK(found->st_mode) || !(found->st_mode & (S_IWGRP | S_IWOTH)) || (folder && found->st_mode & S_ISVTX))
		return 0;
	return fail(walk, "%s%s may be written by others (mode %04o); `chmod go-w` makes it safe",
	            folder ? "the folder " : "", tail(path), (unsigned)found->st_mode & 07777);
}

/* Takes the next name off `left`; an empty one at the end. */
static void next_name(struct walk *walk, char name[NAME_MAX + 2])
{
	char *at = walk->left + strspn(walk->left, "/");
	size_t n = strcspn(at, "/"), kept = n <= NAME_MAX ? n : NAME_MAX + 1; /* one too long is still too long */
	memcpy(name, at, kept);
	name[kept] = '\0';
	memmove(walk->left, at + n, strlen(at + n) + 1);
}

static int follow(struct walk *walk, const char *path)
{
	char target[PATH_MAX], rest[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof target - 1);
	if (n < 0)
		return fail(walk, "%s: %s", tail(path), strerror(errno));
	target[n] = '\0';
	if (++walk->links > LINKS)
		return fail(walk, "%s: %s", tail(path), strerror(ELOOP));
	memcpy(rest, walk->left, sizeof rest);
	if (snprintf(walk->left, sizeof walk->left, "%s%s", target, rest) >= (int)sizeof walk->left)
		return fail(walk, "%s: %s", tail(path), strerror(ENAMETOOLONG));
	if (target[0] == '/')
		walk->done[0] = '\0';
	return 0;
}

/* Returns 1 where `done` has become the file's path, 0 where there is more to go, -1 with the reason. */
static int step(struct walk *walk)
{
	char name[NAME_MAX + 2], path[PATH_MAX + NAME_MAX + 2];
	struct stat found;
	next_name(walk, name);
	if (strcmp(name, "..") == 0 && strrchr(walk->done, '/'))
		*strrchr(walk->done, '/') = '\0';
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 0;
	if (!name[0])
		return fail(walk, "%s is a folder; a regular file is wanted", walk->done[0] ? tail(walk->done) : "/");
	snprintf(path, sizeof path, "%s/%s", walk->done, name);
	if (lstat(path, &found) < 0)
		return fail(walk, "%s: %s", tail(path), strerror(errno));
	if (judge(walk, path, &found) < 0)
		return -1;
	if (S_ISLNK(found.st_mode))
		return follow(walk, path);
	if (strlen(path) >= sizeof walk->done)
		return fail(walk, "%s: %s", tail(path), strerror(ENAMETOOLONG));
	memcpy(walk->done, path, strlen(path) + 1);
	if (S_ISDIR(found.st_mode))
		return 0;
	if (!S_ISREG(found.st_mode))
		return fail(walk, "%s is no regular file", tail(path)); /* opening a device may do things */
	return walk->left[0] == '\0' ? 1 : fail(walk, "%s: %s", tail(path), strerror(ENOTDIR));
}

static int open_done(struct walk *walk, struct stat *ret_stat)
{
	struct stat found;
	int fd = open(walk->done, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return fail(walk, "%s: %s", tail(walk->done), strerror(errno));
	if (fstat(fd, &found) < 0)
		fail(walk, "%s: %s", tail(walk->done), strerror(errno));
	else if (!S_ISREG(found.st_mode))
		fail(walk, "%s is no regular file", tail(walk->done));
	else if (judge(walk, walk->done, &found) == 0) {
		*ret_stat = found;
		return fd;
	}
	close(fd);
	return -1;
}

int cg_config_path_open(const char *path, struct stat *ret_stat, char *why, size_t size)
{
	struct walk walk = {.why = why, .why_size = size};
	struct stat root;
	if (strlen(path) >= sizeof walk.left)
		return fail(&walk, "%s: %s", tail(path), strerror(ENAMETOOLONG));
	memcpy(walk.left, path, strlen(path) + 1);
	if (lstat("/", &root) < 0 || judge(&walk, "/", &root) < 0)
		return -1;
	int at;
	while ((at = step(&walk)) == 0)
		continue;
	return at < 0 ? -1 : open_done(&walk, ret_stat);
}
