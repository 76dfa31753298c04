/*
 * unwind_table.h: finds a function's entry in its module's unwind tables.
 */
#ifndef CG_UNWIND_TABLE_H
#define CG_UNWIND_TABLE_H

#include "object.h"
#include "unwind_bytes.h"

struct cg_unwind_entry {
	struct cg_bytes common, own; /* the instructions: those of the CIE, which come first, and those of the FDE */
	uint64_t start;              /* of the function */
	uint64_t code_align;
	int64_t data_align;
	uint64_t ra_register;
	bool is_signal_frame;
};

/*
 * False where no entry covers pc, or where it is of a form that is not known. Nothing is read outside of the object:
 * packers leave tables behind that name any address. Any context.
 */
bool cg_unwind_table_find(const struct cg_object *object, uint64_t pc, struct cg_unwind_entry *ret);

#endif
