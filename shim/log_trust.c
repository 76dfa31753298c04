/*
 * log_trust.c: may a file of that name be appended to in the name of this process?
 *
 * A log is opened again for each batch, perhaps by root and perhaps where others may write: what they lay there, or let
 * the name lead to, must not be changed, nor may they read what was meant for the owner of the process.
 */
#include "log_target.h"

#include <string.h>

#include "fmt.h"
#include "log.h"
#include "sys.h"

enum { GROUPS_MAX = 256, OVERFLOW_UID = 65534 };

static bool is_trusted(uid_t owner)
{
	return owner == 0 || owner == cg_sys_getuid();
}

static bool is_own_group(gid_t group)
{
	gid_t groups[GROUPS_MAX];
	if (group == (gid_t)CG_SYS3(SYS_getegid, 0, 0, 0))
		return true;
	long n = CG_SYS3(SYS_getgroups, GROUPS_MAX, groups, 0);
	for (long i = 0; i < n; i++)
		if (groups[i] == group)
			return true;
	return false;
}

/* In a folder with the sticky bit others cannot touch what is ours, and what they lay there is seen as theirs. */
static int judge_folder(const struct stat *st)
{
	bool sticky = st->st_mode & S_ISVTX;
	/* Inside a user namespace, outer owners, root among them, are all the same nobody. */
	if (!is_trusted(st->st_uid) && !(sticky && st->st_uid == OVERFLOW_UID))
		return -CG_LOG_FOREIGN_FOLDER;
	if (sticky)
		return 0;
	if ((st->st_mode & S_IWOTH) || ((st->st_mode & S_IWGRP) && !is_own_group(st->st_gid)))
		return -CG_LOG_SHARED_FOLDER;
	return 0;
}

/*
 * The folder is looked at by its name: one that is exchanged between this look and the open is at the mercy of those
 * who can write above it, and the file itself is judged after it was opened.
 */
int cg_log_trust_folder(const char *path)
{
	char folder[CG_LOG_PATH_MAX];
	struct stat st;
	struct cg_buf text;
	const char *slash = strrchr(path, '/');
	cg_buf_init(&text, folder, sizeof folder);
	if (slash)
		cg_buf_bytes(&text, path, slash == path ? 1 : (size_t)(slash - path));
	else
		cg_buf_char(&text, '.');
	int r = cg_sys_fstatat(AT_FDCWD, folder, &st, 0);
	return r < 0 ? r : judge_folder(&st);
}

int cg_log_trust_file(const struct stat *st)
{
	if (S_ISBLK(st->st_mode))
		return -ENOTBLK;
	if (S_ISCHR(st->st_mode))
		return 0; /* a terminal belongs to whoever is logged in, and nothing is stored in it */
	if (!is_trusted(st->st_uid))
		return -CG_LOG_FOREIGN_FILE;
	return st->st_nlink > 1 ? -CG_LOG_HARD_LINK : 0;
}
