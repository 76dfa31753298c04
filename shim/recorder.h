/*
 * recorder.h: the recorder from inside the watched process: making it, growing it, finding things in it.
 *
 * Any context unless said otherwise: no locks; the loser of a race takes the winner's piece.
 *
 * What is read back is not believed, not even from our own pages: other processes of the same user can write to the
 * file. A number is checked before it is an index or a length, after it was copied; a text is ended by whoever reads
 * it.
 */
#ifndef CG_RECORDER_H
#define CG_RECORDER_H

#include "guard.h"
#include "record.h"

/* What the next recorder will say of its process. Constructor only; the texts are copied. */
void cg_recorder_configure(const char *dir, const char *app, uint64_t warn_after_ns);

/*
 * Makes the recorder if there is none: a file in the configured directory, or anonymous memory where that is refused.
 * Returns its header; NULL only when not even memory is to be had.
 */
struct cg_header *cg_recorder_start(void);

/* The header, or NULL while there is no recorder. */
struct cg_header *cg_recorder_header(void);

/*
 * The bytes at an offset of the file. `grow`: map the chunk if it is not there yet (a few system calls, none in a
 * sandbox). NULL when it is not there, or beyond the file's end. What is asked for must not cross a chunk's end; no
 * region's element does.
 */
void *cg_recorder_at(uint64_t offset, bool grow);

static inline struct cg_slot *cg_recorder_slot(int fd, bool grow)
{
	if (fd < 0 || fd >= CG_MAX_FDS)
		return NULL;
	return cg_recorder_at(CG_OFF_SLOTS + (uint64_t)fd * sizeof(struct cg_slot), grow);
}

static inline struct cg_module *cg_recorder_module(unsigned i, bool grow)
{
	return cg_recorder_at(CG_OFF_MODULES + (uint64_t)i * sizeof(struct cg_module), grow);
}

static inline struct cg_site *cg_recorder_site(unsigned i, bool grow)
{
	return cg_recorder_at(CG_OFF_SITES + (uint64_t)i * 256, grow);
}

static inline struct cg_event *cg_recorder_event(uint64_t seq, bool grow)
{
	return cg_recorder_at(CG_OFF_EVENTS + seq % CG_MAX_EVENTS * 256, grow);
}

static inline struct cg_departed *cg_recorder_departed(uint64_t seq, bool grow)
{
	return cg_recorder_at(CG_OFF_DEPARTED + seq % CG_MAX_DEPARTED * 256, grow);
}

static inline struct cg_kept_finding *cg_recorder_finding(unsigned i, bool grow)
{
	return cg_recorder_at(CG_OFF_FINDINGS + (uint64_t)i * 256, grow);
}

/* What closeguard_label() said of the slot's connection, or "". */
void cg_recorder_label_of(const struct cg_slot *slot, char ret[CG_LABEL_MAX]);

static inline struct cg_label *cg_recorder_label(unsigned i, bool grow)
{
	return cg_recorder_at(CG_OFF_LABELS + (uint64_t)i * sizeof(struct cg_label), grow);
}

static inline struct cg_action *cg_recorder_action(unsigned i, bool grow)
{
	return cg_recorder_at(CG_OFF_ACTIONS + (uint64_t)i * 256, grow);
}

/* The slot of a descriptor, or NULL where nothing was ever recorded near it. The hot path: one load. */
static inline __attribute__((always_inline)) struct cg_slot *cg_slot_at(int fd)
{
	if ((unsigned)fd >= CG_MAX_FDS)
		return NULL;
	void *_Atomic *slots = cg_self.slots;
	__asm__("" : "+r"(slots)); /* else its place in the struct is added to the index by one instruction more */
	struct cg_slot *chunk = atomic_load_explicit(&slots[(unsigned)fd >> 7], memory_order_acquire);
	return chunk ? &chunk[(unsigned)fd & 127] : NULL;
}

/*
 * Puts empty anonymous memory where the chunk with this address is mapped; false where none is. For the handler of a
 * fault in it: nothing but system calls.
 */
bool cg_recorder_mend(const void *address);

/* One past the highest descriptor that has a slot; for walks over all of them. */
unsigned cg_recorder_fd_end(void);

/* Notes the process's end in the header and removes the file if nothing was said and nothing is outstanding. */
void cg_recorder_finish(enum cg_process_state state);

/*
 * The program has run out of descriptors: gives back the one that the recorder's file has, the only one that is held in
 * the program's table where the sweep has its own. True: there is one more now. What is mapped stays; for what is yet
 * to be mapped the file is opened by its name. Any context.
 */
bool cg_recorder_give_up_descriptor(void);

/* Before an exec, and after one that failed. */
void cg_recorder_set_state(enum cg_process_state state);

/* In a forked child, in whose memory the parent's recorder is not: forgets it. */
void cg_recorder_after_fork(void);

/* Removes recorders of dead processes that had nothing to say. Sweep only: reads the directory. */
void cg_recorder_clean_dir(void);

/* Is there a recorder of a live process with this pid in our directory? Sweep only. */
bool cg_recorder_watches(pid_t pid);

/* Why there is no file, in one line, or NULL. */
const char *cg_recorder_trouble(void);

#endif
