/*
 * log_stderr.c: stderr, if descriptor 2 still is it.
 *
 * A daemon closes 0, 1 and 2, and the next thing that it opens gets the number: a client's connection, a database.
 * So text goes to a private duplicate whose identity was checked after duplicating.
 */
#include "log_target.h"

#include "fmt.h"
#include "ownfd.h"
#include "procfs.h"
#include "sys.h"
#include "unshare.h"

#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

static struct {
	bool called;  /* cg_log_stderr_remember was */
	bool is_open; /* else whatever has number 2 later has it by chance */
	dev_t dev;
	ino_t ino;
} remembered;

static bool is_internet_socket(int fd)
{
	struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
	unsigned len = sizeof(address);
	int r = cg_sys_getsockname(fd, &address, &len);
	return r < 0 || address.ss_family == AF_INET || address.ss_family == AF_INET6;
}

/* A file that is read and written anywhere (a database, say) and got the number; logs are written at their end. */
static bool is_data_file(int fd, const struct stat *now)
{
	int flags = cg_sys_fcntl(fd, F_GETFL, 0);
	return S_ISBLK(now->st_mode) || (S_ISREG(now->st_mode) && now->st_nlink > 0 && flags >= 0 &&
	                                 (flags & O_ACCMODE) == O_RDWR && !(flags & O_APPEND));
}

/*
 * A socket or data file that has come to descriptor 2 since the first call is not adopted: in a forked child it is more
 * likely a client's connection or a database than a log.
 */
void cg_log_stderr_remember(void)
{
	struct stat now;
	bool is_open = cg_sys_fstat(2, &now) == 0;
	if (is_open && remembered.called && (S_ISSOCK(now.st_mode) || is_data_file(2, &now)))
		return;
	remembered.called = true;
	remembered.is_open = is_open;
	remembered.dev = is_open ? now.st_dev : 0;
	remembered.ino = is_open ? now.st_ino : 0;
}

/* Text may be put into it: it is what it was, or something that a program may well have made its stderr since. */
static bool is_stderr(int fd, const struct stat *now)
{
	bool same = remembered.is_open && now->st_dev == remembered.dev && now->st_ino == remembered.ino;
	if (remembered.called && !remembered.is_open)
		return false;
	if (S_ISSOCK(now->st_mode))
		return same && !is_internet_socket(fd); /* inetd gives its services the client as stderr */
	return same || !is_data_file(fd, now);
}

static bool is_terminal(int fd, const struct stat *now)
{
	struct termios settings;
	return S_ISCHR(now->st_mode) && cg_sys_ioctl(fd, TCGETS, &settings) == 0;
}

/* Was the file opened for appending? Else it is written where its own offset stands, which one opened anew lacks. */
static bool appends(const char *fdinfo)
{
	char text[128];
	int fd = cg_sys_open(fdinfo, O_RDONLY, 0), flags = 0;
	ssize_t n = fd < 0 ? -1 : cg_sys_pread(fd, text, sizeof(text) - 1, 0);
	if (fd >= 0)
		cg_sys_close(fd);
	text[n > 0 ? n : 0] = '\0';
	const char *at = strstr(text, "flags:");
	at = at ? at + strcspn(at, "01234567") : "";
	for (; *at >= '0' && *at <= '7'; at++)
		flags = flags * 8 + (*at - '0');
	return flags & O_APPEND;
}

static void name_stderr(char name[64], const char *directory)
{
	struct cg_buf buf;
	cg_buf_init(&buf, name, 64);
	cg_buf_fmt(&buf, "%s/%s/2", cg_proc_table(), directory);
}

/* From a table of our own: a pipe, a terminal or a log by its name in /proc, where it cannot be taken over. */
static int take_from_program(void)
{
	char name[64], info[64];
	struct stat now;
	int fd = cg_unshare_take(2);
	if (fd >= 0 || fd == -EBADF)
		return fd;
	name_stderr(name, "fd");
	name_stderr(info, "fdinfo");
	int r = cg_sys_fstatat(AT_FDCWD, name, &now, 0);
	if (r < 0)
		return r == -ENOENT ? -EBADF : r;
	if (S_ISREG(now.st_mode) && appends(info))
		return cg_sys_open(name, O_WRONLY | O_APPEND, 0);
	if (S_ISFIFO(now.st_mode) || S_ISCHR(now.st_mode))
		return cg_sys_open(name, O_WRONLY | O_NONBLOCK | O_NOCTTY, 0);
	return -EPERM;
}

bool cg_log_stderr_needs_table(void)
{
	struct stat now;
	if (cg_sys_fstat(2, &now) < 0 || S_ISSOCK(now.st_mode))
		return cg_sys_fcntl(2, F_GETFD, 0) >= 0;
	if (S_ISREG(now.st_mode) && !(cg_sys_fcntl(2, F_GETFL, 0) & O_APPEND))
		return true;
	return CG_SYS3(SYS_faccessat, AT_FDCWD, "/proc/self/fd/2", W_OK) < 0;
}

/* Number 2 itself serves where no duplicate can be had: out of descriptors is when there is something to tell. */
static int duplicate(void)
{
	if (cg_ownfd_unshared)
		return take_from_program();
	int fd = cg_sys_fcntl(2, F_DUPFD_CLOEXEC, 3);
	if (fd == -EMFILE || fd == -EINVAL)
		return 2;
	return fd < 0 ? fd : cg_ownfd_take(fd);
}

static void close_private(int fd)
{
	if (fd != 2 || cg_ownfd_unshared)
		cg_ownfd_close(fd);
}

/*
 * Opens a pipe or terminal once more, non-blocking: the flag belongs to the open file description, which the app's
 * other descriptors share. Where that is not allowed (another user's pipe, no /proc) the old one serves, and a write
 * may block if someone else takes the room that poll has seen.
 */
static int reopen_nonblocking(int fd)
{
	char path[48];
	struct cg_buf buf;
	cg_buf_init(&buf, path, sizeof(path));
	cg_buf_fmt(&buf, "/proc/thread-self/fd/%d", fd);
	int own = cg_sys_open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY, 0);
	if (own < 0)
		return fd;
	close_private(fd);
	return cg_ownfd_take(own);
}

/* Returns a descriptor for what is to be written to, or -errno. */
static int open_private(bool *ret_is_socket)
{
	struct stat now;
	int fd = duplicate();
	if (fd < 0)
		return fd;
	int r = cg_sys_fstat(fd, &now);
	if (r == 0 && !is_stderr(fd, &now))
		r = -EBADF;
	if (r < 0) {
		close_private(fd);
		return r;
	}
	*ret_is_socket = S_ISSOCK(now.st_mode);
	return S_ISFIFO(now.st_mode) || is_terminal(fd, &now) ? reopen_nonblocking(fd) : fd;
}

bool cg_log_stderr_is_terminal(void)
{
	struct stat now;
	int fd = duplicate();
	bool is = fd >= 0 && cg_sys_fstat(fd, &now) == 0 && is_terminal(fd, &now);
	if (fd >= 0)
		close_private(fd);
	return is;
}

int cg_log_stderr_write(const char *text, size_t len, uint64_t *lost)
{
	bool is_socket = false;
	size_t written = 0;
	int fd = open_private(&is_socket);
	int r = fd < 0 ? fd : cg_log_pipe_write(fd, is_socket, text, len, &written);
	if (fd >= 0)
		close_private(fd);
	*lost += len - written;
	return r;
}
