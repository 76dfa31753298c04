/*
 * top_model.h: what `closeguard top` shows, without any screen: processes, their findings, how both change.
 *
 * Samples are put in; rows come out, with growth and percentiles. Rows keep their place in memory and their id as long
 * as what they stand for is there.
 */
#ifndef CG_TOP_MODEL_H
#define CG_TOP_MODEL_H

#include "top_rate.h"
#include "top_sample.h"

/* A place in the code: the module is a copy, so that it can be named long after. */
struct cg_top_site {
	bool known;
	uint64_t ip; /* a return address */
	struct cg_module module;
};

struct cg_top_finding {
	uint64_t id;
	const struct cg_top_process *process;
	struct cg_kept_finding kept;
	struct cg_top_rate rate; /* of its count */
	uint64_t age_ns;         /* of the oldest; of events, since the last one */
	bool located;            /* the places were looked for */
	struct cg_top_site site, opened;
	uint64_t identity;                /* the same in every process where app, places and label are; 0: not known */
	struct cg_top_finding *next_same; /* of another process, in the same row */
	bool current;
};

struct cg_top_process {
	uint64_t id;
	char *path;
	char user[32];
	struct cg_top_seen seen;
	struct cg_header header;
	enum cg_top_state state;
	uint64_t delays[CG_DELAY_BUCKETS];
	struct cg_top_rate closes, leaks;
	struct cg_top_finding **findings;
	unsigned finding_count;
	bool current;
};

struct cg_top_totals {
	unsigned processes, stopped, dead, findings;
	uint64_t leaked;
	bool has_growth;
	double growth; /* of leaked sockets per minute */
};

struct cg_top_model {
	struct cg_top_process **processes;
	unsigned process_count;
	uint64_t last_id;
	uint64_t now_ns;  /* CLOCK_MONOTONIC, of the last refresh */
	uint64_t then_ns; /* of the one before; 0: none */
};

/* A refresh: begin, a put for each recorder, end, which drops those that were not put. */
void cg_top_model_begin(struct cg_top_model *model, uint64_t now_ns);
void cg_top_model_end(struct cg_top_model *model);
void cg_top_model_free(struct cg_top_model *model);

/* The process of a recorder, made at the first time. NULL without memory. */
struct cg_top_process *cg_top_model_process(struct cg_top_model *model, const char *path);

/* Takes over what was read of a process. Returns 0 or -ENOMEM. */
int cg_top_model_put(struct cg_top_model *model, struct cg_top_process *process, const struct cg_top_sample *sample);

void cg_top_model_totals(const struct cg_top_model *model, struct cg_top_totals *ret);

/* Sockets in its findings with verdict leak. */
uint64_t cg_top_model_leaked(const struct cg_top_process *process);

/* Is it about something that happened and is over, of which there is no oldest? */
bool cg_top_model_is_event(const struct cg_kept_finding *kept);

/*
 * The bucket within which that share (thousandths) of the closes came after their EOF; -1 where there were none. Bucket
 * i is "under 2^i ms", the last one "all above".
 */
int cg_top_model_percentile(const uint64_t delays[CG_DELAY_BUCKETS], unsigned thousandths);

#endif
