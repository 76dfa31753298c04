/*
 * merge_weight.c: sums up findings, sorts them, and leaves out the lightest.
 */
#include "merge_weight.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RANKS = 4 };

/* A leak in one process is a leak, however well the others do that have some too. */
static int rank_of(const char *verdict)
{
	return !verdict ? 3 : strcmp(verdict, "leak") == 0 ? 0 : strcmp(verdict, "late") == 0 ? 1 : 2;
}

static void add_up(struct cg_merge_sum *sum)
{
	for (const struct cg_merge_member *m = sum->finding->members; m; m = m->next_of_finding) {
		sum->count += m->count;
		sum->total += m->total;
		sum->leaked += m->leaked;
		if (m->count && !isnan(m->growth))
			sum->growth = isnan(sum->growth) ? m->growth : sum->growth + m->growth;
	}
}

struct cg_merge_sum cg_merge_sum(struct cg_merge_finding *finding)
{
	struct cg_merge_sum sum = {.finding = finding, .growth = NAN, .rank = RANKS};
	bool borne = true;
	add_up(&sum);
	for (const struct cg_merge_member *member = finding->members; member; member = member->next_of_finding) {
		int rank = rank_of(member->verdict);
		if (sum.count && !member->count)
			continue;
		borne &= member->suppressed != NULL;
		sum.suppressed = borne ? member->suppressed : NULL;
		sum.oldest_s = member->oldest_s > sum.oldest_s ? member->oldest_s : sum.oldest_s;
		if (rank > sum.rank || (rank == sum.rank && member->confidence <= sum.confidence))
			continue;
		sum.rank = rank;
		sum.verdict = member->verdict;
		sum.confidence = member->confidence;
	}
	return sum;
}

static int larger_first(json_int_t one, json_int_t other)
{
	return (one < other) - (one > other);
}

int cg_merge_by_weight(const void *a, const void *b)
{
	const struct cg_merge_sum *one = a, *other = b;
	int order = !one->count - !other->count;
	if (!order)
		order = (one->suppressed != NULL) - (other->suppressed != NULL);
	if (!order)
		order = one->rank - other->rank;
	if (!order)
		order = larger_first(one->count, other->count);
	if (!order && !one->count)
		order = larger_first(one->leaked, other->leaked);
	if (!order)
		order = (one->finding->index > other->finding->index) - (one->finding->index < other->finding->index);
	return order;
}

static int by_index(const void *a, const void *b)
{
	const struct cg_merge_sum *one = a, *other = b;
	return (one->finding->index > other->finding->index) - (one->finding->index < other->finding->index);
}

void cg_merge_prune(struct cg_merge *merge)
{
	size_t count = merge->finding_count;
	struct cg_merge_sum *sums = count < 2 * CG_MERGE_FINDINGS ? NULL : calloc(count, sizeof *sums);
	if (!sums)
		return;
	for (size_t i = 0; i < count; i++)
		sums[i] = cg_merge_sum(merge->findings[i]);
	qsort(sums, count, sizeof *sums, cg_merge_by_weight);
	for (size_t i = CG_MERGE_FINDINGS; i < count; i++)
		sums[i].finding->dropped = true;
	merge->left_out += (json_int_t)(count - CG_MERGE_FINDINGS);
	merge->failed = true;
	qsort(sums, CG_MERGE_FINDINGS, sizeof *sums, by_index);
	cg_merge_members_drop(merge);
	for (size_t i = 0; i < CG_MERGE_FINDINGS; i++)
		merge->findings[i] = sums[i].finding;
	merge->finding_count = CG_MERGE_FINDINGS;
	cg_merge_findings_rehash(merge);
	free(sums);
}
