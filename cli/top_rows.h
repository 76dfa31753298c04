/*
 * top_rows.h: which rows of the model are shown, and in which order.
 */
#ifndef CG_TOP_ROWS_H
#define CG_TOP_ROWS_H

#include "top_columns.h"

struct cg_top_choice {
	const struct cg_top_table *table;
	unsigned sort; /* a column that has an order */
	bool reverse;
};

struct cg_top_filter {
	char text[64]; /* part of what a row shows, in any case; "": all */
	bool hide_dead;
	uint64_t process; /* only the findings of that one; 0: of all */
};

/* Rows of one table: struct cg_top_process or struct cg_top_finding. */
struct cg_top_rows {
	const void **list;
	unsigned count;
	unsigned room;
};

/* By the usual column. */
void cg_top_rows_choose(struct cg_top_choice *choice, const struct cg_top_table *table);

/* The next column that there is an order for, or with step -1 the one before. */
void cg_top_rows_sort_by_next(struct cg_top_choice *choice, int step);

/*
 * A process is shown where it or one of its findings has the filter's text, a finding where it or its process has.
 * Return 0 or -ENOMEM; the list is the caller's, to be used again.
 */
int cg_top_rows_processes(const struct cg_top_model *model, const struct cg_top_choice *choice,
                          const struct cg_top_filter *filter, struct cg_top_rows *ret);
int cg_top_rows_findings(const struct cg_top_model *model, const struct cg_top_choice *choice,
                         const struct cg_top_filter *filter, struct cg_top_rows *ret);
void cg_top_rows_free(struct cg_top_rows *rows);

#endif
