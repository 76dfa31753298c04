/*
 * report_process.c: tells how the process of a recording is.
 */
#include "report_process.h"

#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "fmt.h"
#include "json_text.h"

uint64_t cg_report_realtime(const struct cg_recording *recording, uint64_t ns)
{
	const struct cg_header *h = &recording->header;
	return h->start_realtime_ns + (ns > h->start_ns ? ns - h->start_ns : 0);
}

/* By a signal, a debugger or a cgroup's freezer (which looks like sleep, and is not told). */
static bool is_stopped(pid_t pid)
{
	char path[64], line[256] = "";
	if (cg_common_print(path, sizeof path, "/proc/%d/stat", (int)pid) < 0)
		return false;
	FILE *stat = fopen(path, "re");
	if (!stat)
		return false;
	const char *end = fgets(line, sizeof line, stat) ? strrchr(line, ')') : NULL;
	fclose(stat);
	return end && (end[2] == 'T' || end[2] == 't');
}

const char *cg_report_process_state(const struct cg_recording *recording)
{
	switch ((enum cg_process_state)recording->header.state) {
	case CG_STATE_LIVE:
		if (recording->elsewhere || recording->foreign)
			return "unknown";
		if (!recording->alive)
			return "killed";
		return is_stopped(recording->header.pid) ? "stopped" : "live";
	case CG_STATE_EXITED:
		return "exited";
	case CG_STATE_EXECED:
		return "execed";
	case CG_STATE_SEALED:
		return "sealed";
	default:
		return "unknown";
	}
}

static json_t *time_or_null(uint64_t realtime_ns, bool known)
{
	char text[64];
	struct cg_buf buf;
	cg_buf_init(&buf, text, sizeof text);
	cg_buf_rfc3339(&buf, realtime_ns);
	return known ? json_string(text) : json_null();
}

json_t *cg_report_process_about(const struct cg_recording *recording)
{
	const struct cg_header *h = &recording->header;
	const char *state = cg_report_process_state(recording);
	bool runs = strcmp(state, "live") == 0 || strcmp(state, "stopped") == 0;
	bool told = h->state == CG_STATE_EXITED || h->state == CG_STATE_EXECED || h->state == CG_STATE_SEALED;
	json_t *about = json_object();
	json_object_set_new(about, "state", json_string(runs ? "running" : state));
	json_object_set_new(about, "state_time", time_or_null(cg_report_realtime(recording, h->state_ns), told));
	json_object_set_new(about, "last_sweep",
	                    time_or_null(cg_report_realtime(recording, recording->as_of_ns), h->last_sweep_ns));
	json_object_set_new(about, "exe", cg_json_text(h->exe));
	json_object_set_new(about, "uid", json_integer(h->uid));
	json_object_set_new(about, "recorder", cg_json_text(recording->path));
	return about;
}
