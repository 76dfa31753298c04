/*
 * top_same.c: chains of findings of the same identity, which cg_top_site_locate gives them.
 */
#include "top_same.h"

#include <stdlib.h>

static struct cg_top_finding *finding_at(const struct cg_top_rows *rows, unsigned i)
{
	return (struct cg_top_finding *)(uintptr_t)rows->list[i]; /* the model is the reader's own */
}

/* What is dead leaks no more: it is not added to what lives. */
static bool is_same(const struct cg_top_finding *a, const struct cg_top_finding *b)
{
	return a->identity && a->identity == b->identity && a->kept.kind == b->kept.kind &&
	       a->kept.cause == b->kept.cause &&
	       cg_top_state_is_there(a->process->state) == cg_top_state_is_there(b->process->state);
}

static int by_identity(const void *a, const void *b)
{
	const struct cg_top_finding *one = *(const struct cg_top_finding *const *)a;
	const struct cg_top_finding *other = *(const struct cg_top_finding *const *)b;
	bool left = cg_top_state_is_there(one->process->state), right = cg_top_state_is_there(other->process->state);
	if (one->identity != other->identity)
		return one->identity < other->identity ? -1 : 1;
	if (left != right)
		return left ? -1 : 1;
	if (one->kept.kind != other->kept.kind)
		return one->kept.kind < other->kept.kind ? -1 : 1;
	if (one->kept.cause != other->kept.cause)
		return one->kept.cause < other->kept.cause ? -1 : 1;
	return (one->id > other->id) - (one->id < other->id);
}

void cg_top_same_forget(const struct cg_top_model *model)
{
	for (unsigned i = 0; i < model->process_count; i++)
		for (unsigned j = 0; j < model->processes[i]->finding_count; j++)
			model->processes[i]->findings[j]->next_same = NULL;
}

void cg_top_same_merge(struct cg_top_rows *rows)
{
	unsigned kept = 0;
	struct cg_top_finding *last = NULL;
	if (rows->count)
		qsort(rows->list, rows->count, sizeof *rows->list, by_identity);
	for (unsigned i = 0; i < rows->count; i++) {
		struct cg_top_finding *finding = finding_at(rows, i);
		finding->next_same = NULL;
		if (last && is_same(last, finding))
			last->next_same = finding;
		else
			rows->list[kept++] = finding;
		last = finding;
	}
	rows->count = kept;
}

unsigned cg_top_same_processes(const struct cg_top_finding *row)
{
	unsigned count = 0;
	for (; row; row = row->next_same)
		count++;
	return count;
}

uint64_t cg_top_same_count(const struct cg_top_finding *row)
{
	uint64_t count = 0;
	for (; row; row = row->next_same)
		count += row->kept.count;
	return count;
}

uint64_t cg_top_same_age(const struct cg_top_finding *row)
{
	uint64_t age = row->age_ns;
	bool event = cg_top_model_is_event(&row->kept);
	for (; row; row = row->next_same)
		if (event ? row->age_ns < age : row->age_ns > age)
			age = row->age_ns;
	return age;
}

bool cg_top_same_growth(const struct cg_top_finding *row, double *ret_per_minute)
{
	double one;
	bool known = false;
	*ret_per_minute = 0;
	for (; row; row = row->next_same) {
		if (!cg_top_rate_per_minute(&row->rate, &one))
			continue;
		known = true;
		*ret_per_minute += one;
	}
	return known;
}

const struct cg_top_finding *cg_top_same_worst(const struct cg_top_finding *row)
{
	const struct cg_top_finding *worst = row;
	for (; row; row = row->next_same)
		if (row->kept.verdict < worst->kept.verdict ||
		    (row->kept.verdict == worst->kept.verdict && row->kept.count > worst->kept.count))
			worst = row;
	return worst;
}
