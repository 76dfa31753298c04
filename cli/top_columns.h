/*
 * top_columns.h: the columns of the two tables: what stands in them, how they are sorted, which of them a width has
 * room for.
 */
#ifndef CG_TOP_COLUMNS_H
#define CG_TOP_COLUMNS_H

#include "top_model.h"
#include "top_text.h"

enum { CG_TOP_COLUMNS_MAX = 16 };

enum cg_top_tone { CG_TOP_PLAIN, CG_TOP_BAD, CG_TOP_WARN, CG_TOP_GOOD, CG_TOP_DIM, CG_TOP_HEAD };

struct cg_top_column {
	const char *title;
	unsigned width; /* the least, where it may be wider */
	bool right;
	unsigned grows;    /* its share of what is left over; 0: none */
	unsigned most;     /* and how wide it may become */
	unsigned priority; /* those with the lowest numbers are shown where not all fit */
	/* The text, for a cell that is so wide. */
	enum cg_top_tone (*cell)(const void *row, struct cg_buf *out, unsigned width);
	/* Below 0 where a comes first when the column is sorted by, the worst first. NULL: it is not. */
	int (*order)(const void *a, const void *b);
};

struct cg_top_table {
	const struct cg_top_column *columns;
	unsigned count;
	unsigned usual; /* the column that is sorted by at first */
};

extern const struct cg_top_table cg_top_process_table, cg_top_finding_table;

/* Which columns are shown in a line of `width`, from left to right, and how wide each is. */
struct cg_top_layout {
	unsigned count;
	unsigned column[CG_TOP_COLUMNS_MAX], width[CG_TOP_COLUMNS_MAX];
};
void cg_top_columns_lay_out(const struct cg_top_table *table, unsigned width, struct cg_top_layout *ret);

/* The column of that title ("leaked", in any case), or -1. */
int cg_top_columns_find(const struct cg_top_table *table, const char *title);

/* What is said of a finding in one word: its cause, or its kind where it has none. */
const char *cg_top_columns_cause(const struct cg_kept_finding *kept);

#endif
