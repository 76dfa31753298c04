/*
 * report_text_source.c: the one process of a report, with its counters, as the summary in its own log has them.
 */
#include <string.h>
#include <unistd.h>

#include "report.h"
#include "report_text.h"
#include "report_text_place.h"
#include "report_view.h"

static const char *words_of(const char *state)
{
	static const struct {
		const char *state, *words;
	} table[] = {
	    {"live", "running"},
	    {"stopped", "stopped by a signal; it is reported on all the same"},
	    {"killed", "gone without an exit of its own: killed or crashed"},
	    {"exited", "exited"},
	    {"execed", "became another program"},
	    {"sealed", "in a sandbox, which ended its record"},
	};
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (strcmp(table[i].state, state) == 0)
			return table[i].words;
	return "what has become of it is not known";
}

static void add_process(struct cg_buf *out, const json_t *source)
{
	const json_t *about = json_object_get(source, "process");
	const char *since = cg_report_text_of(about, "state_time"), *sweep = cg_report_text_of(about, "last_sweep");
	cg_buf_fmt(out, "  %-16s %s", "process", words_of(cg_report_text_of(source, "state")));
	if (*since) {
		cg_buf_str(out, " at ");
		cg_text_plain(out, since);
	}
	if (*sweep) {
		cg_buf_str(out, "; ages are as of its last sweep, ");
		cg_text_plain(out, sweep);
	} else if (json_is_object(about)) {
		cg_buf_str(out, "; no sweep had looked at it yet");
	} else {
		cg_buf_str(out, "; its last word is of ");
		cg_text_plain(out, cg_report_text_of(source, "to"));
	}
	cg_buf_fmt(out, "\n  %-16s ", json_is_object(about) ? "recorder" : cg_report_text_of(source, "kind"));
	cg_text_plain(out, cg_report_text_of(source, "path"));
	json_int_t owner = json_integer_value(json_object_get(about, "uid"));
	if (json_object_get(about, "uid") && owner != (json_int_t)geteuid())
		cg_buf_fmt(out, ", the word of user %lu", (unsigned long)owner);
	cg_buf_char(out, '\n');
}

static uint64_t counter(const json_t *counters, const char *name)
{
	return (uint64_t)cg_report_number_of(counters, name);
}

void cg_report_text_source(struct cg_buf *out, const json_t *source, unsigned findings)
{
	const json_t *counters = json_object_get(source, "counters");
	const char *kind = cg_report_text_of(source, "kind");
	struct cg_report report = {.app = cg_report_text_of(source, "app"),
	                           .host = cg_report_text_of(source, "host"),
	                           .pid = (int)json_integer_value(json_object_get(source, "pid"))};
	struct cg_summary summary = {.reason = strcmp(kind, "process") == 0 ? "recorder" : kind,
	                             .opened = counter(counters, "opened"),
	                             .closed = counter(counters, "closed"),
	                             .eofs = counter(counters, "eofs"),
	                             .open_now = counter(counters, "open_now"),
	                             .closed_in_time = counter(counters, "closed_in_time"),
	                             .closed_late = counter(counters, "closed_late"),
	                             .double_closes = counter(counters, "double_closes"),
	                             .uses_after_close = counter(counters, "uses_after_close"),
	                             .adopted = counter(counters, "adopted"),
	                             .findings = counter(counters, "findings"),
	                             .sweeps = counter(counters, "sweeps"),
	                             .sweep_cpu_ns = cg_report_ns_of(counters, "sweep_cpu_s"),
	                             .uptime_ns = cg_report_ns_of(counters, "uptime_s"),
	                             .unseen_descriptors = counter(counters, "unseen_descriptors"),
	                             .stack_overflows = counter(counters, "stack_overflows"),
	                             .groups = findings};
	if (json_object_size(counters)) {
		cg_text_summary_begin(out, &report, &summary);
	} else {
		cg_buf_str(out, "closeguard: ");
		cg_report_text_process(out, source, false);
		cg_buf_fmt(out, ": summary (%s): %u finding%s outstanding\n", summary.reason, findings,
		           findings == 1 ? "" : "s");
	}
	add_process(out, source);
}
