/*
 * report_answer.h: the first screen of a report: what to mend first.
 */
#ifndef CG_REPORT_ANSWER_H
#define CG_REPORT_ANSWER_H

#include <jansson.h>

#include "report_paper.h"

/*
 * At most ten lines: a headline, and a row for each of the heaviest findings with its count, growth, kind, place and
 * processes. Nothing where nothing is outstanding.
 */
void cg_report_answer_write(const struct cg_paper *paper, const json_t *document);

#endif
