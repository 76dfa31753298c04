/*
 * calls.h: the number of each wrapped call, made from calls.def.
 *
 * The numbers are stored in recorders, and mean the same in every build; a newer one may have more of them.
 */
#ifndef CG_CALLS_H
#define CG_CALLS_H

#include <stdbool.h>

enum cg_call {
	CG_CALL_NONE,
#define CG_REQUIRED(number, ret, name, params, args) CG_CALL_##name = number,
#define CG_OPTIONAL(number, ret, name, params, args) CG_CALL_##name = number,
#define CG_WAY(number, name) CG_CALL_##name = number,
#include "calls.def"
	CG_CALL_COUNT = 81 /* the next number that is free; a slot has room for 255 */
};

/* Does this build know the number? 0, which stands for none, is known. Any context. */
bool cg_call_known(unsigned call);

/* The name of a call as findings show it ("accept4"); "?" for a number that this build does not know. Any context. */
const char *cg_call_name(unsigned call);

/* Does the call send something? Any context. */
bool cg_call_writes(unsigned call);

#endif
