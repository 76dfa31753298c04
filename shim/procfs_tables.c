/* procfs_tables.c: the descriptor tables of a process and its threads. */
#include "procfs_tables.h"

#include <linux/kcmp.h>

#include "clock.h"
#include "fmt.h"
#include "procfs.h"
#include "sys.h"

enum {
	LOOKS_PER_CLOCK = 64, /* some 50 us */
	LEADER_ALONE = 3,     /* links of a task directory: its own two, and one for each thread */
	KNOWN_TABLES = 4      /* of one process, to which those of its other threads are compared */
};

struct process {
	struct cg_tables *tables;
	int proc; /* a descriptor of /proc */
	pid_t pid, caller;
	bool self;
	pid_t known[KNOWN_TABLES]; /* threads whose tables need no look any more */
	unsigned count;
};

int cg_tables_take_time(struct cg_tables *tables)
{
	bool ask = ++tables->looks % LOOKS_PER_CLOCK == 0;
	return ask && cg_clock_ns(CLOCK_THREAD_CPUTIME_ID) >= tables->deadline_ns ? -ETIME : 0;
}

/* What has gone since it was listed holds nothing; whatever else went wrong, it was not seen. */
static int outcome(int r)
{
	if (r >= 0 || r == -ENOENT || r == -ESRCH)
		return 0;
	return r == -ETIME ? -ETIME : -EACCES;
}

static int walk_link(int dir, const char *name, unsigned number, void *context)
{
	struct cg_tables *tables = context;
	uint64_t inode;
	(void)number;
	int r = cg_tables_take_time(tables);
	if (r < 0)
		return r;
	r = cg_proc_socket_inode(dir, name, &inode);
	if (r > 0)
		tables->visit(inode, tables->context);
	return outcome(r);
}

static int walk_table(const struct process *process, pid_t tid)
{
	char text[48];
	struct cg_buf path;
	cg_buf_init(&path, text, sizeof(text));
	cg_buf_fmt(&path, "%d/task/%d/fd", process->pid, tid);
	return outcome(cg_proc_entries(process->proc, text, walk_link, process->tables));
}

static void remember(struct process *process, pid_t tid)
{
	if (process->count < KNOWN_TABLES)
		process->known[process->count++] = tid;
}

/* Where kcmp is refused (by a container's filter, say): a thread that shares this one's table has `dir` in it too. */
static int shares_directory(int dir, pid_t tid)
{
	char text[48], target[1];
	struct cg_buf path;
	cg_buf_init(&path, text, sizeof(text));
	cg_buf_fmt(&path, "%d/fd/%d", tid, dir);
	ssize_t r = cg_sys_readlinkat(dir, text, target, sizeof(target));
	return r >= 0 ? 1 : r == -ENOENT ? 0 : (int)r;
}

/* 1: nothing new is to be seen in that thread's table, 0: it has to be looked at, -ENOSYS: the kernel does not tell. */
static int is_known(const struct process *process, int dir, pid_t tid)
{
	for (unsigned i = 0; i < process->count; i++) {
		bool comparable = !process->tables->numbers_differ;
		long r = comparable ? CG_SYS(SYS_kcmp, process->known[i], tid, KCMP_FILES, 0, 0, 0) : -EPERM;
		if (r == 0)
			return 1;
		if (r == -ENOSYS)
			return -ENOSYS;
		if (r < 0 && r != -ESRCH && process->self)
			return shares_directory(dir, tid);
	}
	return 0;
}

static int walk_thread(int dir, const char *name, unsigned number, void *context)
{
	struct process *process = context;
	pid_t tid = (pid_t)number;
	(void)name;
	int r = cg_tables_take_time(process->tables);
	if (r < 0 || tid == process->pid || tid == process->caller)
		return r;
	if (process->self && !process->count) {
		remember(process, tid);
		return 0;
	}
	r = is_known(process, dir, tid);
	/* A kernel that cannot compare: nothing says that a thread of ours keeps a table of its own. */
	if (r == 1 || (r == -ENOSYS && process->self))
		return 0;
	if (r < 0 && r != -ENOSYS)
		return outcome(r);
	r = walk_table(process, tid);
	if (r == 0)
		remember(process, tid);
	return r;
}

static int walk_threads(struct process *process)
{
	char text[32];
	struct cg_buf path;
	cg_buf_init(&path, text, sizeof(text));
	cg_buf_fmt(&path, "%d/task", process->pid);
	return outcome(cg_proc_entries(process->proc, text, walk_thread, process));
}

/* 0: its first thread runs a program; -ENOENT: that has ended, or is one of the kernel's. Or why that is not known. */
static int has_program(const struct process *process)
{
	char text[32], target[1];
	struct cg_buf path;
	cg_buf_init(&path, text, sizeof(text));
	cg_buf_fmt(&path, "%d/exe", process->pid);
	ssize_t r = cg_sys_readlinkat(process->proc, text, target, sizeof(target));
	return r < 0 ? (int)r : 0;
}

/* Negative where that cannot be known. */
static int thread_links(const struct process *process)
{
	struct stat st;
	char text[32];
	struct cg_buf path;
	cg_buf_init(&path, text, sizeof(text));
	cg_buf_fmt(&path, "%d/task", process->pid);
	int r = cg_sys_fstatat(process->proc, text, &st, 0);
	return r < 0 ? r : (int)st.st_nlink;
}

int cg_tables_of_process(struct cg_tables *tables, int proc, pid_t pid)
{
	struct process process = {.tables = tables, .proc = proc, .pid = pid};
	int links = thread_links(&process), first = links < 0 ? links : has_program(&process);
	if (links < 0 || (first < 0 && first != -ENOENT))
		return outcome(first);
	if (first == 0) {
		int r = walk_table(&process, pid);
		if (r < 0)
			return r;
		remember(&process, pid);
	}
	return links > LEADER_ALONE ? walk_threads(&process) : 0;
}

int cg_tables_of_self(struct cg_tables *tables, int proc, pid_t self)
{
	struct process process = {.tables = tables, .proc = proc, .pid = self, .caller = cg_sys_gettid(), .self = true};
	if (has_program(&process) == 0)
		remember(&process, self);
	return walk_threads(&process);
}
