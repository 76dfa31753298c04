/*
 * top_watch.h: follows the recorders of one process or of all, and keeps the model up to date.
 */
#ifndef CG_TOP_WATCH_H
#define CG_TOP_WATCH_H

#include <sys/types.h>

#include "recorders.h"
#include "top_model.h"

enum { CG_TOP_WATCH_DIRS = 64 };

struct cg_top_watch {
	pid_t pid; /* 0: all */
	struct cg_top_model model;
	struct cg_recorders recorders;
	uint64_t listed_ns; /* when the recorders were looked for */
	unsigned dir_count;
	char *dirs[CG_TOP_WATCH_DIRS];
	struct timespec changed[CG_TOP_WATCH_DIRS];
	unsigned unreadable;            /* recorders that are none that can be read */
	char trouble[CG_RECORDING_WHY]; /* what is wrong with the last of them */
	char foreign[CG_RECORDING_WHY]; /* what was left out, since it is somebody else's; anybody can put that there */
};

/*
 * Reads what has changed. now_ns is CLOCK_MONOTONIC. Returns 0 or -errno with the reason in `trouble`; what was known
 * stays then.
 */
int cg_top_watch_refresh(struct cg_top_watch *watch, uint64_t now_ns);
void cg_top_watch_free(struct cg_top_watch *watch);

#endif
