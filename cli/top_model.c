/*
 * top_model.c: turns samples of recorders into rows that live from one refresh to the next.
 */
#include "top_model.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void cg_top_model_begin(struct cg_top_model *model, uint64_t now_ns)
{
	model->then_ns = model->now_ns;
	model->now_ns = now_ns;
	for (unsigned i = 0; i < model->process_count; i++)
		model->processes[i]->current = false;
}

static void free_process(struct cg_top_process *process)
{
	for (unsigned i = 0; i < process->finding_count; i++)
		free(process->findings[i]);
	free(process->findings);
	free(process->path);
	free(process);
}

void cg_top_model_end(struct cg_top_model *model)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < model->process_count; i++) {
		if (model->processes[i]->current)
			model->processes[kept++] = model->processes[i];
		else
			free_process(model->processes[i]);
	}
	model->process_count = kept;
}

void cg_top_model_free(struct cg_top_model *model)
{
	for (unsigned i = 0; i < model->process_count; i++)
		free_process(model->processes[i]);
	free(model->processes);
	*model = (struct cg_top_model){0};
}

/* Makes room for one more element of an array of pointers. */
static void *grown(void *list, size_t count)
{
	return realloc(list, (count + 1) * sizeof(void *));
}

struct cg_top_process *cg_top_model_process(struct cg_top_model *model, const char *path)
{
	for (unsigned i = 0; i < model->process_count; i++)
		if (strcmp(model->processes[i]->path, path) == 0)
			return model->processes[i];
	struct cg_top_process **list = grown(model->processes, model->process_count);
	struct cg_top_process *process = list ? calloc(1, sizeof *process) : NULL;
	if (list)
		model->processes = list;
	if (!process || !(process->path = strdup(path))) {
		free(process);
		return NULL;
	}
	process->id = ++model->last_id;
	list[model->process_count++] = process;
	return process;
}

static void set_user(struct cg_top_process *process)
{
	const struct passwd *entry = getpwuid(process->header.uid);
	if (entry)
		snprintf(process->user, sizeof process->user, "%s", entry->pw_name);
	else
		snprintf(process->user, sizeof process->user, "%u", process->header.uid);
}

static bool is_same(const struct cg_kept_finding *a, const struct cg_kept_finding *b)
{
	return a->kind == b->kind && a->cause == b->cause && a->open_stack == b->open_stack &&
	       a->eof_stack == b->eof_stack && a->last_use == b->last_use;
}

static struct cg_top_finding *find(const struct cg_top_process *process, const struct cg_kept_finding *kept)
{
	for (unsigned i = 0; i < process->finding_count; i++)
		if (is_same(&process->findings[i]->kept, kept))
			return process->findings[i];
	return NULL;
}

/* One that appears under our eyes has grown from nothing since the refresh before. */
static struct cg_top_finding *add(struct cg_top_model *model, struct cg_top_process *process, bool watched)
{
	struct cg_top_finding **list = grown(process->findings, process->finding_count);
	if (list)
		process->findings = list;
	struct cg_top_finding *finding = list ? calloc(1, sizeof *finding) : NULL;
	if (!finding)
		return NULL;
	finding->id = ++model->last_id;
	finding->process = process;
	if (watched && model->then_ns)
		cg_top_rate_add(&finding->rate, model->then_ns, 0);
	list[process->finding_count++] = finding;
	return finding;
}

static void drop_findings(struct cg_top_process *process)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < process->finding_count; i++) {
		if (process->findings[i]->current)
			process->findings[kept++] = process->findings[i];
		else
			free(process->findings[i]);
	}
	process->finding_count = kept;
}

