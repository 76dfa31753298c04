/*
 * merge_saved.c: takes a saved report apart again.
 */
#include <errno.h>
#include <string.h>

#include "merge.h"

static const char *text_of(const json_t *object, const char *name, const char *otherwise)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : otherwise;
}

static int64_t time_of(const json_t *object, const char *name, int64_t otherwise)
{
	int64_t ms = cg_merge_time(text_of(object, name, ""));
	return ms == INT64_MIN ? otherwise : ms;
}

static struct cg_merge_process *process_of(struct cg_merge *merge, const json_t *object, int64_t ms, int64_t start_ms)
{
	return cg_merge_process(merge, text_of(object, "host", "?"), json_integer_value(json_object_get(object, "pid")),
	                        text_of(object, "app", "?"), ms, start_ms);
}

static void take_source(struct cg_merge *merge, const json_t *source, int64_t time, const char *path)
{
	int64_t to = time_of(source, "to", time), start = time_of(source, "started", INT64_MIN);
	struct cg_merge_process *process = process_of(merge, source, to, start);
	if (!process)
		return;
	int64_t from = time_of(source, "from", to);
	process->from_ms = from < process->from_ms ? from : process->from_ms;
	process->state = cg_code_member(&merge->code, source, "state");
	if (process->state && strcmp(process->state, "exited") == 0)
		process->ended_ms = process->to_ms;
	json_t *about = json_object_get(source, "process");
	cg_merge_source(merge, process, text_of(source, "path", path), text_of(source, "kind", "report"),
	                json_is_object(about) ? about : NULL);
	cg_merge_counters(merge, process, json_object_get(source, "counters"));
}

/* The sockets of one process among a finding's. */
static json_t *sockets_of(const json_t *sockets, const json_t *process)
{
	json_t *own = json_array(), *socket;
	size_t i;
	json_array_foreach(sockets, i, socket)
	{
		if (json_equal(json_object_get(socket, "host"), json_object_get(process, "host")) &&
		    json_equal(json_object_get(socket, "pid"), json_object_get(process, "pid")))
			json_array_append(own, socket);
	}
	return own;
}

/* What a report has summed up over processes becomes the first one's. */
static void take_finding(struct cg_merge *merge, const json_t *finding, int64_t time)
{
	int64_t ms = time_of(finding, "last_seen", time);
	json_t *one, *processes = json_object_get(finding, "processes");
	size_t i;
	json_array_foreach(processes, i, one)
	{
		struct cg_merge_process *process = process_of(merge, one, ms, INT64_MIN);
		json_t *part = json_copy((json_t *)finding);
		json_object_set_new(part, "sockets", sockets_of(json_object_get(finding, "sockets"), one));
		if (i) {
			json_object_del(part, "history");
			json_object_del(part, "peers");
			json_object_del(part, "total");
			json_object_del(part, "growth_per_min");
		}
		json_object_set(part, "leaked", json_object_get(one, "leaked"));
		json_int_t count = json_integer_value(json_object_get(one, "count"));
		if (process && part)
			(void)cg_merge_finding(merge, process, part, ms, count > 0 ? count : 0, false);
		json_decref(part);
	}
}

static void take_points(struct cg_merge *merge, const json_t *timeline, int64_t time)
{
	size_t i;
	json_t *point;
	json_array_foreach(timeline, i, point)
	{
		int64_t ms = time_of(point, "time", time);
		struct cg_merge_process *process = process_of(merge, point, ms, INT64_MIN);
		if (process)
			cg_merge_timeline_at(merge, process, ms, json_integer_value(json_object_get(point, "count")));
	}
}

int cg_merge_report(struct cg_merge *merge, const json_t *document, const char *path)
{
	int64_t time = time_of(document, "time", 0);
	size_t i;
	json_t *one;
	if (json_integer_value(json_object_get(document, "v")) != 1 ||
	    strcmp(text_of(document, "event", ""), "report") != 0)
		return -EINVAL;
	json_array_foreach(json_object_get(document, "sources"), i, one)
	{
		take_source(merge, one, time, path);
	}
	json_array_foreach(json_object_get(document, "findings"), i, one)
	{
		take_finding(merge, one, time);
	}
	take_points(merge, json_object_get(document, "timeline"), time);
	json_array_foreach(json_object_get(document, "actions"), i, one)
	{
		cg_merge_action(merge, NULL, one, time);
	}
	json_array_foreach(json_object_get(document, "warnings"), i, one)
	{
		if (json_is_string(one))
			json_array_append(merge->warnings, one);
	}
	return 0;
}
