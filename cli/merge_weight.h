/*
 * merge_weight.h: what a finding's members come to, and which finding is worth a look first.
 */
#ifndef CG_MERGE_WEIGHT_H
#define CG_MERGE_WEIGHT_H

#include "merge.h"

struct cg_merge_sum {
	struct cg_merge_finding *finding;
	json_int_t count, total, leaked;
	double oldest_s, confidence;
	double growth; /* a minute; NAN: not known of any */
	const char *verdict;
	const char *suppressed; /* where every process that has some is told to bear it */
	int rank;               /* of the verdict: a leak first */
};

struct cg_merge_sum cg_merge_sum(struct cg_merge_finding *finding);

/* For qsort: what is there before what is over, what no policy bears first, leaks first, the most first. */
int cg_merge_by_weight(const void *a, const void *b);

/* As many findings as a document has: more than anybody reads, and a process has up to 512. */
enum { CG_MERGE_FINDINGS = 4096 };

/*
 * Makes room for others where there are twice as many as a document has: the lighter half goes, and is counted. One of
 * them that turns out to be heavy is told again by a later line.
 */
void cg_merge_prune(struct cg_merge *merge);

#endif
