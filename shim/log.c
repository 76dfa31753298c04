/* log.c: which target a batch goes to, and what happens when it does not arrive. */
#include "log.h"

#include "clock.h"
#include "fmt.h"
#include "log_target.h"
#include "ownfd.h"
#include "sys.h"

#include <string.h>
#include <sys/sysmacros.h>

enum kind { TO_STDERR, TO_NOTHING, TO_SYSLOG, TO_FILE };

static struct {
	enum kind kind;
	int pid;
	unsigned mode;
	uid_t uid; /* at the first cg_log_init */
	bool told; /* stderr knows that the target fails */
	uint64_t lost;
	char path[CG_LOG_PATH_MAX];
	char start_dir[CG_LOG_PATH_MAX]; /* where the app was at the first cg_log_init; "?" cannot be told */
} state;

/* %e and %h name one file in the directory that the user gave, never one elsewhere. */
static void put_name(struct cg_buf *path, const char *name)
{
	for (; *name; name++)
		cg_buf_char(path, *name == '/' ? '_' : *name);
}

/* "20260301T120000Z": RFC 3339 without what shells and other systems trip over in a file's name. */
static void put_start_time(struct cg_buf *path, uint64_t realtime_ns)
{
	char text[32];
	struct cg_buf full;
	cg_buf_init(&full, text, sizeof(text));
	cg_buf_rfc3339(&full, realtime_ns);
	for (const char *at = text; *at && *at != '.'; at++)
		if (*at != '-' && *at != ':')
			cg_buf_char(path, *at);
	cg_buf_char(path, 'Z');
}

static int put_letter(struct cg_buf *path, char letter, const struct cg_log_config *config)
{
	switch (letter) {
	case 'p':
		cg_buf_fmt(path, "%d", config->pid);
		return 0;
	case 'e':
		put_name(path, config->app);
		return 0;
	case 'h':
		put_name(path, config->host);
		return 0;
	case 't':
		put_start_time(path, config->start_realtime_ns);
		return 0;
	case '%':
		cg_buf_char(path, '%');
		return 0;
	}
	return -EINVAL;
}

static void remember_start_dir(void)
{
	if (!state.start_dir[0] && CG_SYS3(SYS_getcwd, state.start_dir, sizeof(state.start_dir), 0) < 0)
		state.start_dir[0] = '?';
}

/*
 * A relative path means the directory in which the app was started, also after it has gone to "/" as daemons do. Where
 * that directory cannot be told, the path stays relative.
 */
static void put_start_dir(struct cg_buf *path)
{
	if (state.start_dir[0] != '/')
		return;
	cg_buf_str(path, state.start_dir);
	cg_buf_char(path, '/');
}

static int expand(struct cg_buf *path, const struct cg_log_config *config)
{
	int r = 0;
	if (config->target[0] != '/')
		put_start_dir(path);
	for (const char *at = config->target; r == 0 && *at; at++) {
		if (*at == '%')
			r = put_letter(path, *++at, config);
		else
			cg_buf_char(path, *at);
	}
	return path->truncated ? -EINVAL : r;
}

static enum kind kind_of(const char *target)
{
	if (!target || !*target || strcmp(target, "stderr") == 0)
		return TO_STDERR;
	if (strcmp(target, "none") == 0)
		return TO_NOTHING;
	return strcmp(target, "syslog") == 0 ? TO_SYSLOG : TO_FILE;
}

int cg_log_init(const struct cg_log_config *config)
{
	char text[CG_LOG_PATH_MAX];
	struct cg_buf path;
	enum kind kind = kind_of(config->target);
	cg_buf_init(&path, text, sizeof(text));
	remember_start_dir();
	int r = kind == TO_FILE ? expand(&path, config) : 0;
	if (r < 0) {
		kind = TO_STDERR;
		cg_buf_init(&path, text, sizeof(text));
	}
	if (!state.pid)
		state.uid = cg_sys_getuid();
	if (config->pid != state.pid)
		state.lost = 0; /* a parent's loss */
	if (kind != state.kind || strcmp(text, state.path) != 0)
		state.told = false;
	state.kind = kind;
	state.pid = config->pid;
	state.mode = config->mode ? config->mode : 0600;
	memcpy(state.path, text, path.len + 1);
	cg_log_stderr_remember();
	return r;
}

