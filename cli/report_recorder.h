/*
 * report_recorder.h: retells a recorder into a merge.
 */
#ifndef CG_REPORT_RECORDER_H
#define CG_REPORT_RECORDER_H

#include "merge.h"
#include "recording.h"

/* Takes in the recorder's process and its findings, and adds a warning for each thing that is wrong with it. */
void cg_report_recorder(struct cg_merge *merge, struct cg_recording *recording);

#endif
