/*
 * naming.h: names for what a recording or a log only has numbers of.
 *
 * naming.c asks the symbol annex about addresses, naming_frames.c completes what a merge has, naming_find.c finds a
 * module's file by its build-id, naming_debuginfod.c fetches one.
 */
#ifndef CG_NAMING_H
#define CG_NAMING_H

#include "merge_code.h"
#include "recording.h"
#include "report.h"

/* Begins a report: finds the symbol annex, and bounds what naming may take. */
void cg_naming_begin(void);

/* A cg_resolve whose context is the recording; module, offset and build-id where nothing more is known. */
unsigned cg_naming_resolve(void *context, uint64_t ip, uint32_t generation, struct cg_frame *frames, unsigned max);

/* The name of a thread of the recording's process, "tid 4711" where it is gone. */
void cg_naming_thread(const struct cg_recording *recording, uint32_t tid, char name[32]);

/*
 * The frames of an address in JSON: a borrowed array, which lives as long as the address; NULL without memory. What
 * neither process nor recorder could name is looked up here, by build-id.
 */
json_t *cg_naming_frames(struct cg_code_address *address);

/* Remembers where the modules of a recording are on this machine, perhaps. */
void cg_naming_note(const struct cg_recording *recording);

/*
 * The file of the module with this build-id (hex), or debug information of it; NULL where this machine has none. The
 * text is naming's own.
 */
const char *cg_naming_find(const char *module, const char *build_id);

/* The same from a debuginfod server, where DEBUGINFOD_URLS names one. */
const char *cg_naming_fetch(const char *build_id);

/* Why no more is fetched: the server did not answer once. NULL while it does. */
const char *cg_naming_fetch_trouble(void);

/* Why names are missing, in one line; NULL where nothing went wrong. For after all was named. */
const char *cg_naming_trouble(void);

/* Does this file have that build-id (hex)? */
bool cg_naming_has_id(const char *path, const char *build_id);

#endif
