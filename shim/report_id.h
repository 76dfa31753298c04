/*
 * report_id.h: a name for a finding that alerts and tickets can go by: the same for the same mistake at the same place,
 * in every process, on every host and in every release.
 */
#ifndef CG_REPORT_ID_H
#define CG_REPORT_ID_H

#include "report.h"

enum { CG_ID_SIZE = 17 };

/*
 * Sixteen hexadecimal digits, made of kind, cause, label and the place: its module's name without a version, and the
 * function, or the offset where no function is known. The place is chosen without regard to what else the process has
 * found, so two findings that only differ in who called may share an id. False where names are still to be looked up,
 * and so the place is not certain.
 */
bool cg_report_id(const struct cg_report *report, const struct cg_finding *finding, char ret[CG_ID_SIZE]);

#endif
