/*
 * top_detail.h: everything about one finding: what it is, what to do, its stacks, its sockets.
 */
#ifndef CG_TOP_DETAIL_H
#define CG_TOP_DETAIL_H

#include "top_lines.h"

/*
 * Fills the lines anew from the recorder as it is now; names that are not known yet are asked for. False, with the
 * lines as they were, where the finding is not there any more.
 */
bool cg_top_detail_fill(const struct cg_top_finding *finding, struct cg_top_lines *lines);

/* The same for a process: what the table has no room for. */
void cg_top_detail_process(const struct cg_top_process *process, struct cg_top_lines *lines);

#endif