/* strerror takes a lock and a locale. */
static const char *describe(int error)
{
	static const struct {
		int error;
		const char *text;
	} known[] = {
	    {-EACCES, "permission denied"},
	    {-EAGAIN, "its reader is stuck"},
	    {-ECONNREFUSED, "nobody listens"},
	    {-EDQUOT, "the disk quota is used up"},
	    {-EFBIG, "the file is too big"},
	    {-EISDIR, "it is a directory"},
	    {-ELOOP, "it is a symbolic link"},
	    {-EMFILE, "no free file descriptor"},
	    {-ENFILE, "too many open files"},
	    {-ENOENT, "no such file or directory"},
	    {-ENOSPC, "no space left"},
	    {-ENOTDIR, "a part of the path is no directory"},
	    {-ENXIO, "nobody reads"},
	    {-EPERM, "not permitted"},
	    {-EPIPE, "its reader has gone"},
	    {-EROFS, "read-only file system"},
	    {-CG_LOG_HARD_LINK, "it is a hard link, it has another name"},
	    {-CG_LOG_FOREIGN_FILE, "it belongs to another user"},
	    {-CG_LOG_FOREIGN_FOLDER, "its folder belongs to another user"},
	    {-CG_LOG_SHARED_FOLDER, "others may write to its folder"},
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].error == error)
			return known[i].text;
	return NULL;
}

/* What a file is refused for where its folder is out of reach, for want of rights or behind another root. */
static bool is_out_of_reach(int error)
{
	return error == -EACCES || error == -EPERM || error == -ENOENT || error == -ENOTDIR || error == -EROFS ||
	       error <= -CG_LOG_HARD_LINK;
}

static void tell_failure(int error, const char *instead)
{
	char text[2 * CG_LOG_PATH_MAX + 128];
	struct cg_buf line;
	uint64_t not_counted = 0;
	const char *why = describe(error);
	if (state.told || state.kind == TO_STDERR)
		return;
	state.told = true;
	cg_buf_init(&line, text, sizeof(text));
	if (!cg_log_stderr_is_terminal()) {
		cg_buf_rfc3339(&line, cg_clock_realtime());
		cg_buf_char(&line, ' ');
	}
	cg_buf_fmt(&line,
	           "closeguard: cannot write to %s: ", state.kind == TO_SYSLOG ? cg_log_syslog_path : state.path);
	if (why)
		cg_buf_str(&line, why);
	else
		cg_buf_fmt(&line, "error %d", -error);
	if (instead)
		cg_buf_fmt(&line, "; reports go to %s\n", instead);
	else
		cg_buf_str(&line, "; reports are lost until that is mended\n");
	cg_log_stderr_write(text, line.len, &not_counted);
}

/*
 * A server that was started by root and serves as another user cannot open what root could, nor find it after a chroot.
 * What was opened before takes it, be it a parent's log; else stderr does.
 */
static int write_elsewhere(int error, const char *text, size_t len, uint64_t *lost)
{
	const char *path = cg_log_kept_path();
	*lost = len;
	if (path) {
		*lost = 0;
		int r = cg_log_kept_append(text, len, lost);
		if (r == 0 && strcmp(path, state.path) != 0)
			tell_failure(error, path);
		if (*lost < len)
			return r; /* all or a part has arrived */
	}
	if (cg_sys_getuid() == state.uid)
		return error;
	tell_failure(error, "stderr, as the process has another user than at its start");
	*lost = 0;
	return cg_log_stderr_write(text, len, lost);
}

