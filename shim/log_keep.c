/*
 * log_keep.c: a log's file that stays open, for a process that gives up the right to open it, or the root that it is
 * found from.
 *
 * So it is where the descriptors run out. It is in the program's table of descriptors, at a number of ours, and comes
 * to forked children. Rotation is not followed by it.
 */
#include "log_target.h"

#include <stdatomic.h>

#include "fmt.h"
#include "log.h"
#include "ownfd.h"
#include "sys.h"
#include "unshare.h"

#include <string.h>

static struct {
	_Atomic int number; /* descriptor + 1; 0: none */
	dev_t dev;
	ino_t ino;
	char path[CG_LOG_PATH_MAX];
} kept;

void cg_log_kept_open(const char *path, unsigned mode)
{
	struct stat st;
	struct cg_buf text;
	int old = atomic_load(&kept.number) - 1;
	if (old >= 0 && cg_ownfd_valid(old) && strcmp(path, kept.path) == 0)
		return;
	int fd = cg_log_file_open(path, mode, &st);
	if (fd < 0)
		return; /* of a change that follows a change, say: what is kept is all there is */
	atomic_store(&kept.number, 0);
	kept.dev = st.st_dev;
	kept.ino = st.st_ino;
	cg_buf_init(&text, kept.path, sizeof kept.path);
	cg_buf_str(&text, path);
	atomic_store(&kept.number, fd + 1);
	cg_ownfd_close(old);
}

const char *cg_log_kept_path(void)
{
	return atomic_load(&kept.number) ? kept.path : NULL;
}

/* The program may have put something of its own there. */
static bool is_kept(int fd)
{
	struct stat st;
	int flags = cg_sys_fcntl(fd, F_GETFL, 0);
	return flags >= 0 && (flags & O_APPEND) && cg_sys_fstat(fd, &st) == 0 && st.st_dev == kept.dev &&
	       st.st_ino == kept.ino;
}

/* In the program's own table, a duplicate might find no room. */
int cg_log_kept_append(const char *text, size_t len, uint64_t *lost)
{
	size_t written = 0;
	int number = atomic_load(&kept.number) - 1;
	bool takes = number >= 0 && cg_ownfd_unshared;
	int fd = number < 0 ? -EBADF : takes ? cg_unshare_take(number) : number, r = fd;
	if (fd >= 0)
		r = is_kept(fd) ? cg_log_pipe_write(fd, false, text, len, &written) : -EBADF;
	if (takes)
		cg_ownfd_close(fd);
	*lost += len - written;
	return r;
}
