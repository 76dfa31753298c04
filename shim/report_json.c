/* report_json.c: findings for scripts, one JSON object a line. */
#include "report_action.h"
#include "report_json_finding.h"
#include "version.h"

/* What is written where all does not fit into a line: the last level always does. */
static const struct cg_json_detail levels[] = {
    {CG_JSON_LINES, CG_SOCKETS_SHOWN}, {CG_JSON_LINES, 4}, {6, 1}, {2, 1}, {0, 0}};
enum { LEVELS = sizeof levels / sizeof levels[0] };

/* Everything: where a depth was asked for, and of a recorder. */
static const struct cg_json_detail everything = {CG_MAX_DEPTH * CG_FRAMES_PER_IP, CG_SOCKETS_SHOWN};

/* Log collectors cut a line that is longer, or drop it. */
enum { LINE_MAX_SIZE = 16 << 10 };

static void begin_line(struct cg_buf *out, const struct cg_report *report, const char *event)
{
	cg_buf_fmt(out, "{\"v\":1,\"event\":\"%s\",\"time\":\"", event);
	cg_buf_rfc3339(out, report->realtime_ns);
	cg_buf_str(out, "\",\"host\":");
	cg_buf_json_string(out, report->host);
	cg_buf_fmt(out, ",\"pid\":%d", report->pid);
	cg_json_string(out, "app", report->app);
	cg_buf_str(out, ",\"version\":\"" CG_VERSION "\"");
}

/*
 * Half a JSON object is worse than none: what did not fit since start is taken back. Returns whether all was there;
 * `truncated` stays set where it was not, and where it had been before.
 */
static bool keep_if_whole(struct cg_buf *out, size_t start, bool truncated_before)
{
	bool fits = !out->truncated;
	if (!fits) {
		out->len = start;
		out->data[start] = '\0';
	}
	out->truncated |= truncated_before;
	return fits;
}

/* From `start`, no line may be longer. Returns the room that there was. */
static size_t limit_line(struct cg_buf *out, const struct cg_report *report, size_t start)
{
	size_t size = out->size;
	if (!report->whole && size - start > LINE_MAX_SIZE + 1)
		out->size = start + LINE_MAX_SIZE + 1;
	return size;
}

static bool try_line(struct cg_buf *out, const struct cg_report *report, const char *event,
                     const struct cg_finding *finding, bool again, const struct cg_json_detail *detail)
{
	size_t start = out->len, size = limit_line(out, report, start);
	bool before = out->truncated;
	out->truncated = false;
	begin_line(out, report, event);
	cg_buf_char(out, ',');
	cg_json_members(out, report, finding, again, detail);
	cg_buf_str(out, "}\n");
	bool fits = keep_if_whole(out, start, before);
	out->size = size;
	return fits;
}

static bool shows_all(const struct cg_report *report)
{
	return report->whole || report->depth;
}

static void add_line(struct cg_buf *out, const struct cg_report *report, const char *event,
                     const struct cg_finding *finding, bool again)
{
	if (shows_all(report) && try_line(out, report, event, finding, again, &everything))
		return;
	for (unsigned i = 0; i < LEVELS; i++) {
		if (try_line(out, report, event, finding, again, &levels[i]))
			break;
	}
}

void cg_json_finding(struct cg_buf *out, const struct cg_report *report, const struct cg_finding *finding, bool again)
{
	add_line(out, report, "finding", finding, again);
}

void cg_json_resolved(struct cg_buf *out, const struct cg_report *report, const struct cg_finding *finding)
{
	add_line(out, report, "resolved", finding, false);
}

void cg_json_warning(struct cg_buf *out, const struct cg_report *report, const char *text)
{
	size_t start = out->len;
	bool before = out->truncated;
	out->truncated = false;
	begin_line(out, report, "warning");
	cg_json_string(out, "message", text);
	cg_buf_str(out, "}\n");
	keep_if_whole(out, start, before);
}

