/*
 * top_sample.h: what one recorder says at one moment, read so cheaply that it can be done to hundreds every second.
 */
#ifndef CG_TOP_SAMPLE_H
#define CG_TOP_SAMPLE_H

#include "recording.h"

enum cg_top_state {
	CG_TOP_LIVE,
	CG_TOP_STOPPED, /* by a signal or a debugger */
	CG_TOP_KILLED,  /* gone without an exit of its own */
	CG_TOP_EXITED,
	CG_TOP_EXECED, /* became another program */
	CG_TOP_SEALED, /* in a sandbox that ended the record */
	CG_TOP_UNKNOWN /* of another host */
};

/* What was read already; it is read again only where the header says that it may have changed. */
struct cg_top_seen {
	bool valid;
	uint64_t sweep_ns, closed, late;
};

struct cg_top_sample {
	struct cg_header header;
	enum cg_top_state state;
	bool has_findings; /* they were read; else they are as before */
	unsigned count;
	struct cg_kept_finding findings[CG_MAX_FINDINGS];
	bool has_delays;
	uint64_t delays[CG_DELAY_BUCKETS]; /* of all sites together */
};

/* "live", "stopped", … */
const char *cg_top_state_name(enum cg_top_state state);

/* Is there still a process whose sockets these are? */
bool cg_top_state_is_there(enum cg_top_state state);

/*
 * Reads a recorder; what is `seen` already is left out, and `seen` becomes what was read. Returns 0; -ENOENT where the
 * file is gone, -EINVAL where it is none that can be read (yet).
 */
int cg_top_sample_read(const char *path, struct cg_top_seen *seen, struct cg_top_sample *ret);

#endif
