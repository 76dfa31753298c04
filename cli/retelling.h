/*
 * retelling.h: makes the findings of a recording again, as its process would tell them in a summary.
 */
#ifndef CG_RETELLING_H
#define CG_RETELLING_H

#include "recording.h"
#include "report.h"

/* A socket that a finding is about. */
struct cg_retold_socket {
	int fd; /* -1: closed in that process */
	uint64_t age_ns;
	enum cg_age_source age_source;
	struct cg_slot slot;
	struct cg_tcp tcp; /* the kernel's word of now; state 0: unknown */
};

struct cg_retold {
	struct cg_kept_finding kept;
	bool ambiguous; /* another finding has the same places: which socket belongs to which is not recorded */
	unsigned shown;
	struct cg_retold_socket sockets[CG_SOCKETS_SHOWN]; /* the oldest first */
	struct cg_slot listener; /* in whose backlog they wait; kind CG_FD_NONE: not found, or not about one */
};

struct cg_retelling {
	struct cg_recording *recording;
	unsigned count;
	struct cg_retold findings[CG_MAX_FINDINGS];
};

/* Gathers the outstanding findings and their sockets. */
void cg_retelling_begin(struct cg_recording *recording, struct cg_retelling *ret);

/* Adds what the kernel says now of the sockets of a living process. */
void cg_retelling_ask_kernel(struct cg_retelling *retelling);

/* Fills in what printers print of the finding at index i. */
void cg_retelling_make(const struct cg_retelling *retelling, unsigned i, struct cg_finding *ret);

void cg_retelling_summary(const struct cg_retelling *retelling, struct cg_summary *ret);

#endif
