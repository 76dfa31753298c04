/*
 * calls.h: the number of each wrapped call, made from calls.def.
 *
 * The numbers are stored in recorders, so a reader of another build goes by the names, which the recorder's header
 * version fixes.
 */
#ifndef CG_CALLS_H
#define CG_CALLS_H

#include <stdbool.h>

enum cg_call {
	CG_CALL_NONE,
#define CG_REQUIRED(ret, name, params, args) CG_CALL_##name,
#define CG_OPTIONAL(ret, name, params, args) CG_CALL_##name,
#include "calls.def"
	/* Not calls of the table, but ways in which a descriptor changes hands. */
	CG_CALL_inherited, /* open before the program started, or before this fork */
	CG_CALL_received,  /* came as SCM_RIGHTS */
	CG_CALL_adopted,   /* found by the sweep, never seen being opened */
	CG_CALL_peek,      /* a read with MSG_PEEK */
	CG_CALL_COUNT
};

/* The name of a call as findings show it ("accept4"); "?" for a number out of range. Any context. */
const char *cg_call_name(unsigned call);

/* Does the call send something? Any context. */
bool cg_call_writes(unsigned call);

#endif
