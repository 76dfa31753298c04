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
	unsigned foreign; /* files that somebody else had put into a folder: left out */
};

#define CG_ANY_USER ((uid_t)-1)

/* $CLOSEGUARD_DIR, else where the library puts this user's. */
const char *cg_recorders_dir(void);

/* Whose it has to be: this user's, unless one was named by $CLOSEGUARD_DIR. */
uid_t cg_recorders_dir_owner(void);

/*
 * Adds the recorders of one process (0: of all) in `dir`, the newest first. The directory has to be `owner`'s
 * (CG_ANY_USER: it was named by whoever asks) or the reader's own, and each file the directory's owner's or the
 * reader's: anybody can make a folder with another's name on it, and in some folders anybody can put a file. Returns 0,
 * also where there is no such directory, or -errno; -EPERM: it is somebody else's.
 */
int cg_recorders_find(const char *dir, uid_t owner, pid_t pid, struct cg_recorders *recorders);

/* What to say of cg_recorders_find's error. */
const char *cg_recorders_error(int error);

/* The same for a process that may be another user's: in the directory of its owner, where ours has none. */
int cg_recorders_find_process(pid_t pid, struct cg_recorders *recorders);

/* Adds one that was named. Returns 0 or -ENOMEM. */
int cg_recorders_add(struct cg_recorders *recorders, const char *path);
void cg_recorders_free(struct cg_recorders *recorders);

#endif
