/*
 * report_sources.h: what the arguments of a report name, taken into a merge.
 */
#ifndef CG_REPORT_SOURCES_H
#define CG_REPORT_SOURCES_H

#include "merge.h"

/* All recorders of the folder, the newest first. Returns an exit code, as below; reasons go to standard error. */
int cg_report_all(struct cg_merge *merge, const char *verb);

/* A process's recorders by its pid, or one recorder, log or saved report. Returns an exit code. */
int cg_report_named(struct cg_merge *merge, const char *verb, const char *argument);

#endif
