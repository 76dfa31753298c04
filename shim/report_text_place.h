/* report_text_place.h: the parts of a text report that show where in the code something happened. */
#ifndef CG_REPORT_TEXT_PLACE_H
#define CG_REPORT_TEXT_PLACE_H

#include "report.h"

/* "closeguard: app[pid]: ", after the time where the report has it. */
void cg_text_prefix(struct cg_buf *out, const struct cg_report *report);

/* Who holds the descriptors, be it a leak or not: a line for each place. */
void cg_text_open_places(struct cg_buf *out, const struct cg_report *report, const struct cg_finding *finding);

/* "  <what> read() 5s ago in thread "worker":" and its stack; nothing for a place that is not known. */
void cg_text_place(struct cg_buf *out, const struct cg_report *report, const char *what, const struct cg_place *place);

/* What became of all connections of the place; the numbers add up to those opened. Nothing where none is known. */
void cg_text_history(struct cg_buf *out, const struct cg_finding *finding);

/* The same for the opening: a descriptor may also come from elsewhere than a call of this process. */
void cg_text_opened(struct cg_buf *out, const struct cg_report *report, const struct cg_place *place);

#endif
