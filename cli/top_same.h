/*
 * top_same.h: one finding of several processes, such as the workers of a server, as one row.
 */
#ifndef CG_TOP_SAME_H
#define CG_TOP_SAME_H

#include "top_rows.h"

/* Takes all rows apart again: before they are filtered one by one, and before any of them may be gone. */
void cg_top_same_forget(const struct cg_top_model *model);

/*
 * Makes of those findings in the rows that are the same in their program's name, kind, cause, label and stacks, by
 * build-id and offset, one row: the oldest of them, with the others behind it. Until the next call.
 */
void cg_top_same_merge(struct cg_top_rows *rows);

/* Of a row as a whole: of all processes behind it. */
unsigned cg_top_same_processes(const struct cg_top_finding *row);
uint64_t cg_top_same_count(const struct cg_top_finding *row);
uint64_t cg_top_same_age(const struct cg_top_finding *row);
bool cg_top_same_growth(const struct cg_top_finding *row, double *ret_per_minute);

/* The one that says what it is: of the worst verdict the one with the most sockets. */
const struct cg_top_finding *cg_top_same_worst(const struct cg_top_finding *row);

#endif
