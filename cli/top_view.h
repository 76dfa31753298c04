/*
 * top_view.h: what the screen shows at the moment: the state that keys change and drawing reads.
 */
#ifndef CG_TOP_VIEW_H
#define CG_TOP_VIEW_H

#include "top_lines.h"
#include "top_options.h"

/* One of the two tables. */
struct cg_top_list {
	struct cg_top_choice choice;
	struct cg_top_rows rows;
	uint64_t chosen; /* id of the chosen row; 0: none yet */
	unsigned at;     /* where it was last */
	unsigned first;  /* row that is drawn first */
	unsigned height; /* rows that were drawn, for PgDn */
};

enum cg_top_table_name { CG_TOP_PROCESSES, CG_TOP_FINDINGS };

struct cg_top_view {
	struct cg_top_watch *watch;
	uint64_t interval_ns;
	struct cg_top_list lists[2]; /* by enum cg_top_table_name */
	enum cg_top_table_name focus;
	struct cg_top_filter filter;
	bool paused, typing, help, leave;
	char before_typing[sizeof((struct cg_top_filter *)0)->text];
	uint64_t opened; /* id of the finding whose lines are shown; 0: the tables are */
	bool resolved;   /* it is not there any more */
	char opened_title[128];
	struct cg_top_lines lines; /* of the finding or the help */
	struct {
		uint64_t opened, now_ns;
		unsigned names, width;
	} filled; /* what the lines were made from */
	unsigned scroll, lines_height;
};

/* Takes rows and lines anew from the model, for a screen so wide. */
void cg_top_view_update(struct cg_top_view *view, unsigned width);

/* The chosen rows, and the process whose findings alone are shown; NULL for none. */
const struct cg_top_process *cg_top_view_process(const struct cg_top_view *view);
const struct cg_top_finding *cg_top_view_finding(const struct cg_top_view *view);
const struct cg_top_process *cg_top_view_opened_process(const struct cg_top_view *view);

/* Does what a key asks for. */
void cg_top_keys_obey(struct cg_top_view *view, int key);

/* Draws all of it; what has not changed is not sent. */
void cg_top_draw(struct cg_top_view *view);

#endif
