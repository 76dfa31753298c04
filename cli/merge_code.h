/*
 * merge_code.h: texts, addresses in code and stacks of them, each kept once, so that equal ones are the same pointer.
 *
 * An address is known by its module's build-id (its name, where there is none) and its offset in it: that is the same
 * in every process and on every host. Its names are not part of what it is: one log has them and another has not.
 */
#ifndef CG_MERGE_CODE_H
#define CG_MERGE_CODE_H

#include <jansson.h>

#include "merge_memory.h"

/* One function at an address; all but the last of an address were inlined. */
struct cg_code_name {
	const char *function; /* NULL: unknown */
	const char *file;     /* NULL: unknown */
	json_int_t line;      /* 0: unknown */
};

struct cg_code_address {
	const char *module;   /* never NULL */
	const char *build_id; /* NULL: none */
	const char *offset;   /* "0x12ab"; NULL: none */
	json_int_t run;       /* above 1: stands for a run of so many */
	unsigned count;       /* of names, at least 1 */
	const struct cg_code_name *names;
	json_t *frames; /* in JSON; made by cg_naming_frames */
};

struct cg_code_stack {
	size_t depth;
	uint32_t number; /* its index among all */
	bool truncated;
	struct cg_code_address *at[]; /* the innermost first */
};

struct cg_code_seen {
	uint64_t hash[2]; /* of the text; with both, no two texts are taken for each other */
	uint32_t number;
};

struct cg_code {
	struct cg_memory *memory;
	const char **texts;
	struct cg_code_address **addresses;
	struct cg_code_stack **stacks;
	size_t text_count, text_room, address_count, address_room, stack_count, stack_room;
	struct cg_table text_table, address_table, stack_table;
	struct cg_code_seen *seen; /* stacks by their JSON */
	size_t seen_count, seen_room;
	struct cg_table seen_table;
};

void cg_code_begin(struct cg_code *code, struct cg_memory *memory);
void cg_code_end(struct cg_code *code);

/* The kept copy. NULL for NULL, and where memory is short. */
const char *cg_code_text(struct cg_code *code, const char *text);

/* The kept copy of a string member; NULL where there is no such string. */
const char *cg_code_member(struct cg_code *code, const json_t *object, const char *name);

/* The kept address, whose names are the best that were told. NULL where memory is short. */
struct cg_code_address *cg_code_address_of(struct cg_code *code, const struct cg_code_address *key);

/*
 * The kept text of a stack's number, as the library makes it of a whole one. NULL for no stack, one without frames, and
 * where memory is short.
 */
const char *cg_code_stack_id(struct cg_code *code, const struct cg_code_stack *stack);

/* The same for its innermost address alone. */
const char *cg_code_first_id(struct cg_code *code, const struct cg_code_stack *stack);

enum { CG_STACK_NO_ROOM = -1, CG_STACK_DAMAGED = -2 };

/*
 * The number of a stack by the text of its JSON array, which is parsed where the same text was not seen before.
 * Negative where there is no room for it, or it is damaged.
 */
int64_t cg_code_stack_number(struct cg_code *code, const char *text, size_t size);

/*
 * The stack of a JSON array of frames, or of a number from above; NULL where it is neither, or memory is short.
 */
const struct cg_code_stack *cg_code_stack_of(struct cg_code *code, const json_t *frames, bool truncated);

#endif
