/* sweep_report.c: writes what there is to say to the log. */
#include "sweep_report.h"

#include <string.h>

#include "arena.h"
#include "clock.h"
#include "finding.h"
#include "fmt.h"
#include "log.h"
#include "modules.h"
#include "options.h"
#include "recorder.h"
#include "report.h"
#include "sweep_names.h"
#include "sweep_policy.h"
#include "sweep_report_parts.h"
#include "sweep_site.h"
#include "symbol.h"
#include "sys.h"
#include "unwind.h"

enum {
	TEXT_ROOM = 192 << 10,
	WARNINGS = 8,
	WARNING_LEN = 320,
	ACTIONS_AT_ONCE = 32
};

static const struct cg_options *options;
static char host[64];
static char held[WARNINGS][WARNING_LEN] CG_LARGE; /* our own lesser troubles wait for the first finding */
static unsigned held_count;
static bool troubles_told, symbol_trouble_told;
static int reserve_fd = -1;
static uint64_t lost_bytes;

static int init_log(void)
{
	struct cg_log_config config = {.target = options->log,
	                               .app = options->app,
	                               .host = host,
	                               .pid = cg_sys_getpid(),
	                               .mode = options->log_mode,
	                               .start_realtime_ns = cg_clock_realtime()};
	return cg_log_init(&config);
}

void cg_sweep_report_init(const struct cg_options *from, const char *host_name)
{
	struct cg_buf text;
	options = from;
	cg_buf_init(&text, host, sizeof host);
	cg_buf_str(&text, host_name);
	if (init_log() < 0) {
		char line[256];
		cg_buf_init(&text, line, sizeof line);
		cg_buf_fmt(&text,
		           "CLOSEGUARD_LOG: \"%.150s\" is not stderr, none, syslog or a path with %%p %%e %%h %%t; "
		           "using stderr",
		           options->log);
		cg_sweep_warn_now(line);
	}
}

void cg_sweep_report_after_fork(void)
{
	held_count = 0;
	troubles_told = symbol_trouble_told = false;
	reserve_fd = -1;
	lost_bytes = 0;
	cg_sweep_names_after_fork();
	(void)init_log();
	cg_symbol_after_fork();
}

void cg_sweep_report_keep_log(void)
{
	if (cg_recorder_header() || atomic_load(&cg_guard.inherited))
		cg_log_keep();
}

void cg_sweep_report_set_reserve(int fd)
{
	reserve_fd = fd;
}

static struct cg_report new_report(void)
{
	struct cg_header *h = cg_recorder_header();
	return (struct cg_report){.app = options->app,
	                          .host = host,
	                          .pid = h ? h->pid : (int)atomic_load(&cg_self.pid),
	                          .realtime_ns = cg_clock_realtime(),
	                          .warn_after_ns = options->warn_after_ns,
	                          .depth = cg_options_depth_chosen(options) ? options->depth : 0,
	                          .resolve = cg_symbol_resolve,
	                          .resolve_context = NULL,
	                          .passes_over = cg_sweep_policy_passes_over};
}

bool cg_report_is_json(void)
{
	return options->format == CG_FORMAT_JSON;
}

/* Of lines that are about to be written: what a terminal shows needs no time, and syslog has its own. */
struct cg_report cg_report_new_lines(void)
{
	struct cg_report report = new_report();
	report.timed = !cg_report_is_json() && cg_log_takes_time();
	return report;
}

void cg_report_add_warning(struct cg_buf *out, const struct cg_report *report, const char *text)
{
	if (cg_report_is_json())
		cg_json_warning(out, report, text);
	else
		cg_text_warning(out, report, text);
}

void cg_sweep_warn_now(const char *text)
{
	char line[1024];
	struct cg_buf out;
	struct cg_report report = cg_report_new_lines();
	cg_buf_init(&out, line, sizeof line);
	cg_report_add_warning(&out, &report, text);
	(void)cg_log_write(out.data, out.len, &reserve_fd);
}

void cg_sweep_warn_later(const char *text)
{
	struct cg_buf out;
	if (held_count == WARNINGS)
		return;
	cg_buf_init(&out, held[held_count++], WARNING_LEN);
	cg_buf_str(&out, text);
}

void cg_report_add_troubles(struct cg_buf *out, const struct cg_report *report)
{
	for (unsigned i = 0; i < held_count; i++)
		cg_report_add_warning(out, report, held[i]);
	held_count = 0;
	if (!troubles_told) {
		if (cg_recorder_trouble())
			cg_report_add_warning(out, report, cg_recorder_trouble());
		if (cg_unwind_trouble())
			cg_report_add_warning(out, report, cg_unwind_trouble());
	}
	troubles_told = true;
	if (cg_symbol_trouble() && !symbol_trouble_told) {
		symbol_trouble_told = true;
		cg_report_add_warning(out, report, cg_symbol_trouble());
	}
}

