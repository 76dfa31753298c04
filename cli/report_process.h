/*
 * report_process.h: how the process of a recording is, and as of when its ages are.
 */
#ifndef CG_REPORT_PROCESS_H
#define CG_REPORT_PROCESS_H

#include <jansson.h>

#include "recording.h"

/* The time since 1970 of a CLOCK_MONOTONIC time in the recording. */
uint64_t cg_report_realtime(const struct cg_recording *recording, uint64_t ns);

/* "live", "stopped", "exited", "execed", "sealed", "killed" or "unknown". */
const char *cg_report_process_state(const struct cg_recording *recording);

/* The member `process` of a recorder's source: a new object, or NULL without memory. */
json_t *cg_report_process_about(const struct cg_recording *recording);

#endif
