/* recorder_dir.c: the recorder's file, safe against symlinks and foreign owners. */
#include "recorder_dir.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "arena.h"
#include "clock.h"
#include "fmt.h"
#include "ownfd.h"
#include "procfs.h"
#include "recorder.h"
#include "sys.h"
#include "unshare.h"

enum { NAME_MAX_LEN = 64, PATH_LEN = 1024 + NAME_MAX_LEN };

struct linux_dirent64 {
	uint64_t ino;
	int64_t off;
	unsigned short reclen;
	unsigned char type;
	char name[];
};

static char directory[1024] CG_LARGE;
static char kept_path[PATH_LEN] CG_LARGE;
static int kept_fd = -1;
static struct stat kept_stat CG_LARGE;
static char trouble_text[256];
static _Atomic unsigned serial;

void cg_recorder_dir_set(const char *dir)
{
	struct cg_buf text;
	cg_buf_init(&text, directory, sizeof directory);
	cg_buf_str(&text, dir);
}

const char *cg_recorder_trouble(void)
{
	return trouble_text[0] ? trouble_text : NULL;
}

static int refuse(const char *dir, const char *why, int error)
{
	struct cg_buf text;
	cg_buf_init(&text, trouble_text, sizeof trouble_text);
	cg_buf_fmt(&text, "no recorder file in %s: %s", dir, why);
	if (error)
		cg_buf_fmt(&text, " (errno %d)", error);
	cg_buf_str(&text, "; memory is used instead, so nothing can be read from outside or after a crash");
	return -1;
}

/* The default depends on who we are now: a program may have changed its user since it started. */
static void directory_name(char *name, size_t size)
{
	struct cg_buf text;
	cg_buf_init(&text, name, size);
	if (directory[0])
		cg_buf_str(&text, directory);
	else
		cg_buf_fmt(&text, "/dev/shm/closeguard-%u", cg_sys_getuid());
}

/* -EPERM: it is not ours alone, so that others can have put there what they like. */
static int open_own_directory(const char *name)
{
	struct stat st;
	int dir = cg_sys_open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (dir >= 0 && (cg_sys_fstat(dir, &st) < 0 || st.st_uid != cg_sys_getuid() || (st.st_mode & 022))) {
		cg_sys_close(dir);
		return -EPERM;
	}
	return dir;
}

static int open_directory(const char *name)
{
	(void)cg_sys_mkdir(name, 0700);
	int dir = open_own_directory(name);
	if (dir == -EPERM)
		return refuse(name, "it belongs to somebody else or others may write to it", 0);
	return dir < 0 ? refuse(name, "it cannot be opened", -dir) : dir;
}

static void file_name(char *name, size_t size)
{
	struct cg_buf text;
	cg_buf_init(&text, name, size);
	cg_buf_fmt(&text, "%d.%llx%x.rec", cg_sys_getpid(), (unsigned long long)cg_clock_now() / 1000000,
	           atomic_fetch_add(&serial, 1));
}

/* A file size limit would turn our growing file into a SIGXFSZ for the app. */
static bool size_is_limited(void)
{
	struct rlimit limit;
	return CG_SYS(SYS_prlimit64, 0, RLIMIT_FSIZE, 0, &limit, 0, 0) < 0 || limit.rlim_cur != RLIM_INFINITY;
}

int cg_recorder_create_file(void)
{
	char dir_name[sizeof directory], name[NAME_MAX_LEN];
	directory_name(dir_name, sizeof dir_name);
	if (size_is_limited())
		return refuse(dir_name, "the size of files is limited here", 0);
	int dir = open_directory(dir_name);
	if (dir < 0)
		return -1;
	file_name(name, sizeof name);
	int fd = cg_sys_openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0 && cg_sys_fallocate(fd, 0, 0, CG_CHUNK_SIZE) < 0) {
		cg_sys_unlinkat(dir, name, 0);
		cg_sys_close(fd);
		fd = -ENOSPC;
	}
	cg_sys_close(dir);
	return fd < 0 ? refuse(dir_name, "a file cannot be made", -fd) : cg_ownfd_take(fd);
}

/* The name of an open file, as the kernel knows it. */
static bool path_of(int fd, char *path)
{
	char link[40];
	struct cg_buf text;
	cg_buf_init(&text, link, sizeof link);
	cg_buf_fmt(&text, "/proc/thread-self/fd/%d", fd);
	ssize_t n = fd < 0 ? -1 : cg_sys_readlinkat(AT_FDCWD, link, path, PATH_LEN - 1);
	path[n > 0 ? n : 0] = '\0';
	return n > 0 && path[0] == '/';
}

void cg_recorder_remove_file(int fd)
{
	char path[PATH_LEN];
	if (path_of(fd, path))
		cg_sys_unlinkat(AT_FDCWD, path, 0);
}

void cg_recorder_keep_file(int fd)
{
	kept_fd = cg_ownfd_unshared ? -1 : fd;
	(void)path_of(fd, kept_path);
	if (cg_sys_fstat(fd, &kept_stat) < 0)
		kept_path[0] = '\0';
}

/* fd, if it is that file; else closes it. */
static int only_kept(int fd)
{
	struct stat now;
	if (fd < 0)
		return fd;
	if (cg_sys_fstat(fd, &now) == 0 && now.st_dev == kept_stat.st_dev && now.st_ino == kept_stat.st_ino)
		return fd;
	cg_sys_close(fd);
	return -ESTALE;
}

