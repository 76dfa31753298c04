/* run_log.c: refuses a log that could not be written, before the program has run for an hour. */
#include "run_log.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

static int refuse(char why[CG_WHY_MAX], const char *path, const char *reason)
{
	(void)cg_common_print(why, CG_WHY_MAX, "%s: %s", cg_common_plain(path), reason);
	return -1;
}

/* A file that is there already. */
static int check_file(const char *path, char ret_why[CG_WHY_MAX])
{
	struct stat st;
	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : refuse(ret_why, path, strerror(errno));
	if (S_ISLNK(st.st_mode))
		return refuse(ret_why, path, "it is a symbolic link, which is not followed");
	if (S_ISDIR(st.st_mode))
		return refuse(ret_why, path, strerror(EISDIR));
	if (S_ISREG(st.st_mode) && st.st_nlink > 1)
		return refuse(ret_why, path, "it is a hard link, it has another name");
	return access(path, W_OK) < 0 ? refuse(ret_why, path, strerror(errno)) : 0;
}

int cg_run_log_check(const char *path, char ret_why[CG_WHY_MAX])
{
	char folder[PATH_MAX];
	struct stat st;
	const char *slash = strrchr(path, '/'), *percent = strchr(path, '%');
	if (!slash || (percent && percent < slash))
		return 0;
	if (cg_common_print(folder, sizeof folder, "%.*s", slash == path ? 1 : (int)(slash - path), path) < 0)
		return refuse(ret_why, path, strerror(ENAMETOOLONG));
	if (stat(folder, &st) < 0)
		return refuse(ret_why, path, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return refuse(ret_why, path, strerror(ENOTDIR));
	if (!percent && (check_file(path, ret_why) < 0))
		return -1;
	bool is_there = !percent && access(path, F_OK) == 0;
	return is_there || access(folder, W_OK | X_OK) == 0 ? 0 : refuse(ret_why, path, strerror(errno));
}
