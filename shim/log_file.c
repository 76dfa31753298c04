/* log_file.c: a batch appended to a file, as a whole or not at all. */
#include "log_target.h"

#include "ownfd.h"
#include "sys.h"

/*
 * Opened anew for each batch, so a rotated log is followed. Non-blocking for the sake of a FIFO that nobody reads; a
 * symbolic link may have been laid by somebody else in a directory that all can write to.
 */
static int open_log(const char *path, struct stat *ret)
{
	int flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
	int r = cg_log_trust_folder(path);
	if (r < 0)
		return r;
	int fd = cg_sys_open(path, flags, 0600);
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

int cg_log_file_append(const char *path, const char *text, size_t len, uint64_t *lost)
{
	struct stat before;
	size_t written = 0;
	int fd = open_log(path, &before);
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
