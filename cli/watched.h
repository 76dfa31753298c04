/*
 * watched.h: whether libcloseguard.so is inside a process, seen from outside.
 */
#ifndef CG_WATCHED_H
#define CG_WATCHED_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "record.h"

struct cg_watched {
	int loaded;             /* 1 it is in the process's memory, 0 it is not, -errno: the maps cannot be read */
	char library[PATH_MAX]; /* as the process has it; "" where not loaded */
	bool replaced;          /* the library's file was deleted or replaced since it was loaded */
	bool recorded;          /* there is a recorder of this very process; what follows is its */
	bool searched;          /* it is where `closeguard report PID` looks */
	char recorder[PATH_MAX];
	struct cg_header header;
};

/* Looks at /proc/PID/maps and at the recorders that the process could have made, those inside a container too. */
void cg_watched_look(pid_t pid, struct cg_watched *ret);

#endif
