/*
 * report_stack.h: which frames of a stack are shown.
 *
 * Neither what every stack begins with, nor each frame of a runtime that calls itself: a run of generated frames is one
 * line, and so is a run of an interpreter's, whose innermost frame says what it was asked for.
 */
#ifndef CG_REPORT_STACK_H
#define CG_REPORT_STACK_H

#include "report.h"

enum cg_frame_sort { CG_FRAME_PLAIN, CG_FRAME_START, CG_FRAME_GENERATED, CG_FRAME_INTERPRETER };

/* By module and function. Any context. */
enum cg_frame_sort cg_frame_sort(const struct cg_frame *frame);

struct cg_stack_walk {
	const struct cg_report *report;
	const struct cg_place *place;
	bool whole;              /* leave nothing out */
	bool starts;             /* nor what every stack begins with; to be set after cg_stack_walk_begin */
	unsigned at;             /* the next address */
	unsigned next, count;    /* of the frames of the last one */
	enum cg_frame_sort last; /* of what was shown last */
	struct cg_frame frames[CG_FRAMES_PER_IP];
};

/* `whole`: every frame by itself. The report and the place are borrowed. */
void cg_stack_walk_begin(struct cg_stack_walk *ret, const struct cg_report *report, const struct cg_place *place,
                         bool whole);

/*
 * The next frame, the innermost first; `frames` of it is above 1 where it stands for a run. False at the end.
 */
bool cg_stack_walk_next(struct cg_stack_walk *walk, struct cg_frame *ret);

/* How many frames there are still, as far as that can be told without looking. */
unsigned cg_stack_walk_left(const struct cg_stack_walk *walk);

/* A stack's number is made of its addresses, the innermost first: begin with CG_STACK_ID, add each. Any context. */
#define CG_STACK_ID 0xcbf29ce484222325u
uint64_t cg_stack_id_add(uint64_t id, const char *build_id_or_module, uint64_t offset);

/*
 * A number for a stack that is the same in every process of the same builds, shown whole or not: by build-id (module,
 * where there is none) and offset of each address. 0: no stack.
 */
uint64_t cg_stack_id(const struct cg_report *report, const struct cg_place *place);

#endif
