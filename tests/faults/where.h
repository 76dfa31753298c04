/* where.h: whose system call a seccomp notification tells of, by the mappings of the process and by who asks. */
#ifndef WHERE_H
#define WHERE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

enum { MAX_MODULES = 400, MAX_TASKS = 4096, MAX_NAME = 48 };

struct module {
	uint64_t start, end, offset;
	char name[MAX_NAME];
};

/* The code that one process has mapped; threads share it, so that it is found by the id of the process. */
struct process {
	pid_t tgid;
	int modules;
	struct module module[MAX_MODULES];
};

struct task {
	pid_t tid;
	bool sweeps;   /* the library's own thread */
	bool creating; /* it is making that thread: between the two sigprocmasks of ours around pthread_create */
	struct process *process;
};

static struct task tasks[MAX_TASKS];
static int task_count;

static pid_t tgid_of(pid_t tid)
{
	char path[48], line[256];
	pid_t tgid = tid;
	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	FILE *status = fopen(path, "re");
	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "Tgid: %d", &tgid) == 1)
			break;
	if (status)
		fclose(status);
	return tgid;
}

static void read_maps(struct process *process, pid_t tid)
{
	char path[48], line[4400], name[4200];
	snprintf(path, sizeof(path), "/proc/%d/maps", tid);
	FILE *maps = fopen(path, "re");
	process->modules = 0;
	while (maps && fgets(line, sizeof(line), maps) && process->modules < MAX_MODULES) {
		struct module *m = &process->module[process->modules];
		char mode[8];
		name[0] = '\0';
		if (sscanf(line, "%lx-%lx %7s %lx %*s %*s %4199s", &m->start, &m->end, mode, &m->offset, name) < 4 ||
		    !strchr(mode, 'x'))
			continue;
		const char *base = strrchr(name, '/');
		snprintf(m->name, sizeof(m->name), "%.47s", base ? base + 1 : name[0] ? name : "?");
		process->modules++;
	}
	if (maps)
		fclose(maps);
}

static struct task *task_of(pid_t tid)
{
	pid_t tgid;
	for (int i = 0; i < task_count; i++)
		if (tasks[i].tid == tid)
			return &tasks[i];
	if (task_count == MAX_TASKS)
		abort();
	struct task *task = &tasks[task_count];
	*task = (struct task){.tid = tid};
	tgid = tgid_of(tid);
	for (int i = 0; i < task_count; i++)
		if (tasks[i].process && tasks[i].process->tgid == tgid)
			task->process = tasks[i].process;
	if (!task->process)
		task->process = calloc(1, sizeof(*task->process));
	if (!task->process)
		abort();
	task->process->tgid = tgid;
	task_count++;
	return task;
}

/* A task is about to exec: what is known of its process holds no longer. A parent of a vfork keeps its own. */
static void forget_maps(struct task *task)
{
	task->process->modules = 0;
	task->sweeps = false;
}

static const struct module *module_at(struct task *task, uint64_t ip)
{
	for (int again = 0; again < 2; again++) {
		struct process *process = task->process;
		for (int i = 0; i < process->modules; i++)
			if (ip >= process->module[i].start && ip < process->module[i].end)
				return &process->module[i];
		if (!again)
			read_maps(process, task->tid);
	}
	return NULL;
}

#endif
