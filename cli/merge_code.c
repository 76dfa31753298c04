/*
 * merge_code.c: keeps texts and addresses.
 */
#include "merge_code.h"

#include <stdlib.h>
#include <string.h>

void cg_code_begin(struct cg_code *code, struct cg_memory *memory)
{
	*code = (struct cg_code){.memory = memory};
}

void cg_code_end(struct cg_code *code)
{
	for (size_t i = 0; i < code->address_count; i++)
		json_decref(code->addresses[i]->frames);
	free(code->texts);
	free(code->addresses);
	free(code->stacks);
	free(code->seen);
	free(code->seen_table.places);
	free(code->text_table.places);
	free(code->address_table.places);
	free(code->stack_table.places);
}

static uint64_t hash_of_text(const void *context, uint32_t index)
{
	const struct cg_code *code = context;
	return cg_hash(0, code->texts[index], strlen(code->texts[index]));
}

static bool same_text(const void *context, uint32_t index, const void *key)
{
	const struct cg_code *code = context;
	return strcmp(code->texts[index], key) == 0;
}

const char *cg_code_text(struct cg_code *code, const char *text)
{
	if (!text)
		return NULL;
	size_t size = strlen(text) + 1;
	uint64_t hash = cg_hash(0, text, size - 1);
	int64_t found = cg_table_find(&code->text_table, hash, same_text, code, text);
	if (found >= 0)
		return code->texts[found];
	if (!cg_memory_grow(code->memory, (void **)&code->texts, &code->text_room, code->text_count, sizeof text))
		return NULL;
	char *kept = cg_memory_take(code->memory, size);
	if (!kept)
		return NULL;
	memcpy(kept, text, size);
	code->texts[code->text_count] = kept;
	if (!cg_table_add(code->memory, &code->text_table, hash, (uint32_t)code->text_count, hash_of_text, code))
		return NULL;
	code->text_count++;
	return kept;
}

const char *cg_code_member(struct cg_code *code, const json_t *object, const char *name)
{
	return cg_code_text(code, json_string_value(json_object_get(object, name)));
}

static uint64_t hash_of(const struct cg_code_address *key)
{
	const char *what[2] = {key->build_id ? key->build_id : key->module, key->offset};
	return cg_hash(0, what, sizeof what);
}

static uint64_t hash_of_address(const void *context, uint32_t index)
{
	const struct cg_code *code = context;
	return hash_of(code->addresses[index]);
}

/* Without an offset the function's name is all there is. */
static bool same_address(const void *context, uint32_t index, const void *key)
{
	const struct cg_code *code = context;
	const struct cg_code_address *one = code->addresses[index], *other = key;
	return one->run == other->run && one->build_id == other->build_id &&
	       (one->build_id || one->module == other->module) && one->offset == other->offset &&
	       (one->offset || one->names[0].function == other->names[0].function);
}

/* How much is known: lines most of all, then names, then which functions were inlined. */
static unsigned worth(const struct cg_code_address *address)
{
	const struct cg_code_name *last = &address->names[address->count - 1];
	return (last->file ? 512u : 0) + (last->function ? 256u : 0) + address->count;
}

static const struct cg_code_name *keep_names(struct cg_code *code, const struct cg_code_address *key)
{
	struct cg_code_name *names = cg_memory_take(code->memory, key->count * sizeof *names);
	return names ? memcpy(names, key->names, key->count * sizeof *names) : NULL;
}

static struct cg_code_address *learn(struct cg_code *code, struct cg_code_address *known,
                                     const struct cg_code_address *key)
{
	const struct cg_code_name *names = worth(key) > worth(known) ? keep_names(code, key) : NULL;
	if (names) {
		known->names = names;
		known->count = key->count;
	}
	return known;
}

struct cg_code_address *cg_code_address_of(struct cg_code *code, const struct cg_code_address *key)
{
	int64_t found = cg_table_find(&code->address_table, hash_of(key), same_address, code, key);
	if (found >= 0)
		return learn(code, code->addresses[found], key);
	if (!cg_memory_grow(code->memory, (void **)&code->addresses, &code->address_room, code->address_count,
	                    sizeof(void *)))
		return NULL;
	struct cg_code_address *kept = cg_memory_take(code->memory, sizeof *kept);
	const struct cg_code_name *names = kept ? keep_names(code, key) : NULL;
	if (!names)
		return NULL;
	*kept = *key;
	kept->names = names;
	code->addresses[code->address_count] = kept;
	if (!cg_table_add(code->memory, &code->address_table, hash_of(kept), (uint32_t)code->address_count,
	                  hash_of_address, code))
		return NULL;
	code->address_count++;
	return kept;
}