static void append(struct cg_buf *out, const struct cg_report *report, const struct cg_finding *finding,
                   enum cg_tell tell)
{
	bool again = tell == CG_TELL_AGAIN;
	if (tell == CG_TELL_RESOLVED) {
		if (cg_report_is_json())
			cg_json_resolved(out, report, finding);
		else
			cg_text_resolved(out, report, finding);
	} else if (cg_report_is_json()) {
		cg_json_finding(out, report, finding, again);
	} else {
		cg_text_finding(out, report, finding, again);
	}
}

struct cg_buf *cg_report_new_text(struct cg_sweep *sweep, size_t room)
{
	struct cg_buf *out = cg_arena_alloc(&sweep->arena, sizeof *out);
	char *data = out ? cg_arena_alloc(&sweep->arena, room) : NULL;
	if (!data)
		return NULL;
	cg_buf_init(out, data, room);
	return out;
}

/* A stuck pipe or a full disk took lines; the first that get through again say so. */
static void tell_lost(bool works_again)
{
	char text[128];
	struct cg_buf line;
	lost_bytes += cg_log_lost();
	if (!lost_bytes || !works_again)
		return;
	cg_buf_init(&line, text, sizeof text);
	cg_buf_fmt(&line, "%llu bytes of reports before this could not be written and are lost",
	           (unsigned long long)lost_bytes);
	lost_bytes = 0;
	cg_sweep_warn_now(text);
}

void cg_report_flush(struct cg_buf *out)
{
	if (out->len)
		tell_lost(cg_log_write(out->data, out->len, &reserve_fd) == 0);
	cg_buf_init(out, out->data, out->size);
}

/* An event is told in the sweep that takes it up; what is told at the end cannot wait either. */
static bool may_wait(const struct cg_sweep *sweep, const struct cg_group *group)
{
	return group && !group->is_event && !sweep->final;
}

unsigned cg_sweep_tell(struct cg_sweep *sweep, const struct cg_groups *groups, bool may_load)
{
	struct cg_report report = new_report();
	struct cg_finding *finding = NULL;
	struct cg_buf *out = NULL;
	unsigned told = 0;
	bool first = true;
	for (unsigned i = 0; i < groups->end; i++) {
		enum cg_tell tell = cg_group_decide(sweep, groups, i);
		struct cg_kept_finding *kept = cg_recorder_finding(i, false);
		if (tell == CG_TELL_NOTHING)
			continue;
		if (!out) {
			out = cg_report_new_text(sweep, TEXT_ROOM);
			report = cg_report_new_lines();
			finding = cg_arena_alloc(&sweep->arena, sizeof *finding);
			cg_sweep_names_begin(CG_NAMES_BUDGET_NS, may_load);
		}
		if (!out || !finding)
			return told;
		cg_finding_make(sweep, kept, groups->list[i], finding);
		cg_sweep_names_of(finding);
		if (may_wait(sweep, groups->list[i]) && cg_sweep_names_wait(i, finding, sweep->now_ns, &first)) {
			sweep->waiting = true;
			continue;
		}
		kept->suppressed = tell != CG_TELL_RESOLVED && cg_sweep_policy_suppresses(finding, &report) != NULL;
		if (kept->suppressed)
			continue;
		if (tell != CG_TELL_RESOLVED && cg_sweep_bears(kept, finding, &report) && kept->reported)
			continue;
		if (tell != CG_TELL_RESOLVED)
			cg_sweep_site(&report, groups, kept, finding);
		append(out, &report, finding, tell);
		cg_report_add_troubles(out, &report);
		cg_report_flush(out);
		cg_group_told(kept, groups->list[i], tell);
		told += tell != CG_TELL_RESOLVED;
	}
	if (out)
		cg_symbol_end();
	return told;
}

void cg_sweep_tell_actions(struct cg_sweep *sweep, bool all, bool may_load)
{
	struct cg_action_view *views = NULL;
	unsigned n = ACTIONS_AT_ONCE;
	if (!cg_sweep_policy_has_news(sweep, all))
		return;
	struct cg_report report = cg_report_new_lines();
	views = cg_arena_alloc(&sweep->arena, ACTIONS_AT_ONCE * sizeof *views);
	struct cg_buf *out = cg_report_new_text(sweep, TEXT_ROOM);
	while (views && out && n == ACTIONS_AT_ONCE) {
		n = cg_sweep_policy_news(sweep, all, views, ACTIONS_AT_ONCE);
		if (n)
			cg_sweep_names_begin(CG_NAMES_BUDGET_NS, may_load);
		for (unsigned i = 0; i < n; i++) {
			if (cg_report_is_json())
				cg_json_action(out, &report, &views[i]);
			else
				cg_text_action(out, &report, &views[i]);
			cg_report_flush(out);
		}
		if (n)
			cg_symbol_end();
	}
}
