/*
 * merge.c: finds and makes what a merge consists of.
 */
#include "merge.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Clocks of a line and of a recorder's start differ by less. */
enum { SLACK_MS = 2000 };

/* As many sources as a document lists; the findings of the others are told all the same. */
enum { SOURCES_MAX = 10000 };

int cg_merge_begin(struct cg_merge *merge)
{
	*merge = (struct cg_merge){.stride = 1, .warnings = json_array()};
	cg_code_begin(&merge->code, &merge->memory);
	return merge->warnings ? 0 : -ENOMEM;
}

void cg_merge_end(struct cg_merge *merge)
{
	for (size_t i = 0; i < merge->source_count; i++)
		json_decref(merge->sources[i].about);
	for (size_t i = 0; i < merge->member_count; i++)
		free(merge->members[i]->sockets);
	free(merge->processes);
	free(merge->findings);
	free(merge->members);
	free(merge->actions);
	free(merge->sources);
	free(merge->points);
	free(merge->process_table.places);
	free(merge->finding_table.places);
	free(merge->member_table.places);
	free(merge->action_table.places);
	json_decref(merge->warnings);
	cg_code_end(&merge->code);
	cg_memory_end(&merge->memory);
}

void cg_merge_warn(struct cg_merge *merge, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	json_array_append_new(merge->warnings, json_vsprintf(format, args));
	va_end(args);
}

/* A name's lives are a chain of equal hashes: the key also holds the time. */
struct life {
	const char *host, *app;
	json_int_t pid;
	int64_t ms, start_ms;
};

static uint64_t hash_of_life(const struct life *life)
{
	return cg_hash(0, life, offsetof(struct life, ms));
}

static uint64_t hash_of_process(const void *context, uint32_t index)
{
	const struct cg_merge *merge = context;
	const struct cg_merge_process *p = merge->processes[index];
	return hash_of_life(&(struct life){.host = p->host, .app = p->app, .pid = p->pid});
}

static bool same_process(const void *context, uint32_t index, const void *key)
{
	const struct cg_merge *merge = context;
	const struct cg_merge_process *p = merge->processes[index];
	const struct life *life = key;
	if (p->host != life->host || p->pid != life->pid || p->app != life->app)
		return false;
	if (p->start_ms != INT64_MIN && life->start_ms != INT64_MIN)
		return llabs(p->start_ms - life->start_ms) <= SLACK_MS;
	if (life->start_ms != INT64_MIN) /* what was said before this one began is another's */
		return p->to_ms >= life->start_ms - SLACK_MS && p->from_ms <= life->ms + SLACK_MS;
	return life->ms <= p->ended_ms && (p->start_ms == INT64_MIN || life->ms >= p->start_ms - SLACK_MS);
}

static struct cg_merge_process *new_process(struct cg_merge *merge, const struct life *life)
{
	uint32_t index = (uint32_t)merge->process_count;
	if (!cg_memory_grow(&merge->memory, (void **)&merge->processes, &merge->process_room, index, sizeof(void *)))
		return NULL;
	struct cg_merge_process *process = cg_memory_take(&merge->memory, sizeof *process);
	if (!process)
		return NULL;
	*process = (struct cg_merge_process){.host = life->host,
	                                     .app = life->app,
	                                     .pid = life->pid,
	                                     .start_ms = life->start_ms,
	                                     .from_ms = life->ms,
	                                     .to_ms = life->ms,
	                                     .ended_ms = INT64_MAX,
	                                     .kept_ms = INT64_MIN,
	                                     .index = index};
	merge->processes[index] = process;
	if (!cg_table_add(&merge->memory, &merge->process_table, hash_of_life(life), index, hash_of_process, merge))
		return NULL;
	merge->process_count++;
	return process;
}

struct cg_merge_process *cg_merge_process(struct cg_merge *merge, const char *host, json_int_t pid, const char *app,
                                          int64_t ms, int64_t start_ms)
{
	struct life life = {.host = cg_code_text(&merge->code, host),
	                    .app = cg_code_text(&merge->code, app),
	                    .pid = pid,
	                    .ms = ms,
	                    .start_ms = start_ms};
	if (!life.host || !life.app)
		return NULL;
	int64_t found = cg_table_find(&merge->process_table, hash_of_life(&life), same_process, merge, &life);
	struct cg_merge_process *process = found < 0 ? new_process(merge, &life) : merge->processes[found];
	if (!process)
		return NULL;
	if (start_ms != INT64_MIN)
		process->start_ms = start_ms;
	process->from_ms = ms < process->from_ms ? ms : process->from_ms;
	process->to_ms = ms > process->to_ms ? ms : process->to_ms;
	return process;
}

void cg_merge_source(struct cg_merge *merge, struct cg_merge_process *process, const char *path, const char *kind,
                     json_t *about)
{
	const char *kept = cg_code_text(&merge->code, path);
	if (!about && process->path && process->path == kept)
		return;
	process->path = kept;
	if (merge->source_count >= SOURCES_MAX) {
		merge->unlisted++;
		return;
	}
	if (!kept || !cg_memory_grow(&merge->memory, (void **)&merge->sources, &merge->source_room, merge->source_count,
	                             sizeof *merge->sources))
		return;
	merge->sources[merge->source_count++] =
	    (struct cg_merge_source){process, kept, cg_code_text(&merge->code, kind), json_incref(about)};
}

static bool is_of_every_line(const char *name)
{
	return strcmp(name, "v") == 0 || strcmp(name, "pid") == 0;
}

/* The number of a counter's name, -1 where there are too many. */
static int counter(struct cg_merge *merge, const char *name)
{
	const char *kept = cg_code_text(&merge->code, name);
	for (size_t i = 0; i < merge->counter_count; i++)
		if (merge->counters[i] == kept)
			return (int)i;
	if (!kept || merge->counter_count == CG_MERGE_COUNTERS)
		return -1;
	merge->counters[merge->counter_count] = kept;
	return (int)merge->counter_count++;
}

void cg_merge_counters(struct cg_merge *merge, struct cg_merge_process *process, const json_t *object)
{
	const char *name;
	json_t *value;
	bool first = !process->counters;
	if (first && json_object_size(object))
		process->counters = cg_memory_take(&merge->memory, CG_MERGE_COUNTERS * sizeof *process->counters);
	if (!process->counters)
		return;
	for (size_t i = 0; first && i < CG_MERGE_COUNTERS; i++)
		process->counters[i] = NAN;
	json_object_foreach((json_t *)object, name, value)
	{
		int at = json_is_number(value) && !is_of_every_line(name) ? counter(merge, name) : -1;
		if (at >= 0)
			process->counters[at] = json_number_value(value);
	}
}