static int put_findings(struct cg_top_model *model, struct cg_top_process *process, const struct cg_top_sample *sample,
                        bool watched)
{
	for (unsigned i = 0; i < process->finding_count; i++)
		process->findings[i]->current = false;
	for (unsigned i = 0; i < sample->count; i++) {
		struct cg_top_finding *finding = find(process, &sample->findings[i]);
		if (!finding)
			finding = add(model, process, watched);
		if (!finding)
			return -ENOMEM;
		finding->located &= finding->kept.site_ip == sample->findings[i].site_ip;
		finding->kept = sample->findings[i];
		finding->current = true;
	}
	drop_findings(process);
	return 0;
}

bool cg_top_model_is_event(const struct cg_kept_finding *kept)
{
	return kept->kind >= CG_KIND_RESET_ON_CLOSE || kept->cause == CG_CAUSE_LATE_CLOSE;
}

/* The clock of a recorder of another host, or of a dead process, stands still. */
static uint64_t clock_of(const struct cg_top_model *model, const struct cg_top_process *process)
{
	return cg_top_state_is_there(process->state) ? model->now_ns : process->header.last_sweep_ns;
}

static uint64_t age_of(const struct cg_kept_finding *kept, uint64_t now_ns, uint64_t sweep_ns)
{
	uint64_t since = cg_top_model_is_event(kept) ? kept->last_seen_ns : sweep_ns;
	return (cg_top_model_is_event(kept) ? 0 : kept->oldest_ns) + (since && now_ns > since ? now_ns - since : 0);
}

static void measure(const struct cg_top_model *model, struct cg_top_process *process)
{
	const struct cg_header *h = &process->header;
	uint64_t now_ns = clock_of(model, process);
	cg_top_rate_add(&process->closes, model->now_ns, h->count.closed);
	cg_top_rate_add(&process->leaks, model->now_ns, cg_top_model_leaked(process));
	for (unsigned i = 0; i < process->finding_count; i++) {
		struct cg_top_finding *finding = process->findings[i];
		cg_top_rate_add(&finding->rate, model->now_ns, finding->kept.count);
		finding->age_ns = age_of(&finding->kept, now_ns, h->last_sweep_ns);
	}
}

int cg_top_model_put(struct cg_top_model *model, struct cg_top_process *process, const struct cg_top_sample *sample)
{
	bool watched = process->header.pid != 0;
	int error = 0;
	process->current = true;
	process->header = sample->header;
	process->state = sample->state;
	if (!process->user[0])
		set_user(process);
	if (sample->has_delays)
		memcpy(process->delays, sample->delays, sizeof process->delays);
	if (sample->has_findings)
		error = put_findings(model, process, sample, watched);
	measure(model, process);
	return error;
}

uint64_t cg_top_model_leaked(const struct cg_top_process *process)
{
	uint64_t leaked = 0;
	for (unsigned i = 0; i < process->finding_count; i++)
		if (process->findings[i]->kept.verdict == CG_VERDICT_LEAK)
			leaked += process->findings[i]->kept.count;
	return leaked;
}

void cg_top_model_totals(const struct cg_top_model *model, struct cg_top_totals *ret)
{
	double growth;
	*ret = (struct cg_top_totals){.processes = model->process_count};
	for (unsigned i = 0; i < model->process_count; i++) {
		const struct cg_top_process *process = model->processes[i];
		ret->stopped += process->state == CG_TOP_STOPPED;
		ret->dead += !cg_top_state_is_there(process->state);
		ret->findings += process->finding_count;
		ret->leaked += cg_top_model_leaked(process);
		if (cg_top_rate_per_minute(&process->leaks, &growth)) {
			ret->has_growth = true;
			ret->growth += growth;
		}
	}
}

int cg_top_model_percentile(const uint64_t delays[CG_DELAY_BUCKETS], unsigned thousandths)
{
	uint64_t all = 0, below = 0;
	for (int i = 0; i < CG_DELAY_BUCKETS; i++)
		all += delays[i];
	for (int i = 0; i < CG_DELAY_BUCKETS; i++) {
		below += delays[i];
		if (all && (double)below * 1000 >= (double)all * thousandths)
			return i;
	}
	return -1;
}
