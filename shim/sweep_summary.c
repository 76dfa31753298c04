/* sweep_summary.c: every group with the counters, at the end or where it was asked for. */
#include "arena.h"
#include "clock.h"
#include "finding.h"
#include "recorder.h"
#include "report.h"
#include "sweep_names.h"
#include "sweep_policy.h"
#include "sweep_report.h"
#include "sweep_report_parts.h"
#include "sweep_site.h"
#include "symbol.h"

enum { SUMMARY_ROOM = 2 << 20, GROUP_ROOM = 64 << 10, ACTIONS_IN_SUMMARY = 128 };

static void fill_summary(struct cg_sweep *sweep, const struct cg_groups *groups, const char *reason,
                         struct cg_summary *ret)
{
	struct cg_header *h = cg_recorder_header();
	struct cg_counters *count = &h->count;
	*ret = (struct cg_summary){
	    .reason = reason,
	    .opened = atomic_load(&count->opened),
	    .closed = atomic_load(&count->closed),
	    .eofs = atomic_load(&count->eofs),
	    .open_now = atomic_load(&h->open_now),
	    .double_closes = atomic_load(&count->double_closes),
	    .uses_after_close = atomic_load(&count->uses_after_close),
	    .adopted = atomic_load(&count->adopted),
	    .findings = atomic_load(&count->findings),
	    .leaks_told = atomic_load(&count->leaks_told),
	    .sweeps = atomic_load(&count->sweeps),
	    .sweep_cpu_ns = atomic_load(&count->sweep_ns),
	    .uptime_ns = cg_clock_since(sweep->now_ns, h->start_ns),
	    .unseen_descriptors = atomic_load(&count->beyond_limit),
	    .stack_overflows = atomic_load(&count->stack_overflows),
	    .groups = 0,
	    .actions = NULL,
	    .action_count = 0,
	};
	for (unsigned i = 0; i < CG_MAX_SITES; i++) {
		struct cg_site *site = cg_recorder_site(i, false);
		if (!site) {
			i |= (CG_CHUNK_SIZE / 256) - 1;
			continue;
		}
		ret->closed_in_time += atomic_load(&site->closed_in_time);
		ret->closed_late += atomic_load(&site->closed_late);
	}
	for (unsigned i = 0; i < groups->end; i++) {
		struct cg_kept_finding *kept = cg_recorder_finding(i, false);
		ret->groups += kept && kept->count;
	}
}

/* What a policy has to say of the finding, or could have. */
static void note_policy(struct cg_kept_finding *kept, struct cg_finding *finding, const struct cg_report *report)
{
	const char *why = cg_sweep_policy_suppresses(finding, report);
	struct cg_buf text;
	if (!why && cg_sweep_bears(kept, finding, report))
		return;
	kept->suppressed = why ? CG_SUPPRESSED_BY_POLICY : CG_SUPPRESSED_NOT;
	cg_buf_init(&text, finding->suppressed, sizeof finding->suppressed);
	if (why)
		cg_buf_str(&text, why);
	else
		cg_sweep_policy_suggest(finding, report);
}

static void add_trailer(struct cg_buf *out, const struct cg_report *report)
{
	cg_report_add_troubles(out, report);
	if (cg_sweep_names_missing())
		cg_report_add_warning(
		    out, report,
		    "there was no time left for some names of functions and lines; `closeguard report` finds "
		    "them in the recorder");
}

/* A group that is told in the summary, its names and what a policy has to say of it. */
static bool make_group(struct cg_sweep *sweep, const struct cg_groups *groups, unsigned i,
                       const struct cg_report *report, struct cg_finding *finding)
{
	struct cg_kept_finding *kept = cg_recorder_finding(i, false);
	if (!kept || !kept->count)
		return false;
	cg_finding_make(sweep, kept, groups->list[i], finding);
	cg_sweep_names_of(finding);
	note_policy(kept, finding, report);
	cg_sweep_site(report, groups, kept, finding);
	return true;
}

/* Before the buffer is full, and not more often: a stuck reader is waited for each time. */
static void make_room(struct cg_buf *out)
{
	if (out->size - out->len < GROUP_ROOM)
		cg_report_flush(out);
}

static void summarise_as_json(struct cg_sweep *sweep, const struct cg_groups *groups, const struct cg_report *report,
                              const struct cg_summary *summary, struct cg_buf *out, struct cg_finding *finding)
{
	unsigned part = 1, parts = cg_json_summary_parts(summary);
	for (unsigned i = 0; i < groups->end && part <= parts; i++) {
		if (!make_group(sweep, groups, i, report, finding))
			continue;
		make_room(out);
		cg_json_summary(out, report, summary, part++, finding);
		if (part == 2)
			cg_report_flush(out); /* the counters, whatever becomes of the other names */
	}
	for (; part <= parts; part++) {
		make_room(out);
		cg_json_summary(out, report, summary, part, NULL);
	}
}

static void summarise_as_text(struct cg_sweep *sweep, const struct cg_groups *groups, const struct cg_report *report,
                              const struct cg_summary *summary, struct cg_buf *out, struct cg_finding *finding)
{
	bool first = true;
	cg_text_summary_begin(out, report, summary);
	cg_report_flush(out); /* the counters, whatever becomes of the names */
	for (unsigned i = 0; i < groups->end; i++) {
		if (!make_group(sweep, groups, i, report, finding))
			continue;
		make_room(out);
		cg_text_summary_group(out, report, finding, first);
		first = false;
	}
	cg_text_summary_end(out, report, summary);
}

void cg_sweep_summarise(struct cg_sweep *sweep, const struct cg_groups *groups, const char *reason, bool may_load)
{
	struct cg_summary summary;
	struct cg_buf *out = cg_report_new_text(sweep, SUMMARY_ROOM);
	struct cg_finding *finding = cg_arena_alloc(&sweep->arena, sizeof *finding);
	if (!cg_recorder_header() || !out || !finding)
		return;
	struct cg_report report = cg_report_new_lines();
	cg_sweep_names_begin(2 * CG_NAMES_BUDGET_NS, may_load);
	fill_summary(sweep, groups, reason, &summary);
	struct cg_action_view *actions = cg_arena_alloc(&sweep->arena, ACTIONS_IN_SUMMARY * sizeof *actions);
	summary.actions = actions;
	summary.action_count = actions ? cg_sweep_policy_totals(actions, ACTIONS_IN_SUMMARY) : 0;
	if (cg_report_is_json())
		summarise_as_json(sweep, groups, &report, &summary, out, finding);
	else
		summarise_as_text(sweep, groups, &report, &summary, out, finding);
	add_trailer(out, &report);
	cg_report_flush(out);
	cg_symbol_end();
}