static void add_counters(struct cg_buf *out, const struct cg_summary *summary)
{
	const struct {
		const char *name;
		uint64_t n;
	} counters[] = {
	    {"opened", summary->opened},
	    {"closed", summary->closed},
	    {"open_now", summary->open_now},
	    {"eofs", summary->eofs},
	    {"closed_in_time", summary->closed_in_time},
	    {"closed_late", summary->closed_late},
	    {"double_closes", summary->double_closes},
	    {"uses_after_close", summary->uses_after_close},
	    {"adopted", summary->adopted},
	    {"findings", summary->findings},
	    {"leaks_told", summary->leaks_told},
	    {"sweeps", summary->sweeps},
	    {"unseen_descriptors", summary->unseen_descriptors},
	    {"stack_overflows", summary->stack_overflows},
	};
	for (unsigned i = 0; i < sizeof(counters) / sizeof(*counters); i++)
		cg_buf_fmt(out, ",\"%s\":%lu", counters[i].name, counters[i].n);
	cg_buf_str(out, ",\"sweep_cpu_s\":");
	cg_buf_seconds(out, summary->sweep_cpu_ns);
	cg_buf_str(out, ",\"uptime_s\":");
	cg_buf_seconds(out, summary->uptime_ns);
}

/* So many of what a policy did are in one line, and leave room for a group. */
enum { ACTIONS_PER_LINE = 8 };

unsigned cg_json_summary_parts(const struct cg_summary *summary)
{
	unsigned by_actions = (summary->action_count + ACTIONS_PER_LINE - 1) / ACTIONS_PER_LINE;
	unsigned most = summary->groups > by_actions ? summary->groups : by_actions;
	return most ? most : 1;
}

static void add_actions(struct cg_buf *out, const struct cg_report *report, const struct cg_summary *summary,
                        unsigned part)
{
	unsigned from = (part - 1) * ACTIONS_PER_LINE, to = from + ACTIONS_PER_LINE;
	cg_buf_str(out, ",\"actions\":[");
	for (unsigned i = from; i < to && i < summary->action_count; i++) {
		cg_buf_str(out, i > from ? ",{" : "{");
		cg_json_action_members(out, report, &summary->actions[i], false);
		cg_buf_char(out, '}');
	}
	cg_buf_char(out, ']');
}

static bool try_part(struct cg_buf *out, const struct cg_report *report, const struct cg_summary *summary,
                     unsigned part, const struct cg_finding *finding, const struct cg_json_detail *detail)
{
	size_t start = out->len, size = limit_line(out, report, start);
	bool before = out->truncated;
	unsigned parts = cg_json_summary_parts(summary);
	out->truncated = false;
	begin_line(out, report, "summary");
	cg_json_string(out, "reason", summary->reason);
	if (parts > 1)
		cg_buf_fmt(out, ",\"part\":%u,\"parts\":%u", part, parts);
	add_counters(out, summary);
	cg_buf_str(out, ",\"groups\":[");
	if (finding) {
		cg_buf_char(out, '{');
		cg_json_members(out, report, finding, false, detail);
		cg_buf_char(out, '}');
	}
	cg_buf_char(out, ']');
	add_actions(out, report, summary, part);
	cg_buf_str(out, "}\n");
	bool fits = keep_if_whole(out, start, before);
	out->size = size;
	return fits;
}

void cg_json_summary(struct cg_buf *out, const struct cg_report *report, const struct cg_summary *summary,
                     unsigned part, const struct cg_finding *finding)
{
	if (shows_all(report) && try_part(out, report, summary, part, finding, &everything))
		return;
	for (unsigned i = 0; i < LEVELS; i++) {
		if (try_part(out, report, summary, part, finding, &levels[i]))
			return;
	}
}

void cg_json_action(struct cg_buf *out, const struct cg_report *report, const struct cg_action_view *view)
{
	size_t start = out->len;
	bool before = out->truncated;
	out->truncated = false;
	begin_line(out, report, "action");
	cg_buf_char(out, ',');
	cg_json_action_members(out, report, view, true);
	cg_buf_str(out, "}\n");
	keep_if_whole(out, start, before);
}
