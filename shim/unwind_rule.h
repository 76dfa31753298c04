/*
 * unwind_rule.h: how to get from a frame to its caller's, as the module's unwind table (.eh_frame) has it.
 *
 * Only what leads upwards is kept: where the caller's stack pointer, frame pointer and return address are. That fits
 * into one word, which is what lets a cache of them do without a lock.
 */
#ifndef CG_UNWIND_RULE_H
#define CG_UNWIND_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "object.h"

enum cg_rule_kind {
	CG_RULE_NONE,      /* it lies in no loaded object: generated code */
	CG_RULE_FROM_SP,   /* the caller's stack pointer is the stack pointer + cfa */
	CG_RULE_FROM_FP,   /* … is the frame pointer + cfa */
	CG_RULE_LOADED,    /* … is the word at the frame pointer + cfa: a frame that was aligned */
	CG_RULE_SIGNAL,    /* the kernel's frame of a signal, which has all registers */
	CG_RULE_OUTERMOST, /* there is no caller */
	CG_RULE_NO_ENTRY,  /* its object has no entry for it: code that was built without */
	CG_RULE_TOO_HARD   /* an expression or a register that is not followed here */
};

enum cg_rule_fp {
	CG_FP_SAME,
	CG_FP_AT_CFA, /* at the caller's stack pointer + fp */
	CG_FP_AT_FP   /* at the frame pointer + fp */
};

struct cg_rule {
	int32_t cfa;
	int16_t fp, ra;   /* offsets in bytes; ra from the caller's stack pointer */
	uint8_t kind;     /* cg_rule_kind */
	uint8_t fp_kind;  /* cg_rule_fp */
	bool ra_in_lr;    /* aarch64: in the link register still */
	bool is_signed;   /* aarch64: the return address carries a signature */
};

/* The rule for the code at pc, which lies in the object: a pure function of its tables. Any context. */
struct cg_rule cg_rule_decode(const struct cg_object *object, uint64_t pc);

/* As one word and back; CG_RULE_TOO_HARD where an offset does not fit. 0 is CG_RULE_NONE. */
uint64_t cg_rule_pack(const struct cg_rule *rule);
struct cg_rule cg_rule_unpack(uint64_t word);

/*
 * The rule for the code at pc, from the cache or from the table of its object, which is then remembered. Any context.
 */
struct cg_rule cg_rule_find(uint64_t pc);

/* Forgets all rules: an object was unloaded, and another one may have come in its place. Any context. */
void cg_rule_forget(void);

#endif
