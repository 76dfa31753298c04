/*
 * merge_stack.c: keeps stacks, and knows those again that it has seen.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "merge_code.h"
#include "report_stack.h"

/* More than a stack of the library has, each address with its inlined functions. */
enum { DEPTH_MAX = 256, NAMES_MAX = 64 };

static uint64_t hash_of_chain(const struct cg_code_stack *stack)
{
	return cg_hash(stack->truncated, stack->at, stack->depth * sizeof(void *));
}

static uint64_t hash_of_stack(const void *context, uint32_t index)
{
	const struct cg_code *code = context;
	return hash_of_chain(code->stacks[index]);
}

static bool same_stack(const void *context, uint32_t index, const void *key)
{
	const struct cg_code *code = context;
	const struct cg_code_stack *one = code->stacks[index], *other = key;
	return one->depth == other->depth && one->truncated == other->truncated &&
	       memcmp(one->at, other->at, one->depth * sizeof(void *)) == 0;
}

static const struct cg_code_stack *keep_stack(struct cg_code *code, const struct cg_code_stack *key)
{
	uint64_t hash = hash_of_chain(key);
	size_t size = sizeof *key + key->depth * sizeof(void *);
	int64_t found = cg_table_find(&code->stack_table, hash, same_stack, code, key);
	if (found >= 0)
		return code->stacks[found];
	if (!cg_memory_grow(code->memory, (void **)&code->stacks, &code->stack_room, code->stack_count, sizeof(void *)))
		return NULL;
	struct cg_code_stack *kept = cg_memory_take(code->memory, size);
	if (!kept)
		return NULL;
	code->stacks[code->stack_count] = memcpy(kept, key, size);
	kept->number = (uint32_t)code->stack_count;
	if (!cg_table_add(code->memory, &code->stack_table, hash, (uint32_t)code->stack_count, hash_of_stack, code))
		return NULL;
	code->stack_count++;
	return kept;
}

static struct cg_code_name name_of(struct cg_code *code, const json_t *frame)
{
	return (struct cg_code_name){cg_code_member(code, frame, "function"), cg_code_member(code, frame, "file"),
	                             json_integer_value(json_object_get(frame, "line"))};
}

/* An address is one frame and the inlined ones before it. Returns the index behind it, 0 where memory is short. */
static size_t take_address(struct cg_code *code, const json_t *frames, size_t i, struct cg_code_address **ret)
{
	struct cg_code_name names[NAMES_MAX];
	const json_t *frame = json_array_get(frames, i);
	struct cg_code_address key = {.module = cg_code_member(code, frame, "module"),
	                              .build_id = cg_code_member(code, frame, "build_id"),
	                              .offset = cg_code_member(code, frame, "offset"),
	                              .run = json_integer_value(json_object_get(frame, "frames")),
	                              .names = names};
	if (!key.module)
		key.module = cg_code_text(code, "?");
	for (; i < json_array_size(frames) && key.count < NAMES_MAX; i++) {
		frame = json_array_get(frames, i);
		const char *offset = cg_code_member(code, frame, "offset");
		if (key.count && offset != key.offset)
			break;
		names[key.count++] = name_of(code, frame);
		if (!json_is_true(json_object_get(frame, "inlined"))) {
			i++;
			break;
		}
	}
	*ret = key.module && key.count ? cg_code_address_of(code, &key) : NULL;
	return *ret ? i : 0;
}

/* Room for one stack, longer than any of the library's. */
static struct cg_code_stack *blank_stack(bool truncated)
{
	static _Alignas(struct cg_code_stack) char room[sizeof(struct cg_code_stack) + DEPTH_MAX * sizeof(void *)];
	struct cg_code_stack *stack = (struct cg_code_stack *)room;
	*stack = (struct cg_code_stack){.truncated = truncated};
	return stack;
}

static const struct cg_code_stack *stack_of_number(struct cg_code *code, json_int_t number, bool truncated)
{
	const struct cg_code_stack *known =
	    number >= 0 && (size_t)number < code->stack_count ? code->stacks[number] : NULL;
	if (!known || known->truncated == truncated)
		return known;
	struct cg_code_stack *key = blank_stack(truncated);
	key->depth = known->depth;
	memcpy(key->at, known->at, known->depth * sizeof(void *));
	return keep_stack(code, key);
}

const struct cg_code_stack *cg_code_stack_of(struct cg_code *code, const json_t *frames, bool truncated)
{
	size_t count = json_array_size(frames), i = 0;
	if (json_is_integer(frames))
		return stack_of_number(code, json_integer_value(frames), truncated);
	struct cg_code_stack *key = blank_stack(truncated);
	while (i < count && key->depth < DEPTH_MAX) {
		i = take_address(code, frames, i, &key->at[key->depth]);
		if (!i)
			return NULL;
		key->depth++;
	}
	return json_is_array(frames) ? keep_stack(code, key) : NULL;
}

/* Of the first `depth` addresses. */
static const char *id_of(struct cg_code *code, const struct cg_code_stack *stack, size_t depth)
{
	char text[24];
	uint64_t id = CG_STACK_ID;
	for (size_t i = 0; i < depth; i++) {
		const struct cg_code_address *at = stack->at[i];
		id = cg_stack_id_add(id, at->build_id ? at->build_id : at->module,
		                     at->offset ? strtoull(at->offset, NULL, 16) : 0);
		if (!at->offset && at->names[0].function) /* of others' making: the name is all there is */
			id = cg_stack_id_add(id, at->names[0].function, 0);
	}
	snprintf(text, sizeof text, "%016llx", (unsigned long long)id);
	return cg_code_text(code, text);
}

const char *cg_code_stack_id(struct cg_code *code, const struct cg_code_stack *stack)
{
	return stack && stack->depth ? id_of(code, stack, stack->depth) : NULL;
}

const char *cg_code_first_id(struct cg_code *code, const struct cg_code_stack *stack)
{
	return stack && stack->depth ? id_of(code, stack, 1) : NULL;
}

static uint64_t hash_of_seen(const void *context, uint32_t index)
{
	const struct cg_code *code = context;
	return code->seen[index].hash[0];
}

static bool same_seen(const void *context, uint32_t index, const void *key)
{
	const struct cg_code *code = context;
	return memcmp(code->seen[index].hash, key, sizeof code->seen[index].hash) == 0;
}

static void remember(struct cg_code *code, const struct cg_code_seen *seen)
{
	if (!cg_memory_grow(code->memory, (void **)&code->seen, &code->seen_room, code->seen_count, sizeof *seen))
		return;
	code->seen[code->seen_count] = *seen;
	if (cg_table_add(code->memory, &code->seen_table, seen->hash[0], (uint32_t)code->seen_count, hash_of_seen,
	                 code))
		code->seen_count++;
}

int64_t cg_code_stack_number(struct cg_code *code, const char *text, size_t size)
{
	struct cg_code_seen key = {.hash = {cg_hash(0, text, size), cg_hash(1, text, size)}};
	int64_t found = cg_table_find(&code->seen_table, key.hash[0], same_seen, code, key.hash);
	if (found >= 0)
		return code->seen[found].number;
	json_t *frames = json_loadb(text, size, 0, NULL);
	if (!frames)
		return CG_STACK_DAMAGED;
	const struct cg_code_stack *stack = cg_code_stack_of(code, frames, false);
	json_decref(frames);
	if (!stack)
		return CG_STACK_NO_ROOM;
	key.number = stack->number;
	remember(code, &key);
	return key.number;
}
