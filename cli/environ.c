/*
 * environ.c: reads /proc/PID/environ.
 */
#include "environ.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

int cg_environ_get(pid_t pid, const char *name, char *ret, size_t size)
{
	char path[64], *entry = NULL;
	size_t room = 0, length = strlen(name);
	int error = -ENODATA;
	cg_common_print(path, sizeof path, "/proc/%d/environ", pid);
	FILE *file = fopen(path, "re");
	if (!file)
		return -errno;
	errno = 0;
	while (error == -ENODATA && getdelim(&entry, &room, '\0', file) > 0)
		if (strncmp(entry, name, length) == 0 && entry[length] == '=')
			error = cg_common_print(ret, size, "%s", entry + length + 1);
	if (error == -ENODATA && ferror(file))
		error = errno ? -errno : -EIO;
	free(entry);
	fclose(file);
	return error;
}
