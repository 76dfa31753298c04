/*
 * recorders.h: finds the recorders of processes.
 */
#ifndef CG_RECORDERS_H
#define CG_RECORDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct cg_recorder {
	char *path;
	uint64_t started; /* 0: unknown */
	bool searched;    /* found in a directory: it may be gone by now */
};

struct cg_recorders {
	struct cg_recorder *list;
	size_t count;
};

/* $CLOSEGUARD_DIR, else where the library puts this user's. */
const char *cg_recorders_dir(void);

/*
 * Adds the recorders of one process (0: of all) in `dir`, the newest first. Returns 0, also where there is no such
 * directory, or -errno.
 */
int cg_recorders_find(const char *dir, pid_t pid, struct cg_recorders *recorders);

/* The same for a process that may be another user's: in the directory of its owner, where ours has none. */
int cg_recorders_find_process(pid_t pid, struct cg_recorders *recorders);

/* Adds one that was named. Returns 0 or -ENOMEM. */
int cg_recorders_add(struct cg_recorders *recorders, const char *path);
void cg_recorders_free(struct cg_recorders *recorders);

#endif
