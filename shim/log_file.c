/* log_file.c: a batch appended to a file, as a whole or not at all. */
#include "log_target.h"

#include "ownfd.h"
#include "sys.h"

/*
 * Non-blocking for the sake of a FIFO that nobody reads; a symbolic link may have been laid by somebody else in a
 * directory that all can write to. The mode of a new file is what was asked for, not what umask leaves of it.
 */
static int open_or_make(const char *path, unsigned mode)
{
	int flags = O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
	int fd = cg_sys_open(path, flags, 0);
	if (fd != -ENOENT)
		return fd;
	fd = cg_sys_open(path, flags | O_CREAT | O_EXCL, mode);
	if (fd == -EEXIST)
		return cg_sys_open(path, flags, 0);
	if (fd >= 0 && mode != 0600)
		(void)CG_SYS3(SYS_fchmod, fd, mode, 0);
	return fd;
}

int cg_log_file_open(const char *path, unsigned mode, struct stat *ret)
{
	int r = cg_log_trust_folder(path);
	if (r < 0)
		return r;
	int fd = open_or_make(path, mode);
	if (fd < 0)
		return fd;
	fd = cg_ownfd_take(fd);
	r = cg_sys_fstat(fd, ret);
	if (r == 0)
		r = cg_log_trust_file(ret);
	if (r == 0)
		return fd;
	cg_ownfd_close(fd);
	return r;
}

/*
 * Cuts off what a full disk took of the batch. Not when others have appended meanwhile; that they do so between the
 * look and the cut is accepted, since on a full disk they can hardly succeed. Returns whether it was cut.
 */
static bool cut_back(int fd, const struct stat *before, size_t written)
{
	struct stat now;
	if (!S_ISREG(before->st_mode) || cg_sys_fstat(fd, &now) < 0)
		return false;
	return now.st_size == before->st_size + (off_t)written && cg_sys_ftruncate(fd, (uint64_t)before->st_size) == 0;
}

/* Opened anew for each batch, so a rotated log is followed. */
int cg_log_file_append(const char *path, unsigned mode, const char *text, size_t len, uint64_t *lost)
{
	struct stat before;
	size_t written = 0;
	int fd = cg_log_file_open(path, mode, &before);
	if (fd == -EMFILE || fd == -ENFILE)
		return fd;
	int r = fd;
	if (fd >= 0) {
		r = cg_log_pipe_write(fd, false, text, len, &written);
		if (r < 0 && written > 0 && cut_back(fd, &before, written))
			written = 0;
		cg_ownfd_close(fd);
	}
	*lost += len - written;
	return r < 0 ? r : 0;
}
