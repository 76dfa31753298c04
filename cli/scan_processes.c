/*
 * scan_processes.c: which process holds which sockets, by /proc.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "procfs.h"
#include "scan.h"

struct walk {
	struct cg_scan *scan;
	const pid_t *pids;
	size_t count;
	int error; /* -ENOMEM */
};

static bool is_named(const struct walk *walk, pid_t pid)
{
	for (size_t i = 0; i < walk->count; i++)
		if (walk->pids[i] == pid)
			return true;
	return false;
}

/* The number in a link such as "net:[4026531840]"; 0 where it may not be read. */
static uint64_t space_of(pid_t pid)
{
	char path[64], text[64];
	cg_common_print(path, sizeof path, "/proc/%d/ns/net", pid);
	ssize_t n = readlink(path, text, sizeof text - 1);
	if (n < 0)
		return 0;
	text[n] = '\0';
	const char *bracket = strchr(text, '[');
	return bracket ? strtoull(bracket + 1, NULL, 10) : 0;
}

static void read_name(pid_t pid, char name[32])
{
	char path[64];
	cg_common_print(path, sizeof path, "/proc/%d/comm", pid);
	FILE *comm = fopen(path, "re");
	if (!comm || !fgets(name, 32, comm))
		cg_common_print(name, 32, "?");
	name[strcspn(name, "\n")] = '\0';
	if (comm)
		fclose(comm);
}

/* Kernel threads and zombies have no arguments, and hold nothing. Unlike the executable, everybody may read that. */
static bool has_arguments(pid_t pid)
{
	char path[64], byte;
	cg_common_print(path, sizeof path, "/proc/%d/cmdline", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t n = read(fd, &byte, 1);
	close(fd);
	return n > 0;
}

static int take_descriptor(int dir, const char *name, unsigned number, void *context)
{
	struct walk *walk = context;
	struct cg_scan *scan = walk->scan;
	uint64_t inode;
	if (cg_proc_socket_inode(dir, name, &inode) <= 0)
		return 0;
	struct cg_scan_hold *hold = cg_scan_grow(&scan->holds, &scan->hold_count, sizeof *hold);
	if (!hold)
		return walk->error = -ENOMEM;
	*hold = (struct cg_scan_hold){inode, (unsigned)(scan->process_count - 1), (int)number};
	return 0;
}

static int take_process(struct walk *walk, pid_t pid)
{
	struct cg_scan *scan = walk->scan;
	char path[64];
	struct cg_scan_process *process = cg_scan_grow(&scan->processes, &scan->process_count, sizeof *process);
	if (!process)
		return walk->error = -ENOMEM;
	process->pid = pid;
	process->space = space_of(pid);
	process->wanted = scan->all || is_named(walk, pid);
	read_name(pid, process->name);
	cg_common_print(path, sizeof path, "/proc/%d/fd", pid);
	int error = cg_proc_entries(AT_FDCWD, path, take_descriptor, walk);
	if (walk->error)
		return walk->error;
	if (error == -EACCES || error == -EPERM)
		scan->unreadable += has_arguments(pid);
	return error == -ESRCH ? -ENOENT : error;
}

static int visit_process(int dir, const char *name, unsigned number, void *context)
{
	struct walk *walk = context;
	(void)dir, (void)name;
	if ((pid_t)number == getpid())
		return 0;
	(void)take_process(walk, (pid_t)number);
	return walk->error;
}

static int by_inode(const void *a, const void *b)
{
	const struct cg_scan_hold *one = a, *other = b;
	if (one->inode != other->inode)
		return one->inode < other->inode ? -1 : 1;
	if (one->process != other->process)
		return one->process < other->process ? -1 : 1;
	return (one->fd > other->fd) - (one->fd < other->fd);
}

/* A process that was named is to be told of, so that it cannot be is the answer. */
static int check_named(pid_t pid)
{
	char path[64];
	cg_common_print(path, sizeof path, "/proc/%d/fd", pid);
	if (access(path, R_OK) == 0 && has_arguments(pid))
		return 0;
	int error = errno;
	cg_common_print(path, sizeof path, "/proc/%d", pid);
	if (access(path, F_OK) < 0)
		cg_common_complain("scan", "there is no process %d", pid);
	else if (!has_arguments(pid))
		cg_common_complain("scan", "process %d is a kernel thread or has ended: it holds no sockets", pid);
	else
		cg_common_complain("scan",
		                   "the descriptors of process %d may not be read (%s); run this as its user, as root "
		                   "or with CAP_SYS_PTRACE",
		                   pid, strerror(error));
	return -EACCES;
}

int cg_scan_processes(struct cg_scan *scan, const pid_t *pids, size_t count)
{
	struct walk walk = {.scan = scan, .pids = pids, .count = count};
	for (size_t i = 0; i < count; i++)
		if (check_named(pids[i]) < 0)
			return -EACCES;
	int error = cg_proc_entries(AT_FDCWD, "/proc", visit_process, &walk);
	if (error) {
		cg_common_complain("scan", "/proc: %s", strerror(-error));
		return error;
	}
	if (scan->hold_count)
		qsort(scan->holds, scan->hold_count, sizeof *scan->holds, by_inode);
	return 0;
}
