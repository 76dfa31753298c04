/*
 * sweep_table.h: the thread has a table of descriptors of its own, but for where that is not possible or not enough.
 */
#ifndef CG_SWEEP_TABLE_H
#define CG_SWEEP_TABLE_H

#include <stdbool.h>

#include "options.h"

/* Constructor. */
void cg_sweep_table_init(const struct cg_options *options);

/* Is there a reason for the thread to be in the program's table? Any thread of the program's. */
bool cg_sweep_has_to_share(void);

/* Sweep thread, at its start: leaves the program's table, if it may. */
void cg_sweep_settle(void);

/* Sweep thread: is it in a table of its own that it cannot do its work in any more? */
bool cg_sweep_is_out_of_place(void);

#endif
