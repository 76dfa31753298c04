/* sweep_report_parts.h: what the files that write to the log share. Sweep thread or exiting thread, one at a time. */
#ifndef CG_SWEEP_REPORT_PARTS_H
#define CG_SWEEP_REPORT_PARTS_H

#include "report.h"
#include "suspects.h"

/* What naming the frames of one batch may take; what is over is told by module and offset. */
#define CG_NAMES_BUDGET_NS 500000000u

bool cg_report_is_json(void);

/* Of lines that are about to be written. */
struct cg_report cg_report_new_lines(void);

/* An empty text in the sweep's arena; NULL without memory. */
struct cg_buf *cg_report_new_text(struct cg_sweep *sweep, size_t room);

void cg_report_add_warning(struct cg_buf *out, const struct cg_report *report, const char *text);

/* Our own troubles that were not told yet. */
void cg_report_add_troubles(struct cg_buf *out, const struct cg_report *report);

/* Writes to the log what there is, and empties the buffer. */
void cg_report_flush(struct cg_buf *out);

#endif
