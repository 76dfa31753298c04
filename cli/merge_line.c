/*
 * merge_line.c: takes in a line of a log.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "merge.h"

enum { VERSION = 1 };

int64_t cg_merge_time(const char *text)
{
	struct tm tm = {0};
	int milliseconds = 0, used = 0, hours = 0, minutes = 0;
	char sign = 'Z';
	if (!text || sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
	                    &tm.tm_min, &tm.tm_sec, &used) != 6)
		return INT64_MIN;
	text += used;
	if (*text == '.') {
		for (int i = 1, unit = 100; text[i] >= '0' && text[i] <= '9' && unit; i++, unit /= 10)
			milliseconds += (text[i] - '0') * unit;
		text += 1 + strspn(text + 1, "0123456789");
	}
	if (sscanf(text, "%c%2d:%2d", &sign, &hours, &minutes) < 1)
		return INT64_MIN;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	int64_t offset = (hours * 60 + minutes) * 60000LL * (sign == '+' ? 1 : sign == '-' ? -1 : 0);
	return (int64_t)timegm(&tm) * 1000 + milliseconds - offset;
}

static const char *text_of(const json_t *object, const char *name, const char *otherwise)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : otherwise;
}

static json_int_t count_of(const json_t *object)
{
	json_int_t count = json_integer_value(json_object_get(object, "count"));
	return count > 0 && count <= UINT32_MAX ? count : 0;
}

/* When the process began: a summary knows how long it has run. */
static int64_t start_of(const json_t *line, int64_t ms)
{
	const json_t *uptime = json_object_get(line, "uptime_s");
	double seconds = json_number_value(uptime);
	return json_is_number(uptime) && seconds >= 0 && seconds < 1e10 ? ms - (int64_t)(seconds * 1000) : INT64_MIN;
}

/* A summary has a line for each group; where one is missing, what is not told may be in that. Is this the last? */
static bool begin_part(struct cg_merge_process *process, const json_t *line)
{
	json_int_t part = json_integer_value(json_object_get(line, "part"));
	json_int_t parts = json_integer_value(json_object_get(line, "parts"));
	if (part <= 1 || part != process->part + 1) {
		cg_merge_restate(process);
		process->whole = part <= 1;
	}
	process->part = part;
	return part == parts;
}

static void take_summary(struct cg_merge *merge, struct cg_merge_process *process, const json_t *line, int64_t ms)
{
	const json_t *groups = json_object_get(line, "groups");
	size_t i;
	json_t *group;
	cg_merge_counters(merge, process, line);
	bool is_last = begin_part(process, line);
	process->whole &= json_is_array(groups);
	json_array_foreach(groups, i, group)
	{
		if (!cg_merge_finding(merge, process, group, ms, count_of(group), true))
			process->whole = false;
	}
	if (is_last && process->whole)
		cg_merge_restated(merge, process, ms);
	json_array_foreach(json_object_get(line, "actions"), i, group)
	{
		cg_merge_action(merge, process, group, ms);
	}
	if (strcmp(text_of(line, "reason", ""), "exit") == 0) {
		process->state = "exited";
		process->ended_ms = ms;
	}
	cg_merge_timeline(merge, process, ms);
}

/* closeguard's own trouble in a process, once for each process and text would be the log again: the texts are told. */
static void take_warning(struct cg_merge *merge, const struct cg_merge_process *process, const json_t *line)
{
	enum { WARNINGS_MAX = 100 };
	const char *message = text_of(line, "message", "");
	size_t i;
	json_t *known;
	json_array_foreach(merge->warnings, i, known)
	{
		const char *text = strstr(json_string_value(known), "]: ");
		if (text && strcmp(text + 3, message) == 0)
			return;
	}
	if (*message && json_array_size(merge->warnings) < WARNINGS_MAX)
		cg_merge_warn(merge, "%s[%lld]: %s", process->app, (long long)process->pid, message);
}

static bool is_event(const char *event)
{
	static const char *const events[] = {"finding", "resolved", "action", "warning", "summary"};
	for (size_t i = 0; event && i < sizeof events / sizeof events[0]; i++)
		if (strcmp(event, events[i]) == 0)
			return true;
	return false;
}

static void take(struct cg_merge *merge, struct cg_merge_process *process, const json_t *line, const char *event,
                 int64_t ms)
{
	bool resolved = *event == 'r';
	if (*event == 's')
		take_summary(merge, process, line, ms);
	else if (*event == 'a')
		cg_merge_action(merge, process, line, ms);
	else if (*event == 'w')
		take_warning(merge, process, line);
	else if (cg_merge_finding(merge, process, line, ms, resolved ? 0 : count_of(line), false))
		cg_merge_timeline(merge, process, ms);
}

enum cg_merge_answer cg_merge_line(struct cg_merge *merge, const json_t *line, const char *path, const char *kind,
                                   int64_t *clock)
{
	const json_t *version = json_object_get(line, "v");
	const char *event = json_string_value(json_object_get(line, "event"));
	int64_t ms = cg_merge_time(text_of(line, "time", ""));
	if (!json_is_integer(version) || !event)
		return CG_LINE_FOREIGN;
	if (json_integer_value(version) != VERSION)
		return CG_LINE_VERSION;
	if (!is_event(event))
		return CG_LINE_FOREIGN;
	bool is_finding = *event == 'f' || *event == 'r';
	if (is_finding && !json_is_string(json_object_get(line, "kind")))
		return CG_LINE_BROKEN;
	*clock = ms == INT64_MIN ? *clock : ms;
	struct cg_merge_process *process =
	    cg_merge_process(merge, text_of(line, "host", "?"), json_integer_value(json_object_get(line, "pid")),
	                     text_of(line, "app", "?"), *clock, start_of(line, *clock));
	if (!process) {
		merge->left_out++;
		return CG_LINE_TAKEN;
	}
	cg_merge_source(merge, process, path, kind, NULL);
	take(merge, process, line, event, *clock);
	return CG_LINE_TAKEN;
}
