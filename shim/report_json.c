/* report_json.c: findings for scripts, one JSON object a line. */
#include "report_action.h"
#include "report_json_finding.h"
#include "version.h"

static const struct cg_json_detail whole = {CG_MAX_DEPTH, CG_SOCKETS_SHOWN};
static const struct cg_json_detail brief = {6, 1}; /* still tells the place and a way to look the socket up */

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

static bool try_line(struct cg_buf *out, const struct cg_report *report, const char *event,
                     const struct cg_finding *finding, bool again, const struct cg_json_detail *detail)
{
	size_t start = out->len;
	bool before = out->truncated;
	out->truncated = false;
	begin_line(out, report, event);
	cg_buf_char(out, ',');
	cg_json_members(out, report, finding, again, detail);
	cg_buf_str(out, "}\n");
	return keep_if_whole(out, start, before);
}

void cg_json_finding(struct cg_buf *out, const struct cg_report *report, const struct cg_finding *finding, bool again)
{
	if (!try_line(out, report, "finding", finding, again, &whole))
		try_line(out, report, "finding", finding, again, &brief);
}

void cg_json_resolved(struct cg_buf *out, const struct cg_report *report, const struct cg_finding *finding)
{
	if (!try_line(out, report, "resolved", finding, false, &whole))
		try_line(out, report, "resolved", finding, false, &brief);
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

void cg_json_summary_begin(struct cg_buf *out, const struct cg_report *report, const struct cg_summary *summary)
{
	begin_line(out, report, "summary");
	cg_json_string(out, "reason", summary->reason);
	add_counters(out, summary);
	cg_buf_str(out, ",\"groups\":[");
}

/* Room that groups leave for what comes after them: some actions, and the end. */
enum { END_ROOM = 4096 };

static bool try_group(struct cg_buf *out, const struct cg_report *report, const struct cg_finding *finding, bool first,
                      const struct cg_json_detail *detail)
{
	size_t start = out->len;
	bool before = out->truncated;
	out->truncated = false;
	cg_buf_str(out, first ? "{" : ",{");
	cg_json_members(out, report, finding, false, detail);
	cg_buf_char(out, '}');
	return keep_if_whole(out, start, before);
}

/*
 * A group that does not fit is left out; the first one leaves a mark, since the next begins with a comma. The summary's
 * end keeps its room, so that the line stays an object however many groups there are.
 */
void cg_json_summary_group(struct cg_buf *out, const struct cg_report *report, const struct cg_finding *finding,
                           bool first)
{
	static const char mark[] = "{\"truncated\":true}";
	size_t size = out->size, kept = sizeof(mark) + (size / 2 > END_ROOM ? END_ROOM : sizeof("],\"actions\":[]}\n"));
	if (size > out->len + kept)
		out->size -= kept;
	bool written = try_group(out, report, finding, first, &whole) || try_group(out, report, finding, first, &brief);
	out->size = size;
	if (!written && first)
		cg_buf_str(out, mark);
}

void cg_json_summary_end(struct cg_buf *out, const struct cg_report *report, const struct cg_summary *summary)
{
	static const char end[] = "]}\n";
	size_t size = out->size;
	cg_buf_str(out, "],\"actions\":[");
	if (size > out->len + sizeof(end))
		out->size -= sizeof(end);
	for (unsigned i = 0; i < summary->action_count; i++) {
		size_t start = out->len;
		bool before = out->truncated;
		out->truncated = false;
		cg_buf_str(out, i ? ",{" : "{");
		cg_json_action_members(out, report, &summary->actions[i], false);
		cg_buf_char(out, '}');
		if (!keep_if_whole(out, start, before))
			break;
	}
	out->size = size;
	cg_buf_str(out, end);
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
