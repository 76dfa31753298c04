/*
 * recording_owner.c: whose word a recorder is.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "recording.h"

enum { USERS = 4 }; /* real, effective, saved, of the file system */

static bool users_of(pid_t pid, unsigned users[USERS])
{
	char path[64], line[256];
	bool found = false;
	(void)cg_common_print(path, sizeof path, "/proc/%d/status", (int)pid);
	FILE *status = fopen(path, "re");
	while (status && !found && fgets(line, sizeof line, status))
		found = sscanf(line, "Uid: %u %u %u %u", &users[0], &users[1], &users[2], &users[3]) == USERS;
	if (status)
		fclose(status);
	return found;
}

bool cg_recording_may_be_of(const struct cg_header *header)
{
	unsigned users[USERS];
	if (header->uid == 0 || header->uid == geteuid() || !users_of(header->pid, users))
		return true;
	for (unsigned i = 0; i < USERS; i++)
		if (users[i] == header->uid)
			return true;
	return false;
}
