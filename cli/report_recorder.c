/*
 * report_recorder.c: tells a recorder's findings as the lines that its process would have written.
 *
 * The process is not asked and not touched: it may be stopped, deadlocked or dead.
 */
#include "report_recorder.h"

#include <inttypes.h>
#include <string.h>

#include "naming.h"
#include "report.h"
#include "report_process.h"
#include "report_text_place.h"
#include "retelling.h"

enum { ROOM = 1 << 20 }; /* for the largest finding; each is told by itself */

struct telling {
	struct cg_merge *merge;
	struct cg_recording *recording;
	struct cg_merge_process *process;
	int64_t ms; /* of the last sweep */
	json_int_t leaked;
};

static struct cg_report report_of(struct cg_recording *recording)
{
	return (struct cg_report){.app = recording->header.app,
	                          .host = recording->header.host,
	                          .pid = recording->header.pid,
	                          .realtime_ns = cg_report_realtime(recording, recording->as_of_ns),
	                          .warn_after_ns = recording->header.warn_after_ns,
	                          .whole = true,
	                          .resolve = cg_naming_resolve,
	                          .resolve_context = recording};
}

static void tell_finding(struct telling *telling, const struct cg_finding *finding)
{
	static char room[ROOM];
	struct cg_buf text;
	struct cg_report report = report_of(telling->recording);
	cg_buf_init(&text, room, sizeof room);
	cg_json_finding(&text, &report, finding, false);
	json_t *line = json_loadb(text.data, text.len, 0, NULL);
	if (line && cg_merge_finding(telling->merge, telling->process, line, telling->ms, finding->count, true))
		telling->leaked += finding->verdict == CG_VERDICT_LEAK && finding->kind != CG_KIND_FD_EXHAUSTION &&
		                           !*finding->suppressed
		                       ? finding->count
		                       : 0;
	json_decref(line);
}

static void tell_counters(struct telling *telling, const struct cg_retelling *retelling)
{
	static char room[ROOM];
	struct cg_buf text;
	struct cg_summary summary;
	struct cg_report report = report_of(telling->recording);
	cg_buf_init(&text, room, sizeof room);
	cg_retelling_summary(retelling, &summary);
	summary.groups = summary.action_count = 0; /* told by themselves */
	cg_json_summary(&text, &report, &summary, 1, NULL);
	json_t *line = json_loadb(text.data, text.len, 0, NULL);
	cg_merge_counters(telling->merge, telling->process, line);
	json_decref(line);
}

static void tell_troubles(struct telling *telling)
{
	char troubles[CG_RECORDING_TROUBLES][CG_RECORDING_WHY];
	unsigned n = cg_recording_troubles(telling->recording, troubles);
	uint64_t leaked = telling->recording->header.count.leaked_now;
	for (unsigned i = 0; i < n; i++)
		cg_merge_warn(telling->merge, "%s", troubles[i]);
	if (n && leaked > (uint64_t)telling->leaked) {
		cg_merge_warn(telling->merge,
		              "%s: by its header, %" PRIu64 " sockets are leaked, and %lld could be told",
		              telling->recording->path, leaked, (long long)telling->leaked);
		telling->merge->failed = true;
	}
}

/* How it came to be so many. A number holds until the next point, the last one until the last look. */
static void tell_course(struct telling *telling)
{
	static struct cg_course course;
	if (!cg_recording_course(telling->recording, &course))
		return;
	cg_merge_timeline_at(telling->merge, telling->process,
	                     (int64_t)(telling->recording->header.start_realtime_ns / 1000000), 0);
	for (unsigned i = 0; i < course.count; i++)
		cg_merge_timeline_at(telling->merge, telling->process,
		                     (int64_t)(cg_report_realtime(telling->recording, course.points[i].ns) / 1000000),
		                     course.points[i].count);
}

/* The recorder knows best what has become of its process, if it was told of later than the log. */
static bool begin(struct telling *telling)
{
	struct cg_recording *recording = telling->recording;
	const struct cg_header *h = &recording->header;
	bool runs = recording->alive;
	struct cg_report report = report_of(recording);
	char texts[2][sizeof h->exe], *host = texts[0], *app = texts[1];
	struct cg_buf buf;
	cg_buf_init(&buf, host, sizeof texts[0]);
	cg_text_plain(&buf, report.host);
	cg_buf_init(&buf, app, sizeof texts[1]);
	cg_text_plain(&buf, report.app);
	telling->ms = (int64_t)(report.realtime_ns / 1000000);
	telling->process = cg_merge_process(telling->merge, host, report.pid, app, telling->ms,
	                                    (int64_t)(h->start_realtime_ns / 1000000));
	if (!telling->process)
		return false;
	telling->process->state = cg_report_process_state(recording);
	if (h->start_realtime_ns && (int64_t)(h->start_realtime_ns / 1000000) < telling->process->from_ms)
		telling->process->from_ms = (int64_t)(h->start_realtime_ns / 1000000);
	json_t *about = cg_report_process_about(recording);
	cg_merge_source(telling->merge, telling->process, recording->path, runs ? "process" : "recorder", about);
	json_decref(about);
	return true;
}

void cg_report_recorder(struct cg_merge *merge, struct cg_recording *recording)
{
	static struct cg_retelling retelling;
	static struct cg_finding finding;
	struct telling telling = {.merge = merge, .recording = recording};
	cg_naming_begin();
	cg_naming_note(recording);
	if (!begin(&telling)) {
		merge->left_out++;
		return;
	}
	cg_retelling_begin(recording, &retelling);
	cg_retelling_ask_kernel(&retelling);
	tell_counters(&telling, &retelling);
	cg_merge_restate(telling.process);
	for (unsigned i = 0; i < retelling.count; i++) {
		cg_retelling_make(&retelling, i, &finding);
		tell_finding(&telling, &finding);
	}
	cg_merge_restated(merge, telling.process, telling.ms);
	tell_course(&telling);
	cg_merge_timeline(merge, telling.process, telling.ms);
	tell_troubles(&telling);
}
