/*
 * top_view.c: keeps what is shown in step with the model.
 */
#include "top_view.h"

#include "top_detail.h"
#include "top_help.h"
#include "top_names.h"

static uint64_t id_of(const void *row)
{
	return *(const uint64_t *)row;
}

/* The chosen row stays chosen wherever it moves; where it has gone, the one in its place is. */
static void find_chosen(struct cg_top_list *list)
{
	unsigned count = list->rows.count;
	for (unsigned i = 0; i < count; i++) {
		if (id_of(list->rows.list[i]) == list->chosen) {
			list->at = i;
			return;
		}
	}
	list->at = count && list->at >= count ? count - 1 : count ? list->at : 0;
	/* Until somebody chooses, the first row is it, whichever that becomes. */
	if (list->chosen && count)
		list->chosen = id_of(list->rows.list[list->at]);
	else
		list->at = 0;
}

static const struct cg_top_process *process_of(const struct cg_top_model *model, uint64_t id)
{
	for (unsigned i = 0; i < model->process_count; i++)
		if (model->processes[i]->id == id)
			return model->processes[i];
	return NULL;
}

static const struct cg_top_finding *finding_of(const struct cg_top_model *model, uint64_t id)
{
	for (unsigned i = 0; i < model->process_count; i++)
		for (unsigned j = 0; j < model->processes[i]->finding_count; j++)
			if (model->processes[i]->findings[j]->id == id)
				return model->processes[i]->findings[j];
	return NULL;
}

/* Lines are made anew where something they are made from has changed, so in a pause only as names come in. */
static bool is_filled(struct cg_top_view *view, unsigned width)
{
	uint64_t opened = view->opened, now_ns = view->watch->model.now_ns;
	unsigned names = cg_top_names_version();
	bool same = view->filled.opened == opened && view->filled.now_ns == now_ns && view->filled.names == names &&
	            view->filled.width == width;
	view->filled.opened = opened;
	view->filled.now_ns = now_ns;
	view->filled.names = names;
	view->filled.width = width;
	return same;
}

static void update_lines(struct cg_top_view *view, unsigned width)
{
	view->lines.width = width;
	if (view->help) {
		view->filled.opened = 0;
		cg_top_help_fill(&view->lines);
	} else if (!is_filled(view, width)) {
		const struct cg_top_finding *finding = finding_of(&view->watch->model, view->opened);
		view->resolved = !finding || !cg_top_detail_fill(finding, &view->lines);
	}
}

void cg_top_view_update(struct cg_top_view *view, unsigned width)
{
	const struct cg_top_model *model = &view->watch->model;
	struct cg_top_list *processes = &view->lists[CG_TOP_PROCESSES], *findings = &view->lists[CG_TOP_FINDINGS];
	if (view->filter.process && !process_of(model, view->filter.process))
		view->filter.process = 0;
	(void)cg_top_rows_processes(model, &processes->choice, &view->filter, &processes->rows);
	(void)cg_top_rows_findings(model, &findings->choice, &view->filter, &findings->rows);
	find_chosen(processes);
	if (view->help || view->opened)
		update_lines(view, width);
	find_chosen(findings);
}

static const void *chosen_row(const struct cg_top_list *list)
{
	return list->at < list->rows.count ? list->rows.list[list->at] : NULL;
}

const struct cg_top_process *cg_top_view_opened_process(const struct cg_top_view *view)
{
	return process_of(&view->watch->model, view->filter.process);
}

const struct cg_top_process *cg_top_view_process(const struct cg_top_view *view)
{
	return chosen_row(&view->lists[CG_TOP_PROCESSES]);
}

const struct cg_top_finding *cg_top_view_finding(const struct cg_top_view *view)
{
	return chosen_row(&view->lists[CG_TOP_FINDINGS]);
}
