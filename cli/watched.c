/*
 * watched.c: looks for the library in a process's maps, and for the process's recorder.
 */
#include "watched.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"
#include "environ.h"
#include "procfs.h"
#include "recorders.h"
#include "recording.h"

/* The path is the sixth field of a line, and the file's state is written behind it. */
static bool take_line(char *line, struct cg_watched *ret)
{
	static const char name[] = "/libcloseguard.so", deleted[] = " (deleted)";
	char *path = strchr(line, '/');
	line[strcspn(line, "\n")] = '\0';
	if (!path)
		return false;
	char *end = strstr(path, deleted);
	bool gone = end && end[sizeof deleted - 1] == '\0';
	if (gone)
		*end = '\0';
	size_t n = strlen(path), tail = sizeof name - 1;
	if (n < tail || strcmp(path + n - tail, name) != 0)
		return false;
	ret->loaded = 1;
	ret->replaced = gone;
	return cg_common_print(ret->library, sizeof ret->library, "%s", path) == 0;
}

static void look_into_maps(pid_t pid, struct cg_watched *ret)
{
	char path[64], *line = NULL;
	size_t size = 0;
	cg_common_print(path, sizeof path, "/proc/%d/maps", pid);
	FILE *maps = fopen(path, "re");
	if (!maps) {
		ret->loaded = -errno;
		return;
	}
	while (getline(&line, &size, maps) > 0 && !take_line(line, ret))
		;
	free(line);
	fclose(maps);
}

/* The pid that the process knows itself by, which is not ours for one in a container. */
static pid_t own_pid_of(pid_t pid)
{
	char path[64], line[256];
	pid_t own = pid;
	cg_common_print(path, sizeof path, "/proc/%d/status", pid);
	FILE *status = fopen(path, "re");
	if (!status)
		return pid;
	while (fgets(line, sizeof line, status)) {
		const char *last = strrchr(line, '\t');
		if (strncmp(line, "NSpid:", 6) == 0 && last)
			own = (pid_t)strtol(last, NULL, 10);
	}
	fclose(status);
	return own > 0 ? own : pid;
}

/* A recorder is the process's when the pid and the time of its start are: a pid alone is used again. */
static bool take_recorder(const struct cg_recorders *found, pid_t own, uint64_t start, struct cg_watched *ret)
{
	for (size_t i = 0; i < found->count; i++) {
		struct cg_header header;
		if (!cg_recording_peek(found->list[i].path, &header) || header.pid != own ||
		    header.process_start != start || header.state == CG_STATE_EXECED)
			continue;
		ret->header = header;
		ret->recorded = cg_common_print(ret->recorder, sizeof ret->recorder, "%s", found->list[i].path) == 0;
		return ret->recorded;
	}
	return false;
}

/* Does it see the files that we see, under the same names? */
static bool has_our_root(pid_t pid)
{
	char path[64];
	struct stat its, ours;
	cg_common_print(path, sizeof path, "/proc/%d/root", pid);
	return stat(path, &its) == 0 && stat("/", &ours) == 0 && its.st_dev == ours.st_dev && its.st_ino == ours.st_ino;
}

/* In a directory as the process sees it, which may be inside its container. */
static void look_into(const char *dir, uid_t owner, pid_t pid, pid_t own, uint64_t start, struct cg_watched *ret)
{
	struct cg_recorders found = {0};
	char path[PATH_MAX], root[64] = "";
	if (!has_our_root(pid))
		cg_common_print(root, sizeof root, "/proc/%d/root", pid);
	if (cg_common_print(path, sizeof path, "%s%s", root, dir) == 0 &&
	    cg_recorders_find(path, owner, own, &found) == 0)
		take_recorder(&found, own, start, ret);
	cg_recorders_free(&found);
}

static void look_inside(pid_t pid, pid_t own, uint64_t start, struct cg_watched *ret)
{
	char dir[PATH_MAX / 2], owner[64];
	struct stat st;
	cg_common_print(owner, sizeof owner, "/proc/%d", pid);
	if (stat(owner, &st) < 0)
		return;
	if (cg_environ_get(pid, "CLOSEGUARD_DIR", dir, sizeof dir) < 0 || *dir != '/')
		cg_common_print(dir, sizeof dir, "/dev/shm/closeguard-%u", st.st_uid);
	look_into(dir, st.st_uid, pid, own, start, ret);
}

void cg_watched_look(pid_t pid, struct cg_watched *ret)
{
	struct cg_recorders found = {0};
	uint64_t start = cg_proc_start_time(pid);
	pid_t own = own_pid_of(pid);
	*ret = (struct cg_watched){.loaded = 0};
	look_into_maps(pid, ret);
	if (cg_recorders_find_process(pid, &found) == 0)
		ret->searched = take_recorder(&found, pid, start, ret);
	cg_recorders_free(&found);
	if (!ret->recorded)
		look_inside(pid, own, start, ret);
}
