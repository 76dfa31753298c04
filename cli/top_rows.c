/*
 * top_rows.c: filters and sorts rows.
 */
#include "top_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "top_same.h"
#include "top_site.h"

/* Wide enough that nothing that is looked for is cut off. */
enum { CELL_BYTES = 512, CELL_COLUMNS = 200 };

void cg_top_rows_choose(struct cg_top_choice *choice, const struct cg_top_table *table)
{
	*choice = (struct cg_top_choice){.table = table, .sort = table->usual};
}

void cg_top_rows_sort_by_next(struct cg_top_choice *choice, int step)
{
	unsigned count = choice->table->count;
	do
		choice->sort = (choice->sort + count + (unsigned)step) % count;
	while (!choice->table->columns[choice->sort].order);
	choice->reverse = false;
}

static bool has_text(const struct cg_top_table *table, const void *row, const char *text)
{
	char cell[CELL_BYTES];
	struct cg_buf out;
	for (unsigned i = 0; i < table->count; i++) {
		cg_buf_init(&out, cell, sizeof cell);
		table->columns[i].cell(row, &out, CELL_COLUMNS);
		if (strcasestr(cell, text))
			return true;
	}
	return false;
}

static bool process_has_text(const struct cg_top_process *process, const char *text)
{
	return !*text || has_text(&cg_top_process_table, process, text);
}

static bool is_process_shown(const struct cg_top_process *process, const struct cg_top_filter *filter)
{
	if (filter->hide_dead && !cg_top_state_is_there(process->state))
		return false;
	if (process_has_text(process, filter->text))
		return true;
	for (unsigned i = 0; i < process->finding_count; i++)
		if (has_text(&cg_top_finding_table, process->findings[i], filter->text))
			return true;
	return false;
}

static int add(struct cg_top_rows *rows, const void *row)
{
	if (rows->count == rows->room) {
		unsigned room = rows->room ? 2 * rows->room : 64;
		const void **list = realloc(rows->list, room * sizeof *list);
		if (!list)
			return -ENOMEM;
		rows->list = list;
		rows->room = room;
	}
	rows->list[rows->count++] = row;
	return 0;
}

/* Rows begin with their id. */
static int compare(const void *a, const void *b, void *context)
{
	const struct cg_top_choice *choice = context;
	const void *one = *(const void *const *)a, *other = *(const void *const *)b;
	int order = choice->table->columns[choice->sort].order(one, other);
	if (order)
		return choice->reverse ? -order : order;
	uint64_t left = *(const uint64_t *)one, right = *(const uint64_t *)other;
	return (left > right) - (left < right);
}
_Static_assert(offsetof(struct cg_top_process, id) == 0 && offsetof(struct cg_top_finding, id) == 0,
               "rows that are equal keep their order by it");

static void sort(struct cg_top_rows *rows, const struct cg_top_choice *choice)
{
	struct cg_top_choice by = *choice;
	if (rows->count)
		qsort_r(rows->list, rows->count, sizeof *rows->list, compare, &by);
}

int cg_top_rows_processes(const struct cg_top_model *model, const struct cg_top_choice *choice,
                          const struct cg_top_filter *filter, struct cg_top_rows *ret)
{
	ret->count = 0;
	cg_top_same_forget(model);
	for (unsigned i = 0; i < model->process_count; i++)
		if (is_process_shown(model->processes[i], filter) && add(ret, model->processes[i]) < 0)
			return -ENOMEM;
	sort(ret, choice);
	return 0;
}

static int add_findings(const struct cg_top_process *process, const struct cg_top_filter *filter,
                        struct cg_top_rows *rows)
{
	bool all = process_has_text(process, filter->text);
	if ((filter->process && filter->process != process->id) ||
	    (filter->hide_dead && !cg_top_state_is_there(process->state)))
		return 0;
	for (unsigned i = 0; i < process->finding_count; i++) {
		const struct cg_top_finding *finding = process->findings[i];
		if ((all || has_text(&cg_top_finding_table, finding, filter->text)) && add(rows, finding) < 0)
			return -ENOMEM;
	}
	return 0;
}

int cg_top_rows_findings(const struct cg_top_model *model, const struct cg_top_choice *choice,
                         const struct cg_top_filter *filter, struct cg_top_rows *ret)
{
	ret->count = 0;
	cg_top_same_forget(model);
	for (unsigned i = 0; i < model->process_count; i++)
		if (add_findings(model->processes[i], filter, ret) < 0)
			return -ENOMEM;
	for (unsigned i = 0; i < ret->count; i++)
		cg_top_site_locate((struct cg_top_finding *)(uintptr_t)ret->list[i]);
	cg_top_same_merge(ret);
	sort(ret, choice);
	return 0;
}

void cg_top_rows_free(struct cg_top_rows *rows)
{
	free(rows->list);
	*rows = (struct cg_top_rows){0};
}
