/*
 * report_diff.h: what has changed since an older report.
 */
#ifndef CG_REPORT_DIFF_H
#define CG_REPORT_DIFF_H

#include <jansson.h>
#include <stdbool.h>

#include "report_paper.h"

/*
 * Compares what is outstanding and adds the outcome to the document as its member `diff`. Findings are the same by
 * build-id and offset; what is left is the same by its functions, since a new build has others. `unnamed` counts those
 * that are new or gone and have functions without names, since they may be the same. Returns whether a leak is new or
 * has grown.
 */
bool cg_report_diff(json_t *document, const json_t *old, const char *old_name);

/* The outcome for a person. */
void cg_report_diff_write(const struct cg_paper *paper, const json_t *document);

#endif