static int write_to_file(const char *text, size_t len)
{
	uint64_t lost = 0, untaken = 0;
	const char *kept = cg_log_kept_path();
	int r = cg_log_file_append(state.path, state.mode, text, len, &lost);
	if ((r == -EMFILE || r == -ENFILE) && kept && strcmp(kept, state.path) == 0 &&
	    cg_log_kept_append(text, len, &untaken) == 0)
		return 0;
	if (r < 0 && lost == len && is_out_of_reach(r))
		r = write_elsewhere(r, text, len, &lost);
	state.lost += lost;
	return r;
}

static int write_to_target(const char *text, size_t len)
{
	switch (state.kind) {
	case TO_STDERR:
		return cg_log_stderr_write(text, len, &state.lost);
	case TO_SYSLOG:
		return cg_log_syslog_send(text, len, state.pid, &state.lost);
	case TO_FILE:
		return write_to_file(text, len);
	case TO_NOTHING:
		break;
	}
	return 0;
}

/*
 * Gives the reserve back to the system, if it is still ours: the app may have closed its number in a sweep over all of
 * them and have something of its own there. Returns whether a descriptor is free now.
 */
static bool release_reserve(int *reserve_fd)
{
	struct stat now;
	if (!reserve_fd || *reserve_fd < 0)
		return false;
	bool ours = cg_sys_fstat(*reserve_fd, &now) == 0 && S_ISCHR(now.st_mode) && now.st_rdev == makedev(1, 3) &&
	            (cg_sys_fcntl(*reserve_fd, F_GETFD, 0) & FD_CLOEXEC);
	cg_ownfd_lose(*reserve_fd);
	if (ours)
		cg_sys_close(*reserve_fd);
	else
		*reserve_fd = -1;
	return ours;
}

/* The app may have been quicker, then there is none until the next time. */
static void take_reserve_again(int *reserve_fd)
{
	int fd = cg_sys_open("/dev/null", O_RDONLY, 0);
	*reserve_fd = fd < 0 ? -1 : cg_ownfd_take(fd);
}

static int write_and_tell(const char *text, size_t len)
{
	int r = write_to_target(text, len);
	if (r < 0 && r != -EMFILE && r != -ENFILE)
		tell_failure(r, NULL);
	return r;
}

static int write_with_reserve(const char *text, size_t len, int *reserve_fd)
{
	int r = write_and_tell(text, len);
	if (r != -EMFILE && r != -ENFILE)
		return r;
	if (release_reserve(reserve_fd)) {
		r = write_and_tell(text, len);
		take_reserve_again(reserve_fd);
	}
	if (r == -EMFILE || r == -ENFILE)
		state.lost += len;
	return r;
}

int cg_log_write(const char *text, size_t len, int *reserve_fd)
{
	struct cg_log_quiet quiet;
	if (len == 0 || state.kind == TO_NOTHING)
		return 0;
	cg_log_pipe_begin_quiet(&quiet);
	int r = write_with_reserve(text, len, reserve_fd);
	cg_log_pipe_end_quiet(&quiet);
	return r;
}

bool cg_log_needs_table(void)
{
	return state.kind == TO_STDERR && cg_log_stderr_needs_table();
}

void cg_log_keep(void)
{
	if (state.kind == TO_FILE && cg_sys_getuid() == 0)
		cg_log_kept_open(state.path, state.mode);
}

void cg_log_keep_in_full_table(void)
{
	if (state.kind == TO_FILE && !cg_ownfd_unshared)
		cg_log_kept_open(state.path, state.mode);
}

bool cg_log_takes_time(void)
{
	return state.kind == TO_FILE || (state.kind == TO_STDERR && !cg_log_stderr_is_terminal());
}

uint64_t cg_log_lost(void)
{
	uint64_t lost = state.lost;
	state.lost = 0;
	return lost;
}
