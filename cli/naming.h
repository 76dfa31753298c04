/*
 * naming.h: names for what a recording only has numbers of.
 */
#ifndef CG_NAMING_H
#define CG_NAMING_H

#include "recording.h"
#include "report.h"

/* Begins a report: finds the symbol annex, and bounds what naming may take. */
void cg_naming_begin(void);

/* A cg_resolve whose context is the recording; module, offset and build-id where nothing more is known. */
unsigned cg_naming_resolve(void *context, uint64_t ip, uint32_t generation, struct cg_frame *frames, unsigned max);

/* The name of a thread of the recording's process, "tid 4711" where it is gone. */
void cg_naming_thread(const struct cg_recording *recording, uint32_t tid, char name[32]);

#endif
