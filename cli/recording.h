/*
 * recording.h: a recorder (shim/record.h) read from outside, of a process that may be alive, dead or an enemy.
 *
 * Nothing in the file is believed: it is read, never mapped (a file that is cut off under a mapping is a SIGBUS), its
 * offsets are not used (the version fixes them), every number is checked before it is an index, and texts are ended.
 * What is damaged is left out and counted, so that the rest can be shown. recording_open.c opens and complains,
 * recording.c reads.
 */
#ifndef CG_RECORDING_H
#define CG_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "detect.h"
#include "record.h"

enum { CG_RECORDING_WHY = 1024, CG_RECORDING_TROUBLES = 6 };

struct cg_recording {
	const char *path; /* the caller's */
	int fd;
	uint64_t size;
	struct cg_header header; /* a copy, whose texts end; uid is the file's owner, whatever the file says */
	bool alive;              /* its process is there, and the same program still */
	bool elsewhere;          /* it was made on another host, so whether the process is there cannot be known */
	bool foreign;            /* the process that it says it is of is another user's: it is not believed */
	uint64_t as_of_ns;       /* of the last sweep, or the start where there was none: ages are as of then */
	struct cg_module *modules;
	struct cg_site *sites;
	struct cg_event *events;
	struct cg_departed *departed;
	struct cg_label *labels;
	unsigned lost_stacks, lost_findings, torn_findings; /* noted while reading */
	unsigned unknown_calls, unknown_findings;           /* of which this build knows the number only */
};

/*
 * Opens and checks a file. Returns 0, or -errno with one line on what is wrong with it and what is expected, naming the
 * file. A file with a sound header of our version opens, however little follows.
 */
int cg_recording_open(const char *path, struct cg_recording *ret, char ret_why[CG_RECORDING_WHY]);

/* The same for an open file, which is closed in any case; `path` is what it is called. */
int cg_recording_open_fd(int fd, const char *path, struct cg_recording *ret, char ret_why[CG_RECORDING_WHY]);
void cg_recording_close(struct cg_recording *recording);

/* The header alone of what may be a recorder, as in cg_recording; false if it is none that can be read. */
bool cg_recording_peek(const char *path, struct cg_header *ret);

/*
 * May the process that a recorder says it is of have made it? Root may make any, and what is the reader's own is the
 * reader's business. True too where the process's users cannot be read.
 */
bool cg_recording_may_be_of(const struct cg_header *header);

/* Reads at most n bytes; what the file does not have is zero. Returns how many there were. */
size_t cg_recording_read(const struct cg_recording *recording, uint64_t offset, void *data, size_t n);

/* Gives a living process time to finish what it is writing. */
void cg_recording_pause(void);

/*
 * The kept finding at index i (under CG_MAX_FINDINGS). False where there is none outstanding, or it is damaged.
 * One that is being rewritten is read again for a moment, then taken as it stands.
 */
bool cg_recording_finding(struct cg_recording *recording, unsigned i, struct cg_kept_finding *ret);

/* Fills in addresses, flags and generation of a stack; leaves the place alone, and counts it, where it is damaged. */
void cg_recording_stack(struct cg_recording *recording, uint32_t id, struct cg_place *place);

/*
 * The course of the process's sockets in CLOSE_WAIT: sound points, in the order of time. False where there is none. One
 * that is being rewritten is read again for a moment, then left out.
 */
bool cg_recording_course(const struct cg_recording *recording, struct cg_course *ret);

/* The module that contained the return address ip in that generation, or NULL. */
const struct cg_module *cg_recording_module(const struct cg_recording *recording, uint64_t ip, uint32_t generation);

/* The history of an opening stack, or NULL. */
const struct cg_site *cg_recording_site(const struct cg_recording *recording, uint32_t stack);

/* Calls visit for a copy of each slot that tells of a descriptor. Those being rewritten are left out. */
typedef void cg_slot_visit(int fd, const struct cg_slot *slot, void *context);
void cg_recording_slots(const struct cg_recording *recording, cg_slot_visit *visit, void *context);

/* What is wrong with it, in whole sentences; returns how many. For after all has been read. */
unsigned cg_recording_troubles(const struct cg_recording *recording, char ret[CG_RECORDING_TROUBLES][CG_RECORDING_WHY]);

#endif
