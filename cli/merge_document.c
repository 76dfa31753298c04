/*
 * merge_document.c: the result as a JSON document, which all printers print.
 */
#include "merge_document.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli.h"
#include "fmt.h"
#include "json_text.h"

json_t *cg_document_time(int64_t ms)
{
	char text[64];
	struct cg_buf buf;
	if (ms < 0 || ms > INT64_MAX / 1000000)
		return json_null();
	cg_buf_init(&buf, text, sizeof text);
	cg_buf_rfc3339(&buf, (uint64_t)ms * 1000000);
	return json_string(text);
}

json_t *cg_document_text(const char *text)
{
	return text ? json_string(text) : json_null();
}

json_t *cg_document_number(double number)
{
	bool whole = number >= -1e15 && number <= 1e15 && number == (double)(json_int_t)number;
	return whole ? json_integer((json_int_t)number) : json_real(number);
}

json_t *cg_document_process(const struct cg_merge_process *process)
{
	json_t *object = json_object();
	json_object_set_new(object, "host", json_string(process->host));
	json_object_set_new(object, "pid", json_integer(process->pid));
	json_object_set_new(object, "app", json_string(process->app));
	return object;
}

static json_t *counters(const struct cg_merge *merge, const struct cg_merge_process *process)
{
	json_t *object = json_object();
	for (size_t i = 0; process->counters && i < merge->counter_count; i++)
		if (!isnan(process->counters[i]))
			json_object_set_new(object, merge->counters[i], cg_document_number(process->counters[i]));
	return object;
}

static json_t *source(const struct cg_merge *merge, const struct cg_merge_source *source)
{
	const struct cg_merge_process *process = source->process;
	json_t *object = cg_document_process(process);
	json_object_set_new(object, "kind", json_string(source->kind));
	json_object_set_new(object, "path", cg_json_text(source->path));
	json_object_set_new(object, "state", json_string(process->state ? process->state : "unknown"));
	if (process->start_ms != INT64_MIN)
		json_object_set_new(object, "started", cg_document_time(process->start_ms));
	json_object_set_new(object, "from", cg_document_time(process->from_ms));
	json_object_set_new(object, "to", cg_document_time(process->to_ms));
	json_object_set_new(object, "counters", counters(merge, process));
	if (source->about)
		json_object_set(object, "process", source->about);
	return object;
}

static double counter(const struct cg_merge *merge, const struct cg_merge_process *process, const char *name)
{
	for (size_t i = 0; process->counters && i < merge->counter_count; i++)
		if (strcmp(merge->counters[i], name) == 0 && !isnan(process->counters[i]))
			return process->counters[i];
	return 0;
}

/* Sockets that were told as leaked, closed by now or not: by each process's own count, or by what it said. */
static json_t *leaks_told(const struct cg_merge *merge)
{
	double sum = 0;
	for (size_t i = 0; i < merge->process_count; i++) {
		const struct cg_merge_process *process = merge->processes[i];
		double told = (double)process->leaked_dropped, counted = counter(merge, process, "leaks_told");
		for (const struct cg_merge_member *m = process->members; m; m = m->next_of_process)
			told += (double)m->leaked;
		sum += counted > told ? counted : told;
	}
	return cg_document_number(sum);
}

static json_t *timeline(struct cg_merge *merge)
{
	json_t *array = json_array();
	cg_merge_timeline_end(merge);
	for (size_t i = 0; i < merge->point_count; i++) {
		const struct cg_merge_point *point = &merge->points[i];
		json_t *object = json_object();
		json_object_set_new(object, "time", cg_document_time(point->ms));
		json_object_set_new(object, "host", json_string(point->process->host));
		json_object_set_new(object, "pid", json_integer(point->process->pid));
		json_object_set_new(object, "app", json_string(point->process->app));
		json_object_set_new(object, "count", json_integer(point->count));
		json_array_append_new(array, object);
	}
	return array;
}

static void warn_of_left_out(struct cg_merge *merge)
{
	if (merge->left_out)
		cg_merge_warn(merge,
		              "%lld findings were left out, because there are more different ones than memory is kept "
		              "for; the heaviest are kept. Report on fewer files at once to see the others",
		              (long long)merge->left_out);
}

json_t *cg_merge_document(struct cg_merge *merge)
{
	json_t *document = json_object(), *sources = json_array();
	cg_merge_backlogs(merge);
	for (size_t i = 0; i < merge->source_count; i++)
		json_array_append_new(sources, source(merge, &merge->sources[i]));
	if (merge->unlisted)
		cg_merge_warn(merge, "%lld more processes are not listed; their findings are among the others",
		              (long long)merge->unlisted);
	json_object_set_new(document, "v", json_integer(1));
	json_object_set_new(document, "event", json_string("report"));
	json_object_set_new(document, "time", cg_document_time((int64_t)time(NULL) * 1000));
	json_object_set_new(document, "generator", json_string("closeguard " CG_CLI_VERSION));
	json_object_set_new(document, "sources", sources);
	json_object_set_new(document, "leaks_told", leaks_told(merge));
	json_object_set_new(document, "findings", cg_document_findings(merge));
	warn_of_left_out(merge);
	json_object_set_new(document, "timeline", timeline(merge));
	json_object_set_new(document, "actions", cg_document_actions(merge));
	json_object_set(document, "warnings", merge->warnings);
	return document;
}