int cg_recorder_reopen_file(int programs_fd)
{
	int fd = cg_ownfd_unshared && programs_fd >= 0 ? only_kept(cg_unshare_take(programs_fd)) : -EBADF;
	if (fd >= 0 || !kept_path[0])
		return fd;
	return only_kept(cg_sys_open(kept_path, O_RDWR | O_NOFOLLOW | O_NONBLOCK, 0));
}

void cg_recorder_remove_kept(void)
{
	if (kept_path[0])
		cg_sys_unlinkat(AT_FDCWD, kept_path, 0);
	kept_path[0] = '\0';
}

void cg_recorder_forget_file(void)
{
	cg_ownfd_close(kept_fd);
	kept_fd = -1;
	kept_path[0] = '\0';
}

uint64_t cg_recorder_process_start(void)
{
	return cg_proc_start_time(0);
}

/* Calls visit for each recorder in the directory, with its pid; stops at true. */
static bool each_recorder(int dir, bool (*visit)(int dir, const char *name, pid_t pid, void *context), void *context)
{
	char entries[4096] __attribute__((aligned(8)));
	for (;;) {
		ssize_t n = cg_sys_getdents64(dir, entries, sizeof entries);
		if (n <= 0)
			return false;
		for (ssize_t at = 0; at < n;) {
			struct linux_dirent64 *entry = (struct linux_dirent64 *)(void *)(entries + at);
			pid_t pid = 0;
			const char *c = entry->name;
			for (; *c >= '0' && *c <= '9' && pid < 1 << 24; c++)
				pid = pid * 10 + (*c - '0');
			if (pid && *c == '.' && strstr(c, ".rec") && visit(dir, entry->name, pid, context))
				return true;
			at += entry->reclen;
		}
	}
}

static bool with_directory(bool (*visit)(int dir, const char *name, pid_t pid, void *context), void *context)
{
	char dir_name[sizeof directory];
	directory_name(dir_name, sizeof dir_name);
	int dir = open_own_directory(dir_name);
	if (dir < 0)
		return false;
	bool found = each_recorder(dir, visit, context);
	cg_sys_close(dir);
	return found;
}

/* Reads the header of another process's recorder; false if it is none of this version. */
static bool read_header(int dir, const char *name, struct cg_header *ret)
{
	int fd = cg_sys_openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0);
	if (fd < 0)
		return false;
	struct stat st;
	bool ours = cg_sys_fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == cg_sys_getuid();
	ssize_t n = ours ? cg_sys_pread(fd, ret, sizeof *ret, 0) : 0;
	cg_sys_close(fd);
	return n == (ssize_t)sizeof *ret && memcmp(ret->magic, CG_RECORD_MAGIC, sizeof CG_RECORD_MAGIC) == 0 &&
	       ret->version == CG_RECORD_VERSION;
}

/* The dead whose recorders are kept, since something was said there that somebody may want to read. */
enum { DEAD_KEPT = 32, CLEANED_AT_ONCE = 8 };

struct dead {
	unsigned count;
	uint64_t oldest;
	char oldest_name[NAME_MAX_LEN];
};

/*
 * A recorder is rubbish when its process is gone, or has become another program, without anything having been said. A
 * failed exec sets the state back within microseconds, hence the ten seconds.
 */
static bool clean_one(int dir, const char *name, pid_t pid, void *context)
{
	static const uint64_t exec_settles_ns = 10000000000u;
	struct dead *dead = context;
	struct cg_header h;
	struct cg_buf text;
	if (!read_header(dir, name, &h))
		return false;
	bool execed =
	    atomic_load(&h.state) == CG_STATE_EXECED && cg_clock_now() - atomic_load(&h.state_ns) > exec_settles_ns;
	if (!execed && cg_proc_alive(pid, h.process_start))
		return false;
	if (!atomic_load(&h.spoken)) {
		cg_sys_unlinkat(dir, name, 0);
		return false;
	}
	if (!dead->count++ || h.start_realtime_ns < dead->oldest) {
		dead->oldest = h.start_realtime_ns;
		cg_buf_init(&text, dead->oldest_name, sizeof dead->oldest_name);
		cg_buf_str(&text, name);
	}
	return false;
}

static bool remove_named(int dir, const char *name, pid_t pid, void *context)
{
	(void)pid;
	return strcmp(name, context) == 0 && cg_sys_unlinkat(dir, name, 0) == 0;
}

void cg_recorder_clean_dir(void)
{
	for (unsigned i = 0; i < CLEANED_AT_ONCE; i++) {
		struct dead dead = {0};
		(void)with_directory(clean_one, &dead);
		if (dead.count <= DEAD_KEPT || !with_directory(remove_named, dead.oldest_name))
			return;
	}
}

static bool is_watched(int dir, const char *name, pid_t pid, void *context)
{
	struct cg_header h;
	return pid == *(const pid_t *)context && read_header(dir, name, &h) && atomic_load(&h.state) == CG_STATE_LIVE &&
	       cg_proc_alive(pid, h.process_start);
}

bool cg_recorder_watches(pid_t pid)
{
	return with_directory(is_watched, &pid);
}
