/* procfs_process.c: whether a process is there, how many threads it has and what they are called. */
#include "procfs.h"

#include <string.h>

#include "fmt.h"
#include "ownfd.h"
#include "sys.h"

/* The beginning of a file as text, as much as fits. Its length or -errno. */
static int read_start(const char *path, char *text, unsigned size)
{
	ssize_t n = 0;
	unsigned len = 0;
	int fd = cg_sys_open(path, O_RDONLY, 0);
	if (fd < 0)
		return fd;
	fd = cg_ownfd_take(fd);
	while (len < size - 1 && (n = cg_sys_pread(fd, text + len, size - 1 - len, (off_t)len)) > 0)
		len += (unsigned)n;
	cg_ownfd_close(fd);
	text[len] = 0;
	return n < 0 ? (int)n : (int)len;
}

const char *cg_proc_command(pid_t pid, char name[16])
{
	char path[48];
	struct cg_buf buf;
	cg_buf_init(&buf, path, sizeof(path));
	cg_buf_fmt(&buf, "/proc/%d/comm", pid);
	if (read_start(path, name, 16) > 0)
		name[strcspn(name, "\n")] = 0;
	else
		name[0] = 0;
	return name;
}

const char *cg_proc_thread_name(pid_t tid, char name[32])
{
	char path[48];
	struct cg_buf buf;
	cg_buf_init(&buf, path, sizeof(path));
	cg_buf_fmt(&buf, "/proc/self/task/%d/comm", tid);
	if (read_start(path, name, 32) > 0)
		name[strcspn(name, "\n")] = 0;
	else
		name[0] = 0;
	if (!name[0]) {
		cg_buf_init(&buf, name, 32);
		cg_buf_fmt(&buf, "tid %d", tid);
	}
	return name;
}

/* How far an environment has been read: how much of LD_PRELOAD= this variable began with, how much of our name came. */
struct environment {
	unsigned key, name;
	bool other; /* variable: not of interest up to its end */
};

/* Takes one byte in; true once our name has been seen. */
static bool take(struct environment *e, char c)
{
	static const char key[] = "LD_PRELOAD=", name[] = "libcloseguard.so";
	if (!c) {
		*e = (struct environment){0};
	} else if (key[e->key]) {
		e->other = e->other || c != key[e->key];
		e->key += !e->other;
	} else if (!e->other) {
		e->name = c == name[e->name] ? e->name + 1 : c == name[0];
	}
	return !name[e->name];
}

bool cg_proc_is_preloaded(pid_t pid)
{
	struct environment e = {0};
	char path[48], text[1024];
	struct cg_buf buf;
	ssize_t n;
	bool found = false;
	cg_buf_init(&buf, path, sizeof(path));
	cg_buf_fmt(&buf, "/proc/%d/environ", pid);
	int fd = cg_sys_open(path, O_RDONLY, 0);
	for (off_t at = 0; fd >= 0 && !found && (n = cg_sys_pread(fd, text, sizeof(text), at)) > 0; at += n)
		for (ssize_t i = 0; i < n && !found; i++)
			found = take(&e, text[i]);
	if (fd >= 0)
		cg_sys_close(fd);
	return found;
}

static uint64_t number_at(const char *at)
{
	uint64_t value = 0;
	for (; *at >= '0' && *at <= '9'; at++)
		value = value * 10 + (uint64_t)(*at - '0');
	return value;
}

/* The start of field n, counted from the state, which is field 3. NULL past the end. */
static const char *field(const char *state, unsigned n)
{
	for (unsigned i = 3; state && i < n; i++) {
		state = strchr(state, ' ');
		if (state)
			state++;
	}
	return state;
}

int cg_proc_stat(pid_t pid, struct cg_proc_stat *ret)
{
	char path[32] = "/proc/self/stat", text[1024];
	struct cg_buf buf;
	if (pid) {
		cg_buf_init(&buf, path, sizeof(path));
		cg_buf_fmt(&buf, "/proc/%d/stat", pid);
	}
	int r = read_start(path, text, sizeof(text));
	if (r < 0)
		return r == -ESRCH ? -ENOENT : r;
	const char *state = strrchr(text, ')'); /* a process may call itself ") Z 1" */
	if (!state || state[1] != ' ' || !field(state + 2, 23))
		return -EBADMSG;
	state += 2;
	ret->state = *state;
	ret->flags = number_at(field(state, 9));
	ret->threads = number_at(field(state, 20));
	ret->start = number_at(field(state, 22));
	return 0;
}

bool cg_proc_is_kernel_thread(const struct cg_proc_stat *stat)
{
	static const uint64_t kthread = 0x00200000; /* PF_KTHREAD, as /proc has shown it since 2.6.27 */
	return stat->flags & kthread;
}

uint64_t cg_proc_start_time(pid_t pid)
{
	struct cg_proc_stat stat;
	return cg_proc_stat(pid, &stat) < 0 ? 0 : stat.start;
}

bool cg_proc_alive(pid_t pid, uint64_t start)
{
	struct cg_proc_stat stat;
	if (pid <= 0)
		return false;
	if (cg_proc_stat(pid, &stat) < 0) {
		long r = CG_SYS3(SYS_kill, pid, 0, 0);
		return r == 0 || r == -EPERM;
	}
	/* A first thread that has ended is shown as a zombie too, while others go on. */
	bool ended = (stat.state == 'Z' || stat.state == 'X') && stat.threads <= 1;
	return !ended && (start == 0 || start == stat.start);
}

int cg_proc_threads(void)
{
	struct cg_proc_stat stat;
	int r = cg_proc_stat(0, &stat);
	return r < 0 ? r : (int)stat.threads;
}
