/*
 * report_process.h: what a process's own summary need not say: how it is, and as of when the ages are.
 */
#ifndef CG_REPORT_PROCESS_H
#define CG_REPORT_PROCESS_H

#include "fmt.h"
#include "recording.h"

/* The time since 1970 of a CLOCK_MONOTONIC time in the recording. */
uint64_t cg_report_realtime(const struct cg_recording *recording, uint64_t ns);

/* Two lines, behind the counters. */
void cg_report_process_text(struct cg_buf *out, const struct cg_recording *recording);

/* A member `process`, behind the groups: goes into the object that the end of the summary has just closed. */
void cg_report_process_json(struct cg_buf *out, const struct cg_recording *recording);

#endif
