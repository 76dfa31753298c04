/*
 * scan_spaces.c: which network namespaces there are, and which of them to look into.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"
#include "scan.h"

static struct cg_scan_space *find(struct cg_scan *scan, uint64_t inode)
{
	for (size_t i = 0; i < scan->space_count; i++)
		if (scan->spaces[i].inode == inode)
			return &scan->spaces[i];
	return NULL;
}

static struct cg_scan_space *add(struct cg_scan *scan, uint64_t inode, pid_t pid)
{
	struct cg_scan_space *space = cg_scan_grow(&scan->spaces, &scan->space_count, sizeof *space);
	if (space)
		*space = (struct cg_scan_space){.inode = inode, .pid = pid};
	return space;
}

int cg_scan_spaces(struct cg_scan *scan, bool all)
{
	struct stat own;
	if (stat("/proc/self/ns/net", &own) < 0)
		own.st_ino = 0; /* a kernel without namespaces: all are in the one there is */
	struct cg_scan_space *ours = add(scan, own.st_ino, 0);
	if (!ours)
		return -ENOMEM;
	ours->wanted = scan->all;
	for (size_t i = 0; i < scan->process_count; i++) {
		const struct cg_scan_process *process = &scan->processes[i];
		uint64_t inode = process->space ? process->space : own.st_ino;
		struct cg_scan_space *space = find(scan, inode);
		if (!space)
			space = add(scan, inode, process->pid);
		if (!space)
			return -ENOMEM;
		space->processes++;
		space->wanted |= all || (process->wanted && !scan->all);
	}
	for (size_t i = 0; i < scan->space_count; i++)
		if (!scan->spaces[i].wanted)
			scan->elsewhere += scan->spaces[i].processes;
	return 0;
}
