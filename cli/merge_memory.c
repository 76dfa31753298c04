/*
 * merge_memory.c: a bounded arena, growing arrays and hash tables.
 */
#include "merge_memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* A report of ten thousand findings takes a third of it. The document made from it may take three times as much. */
static const size_t most = 24u << 20;

enum { BLOCK = 64 << 10 };

struct cg_memory_block {
	struct cg_memory_block *next;
	_Alignas(max_align_t) char data[];
};

static bool new_block(struct cg_memory *memory, size_t size)
{
	struct cg_memory_block *block = memory->used + size > most ? NULL : malloc(sizeof *block + size);
	if (!block)
		return false;
	memory->used += size;
	block->next = memory->blocks;
	memory->blocks = block;
	memory->next = block->data;
	memory->block_left = size;
	return true;
}

void *cg_memory_take(struct cg_memory *memory, size_t size)
{
	size = (size + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
	if (size > most || (size > memory->block_left && !new_block(memory, size > BLOCK ? size : BLOCK))) {
		memory->failed = true;
		return NULL;
	}
	void *taken = memory->next;
	memory->next += size;
	memory->block_left -= size;
	return memset(taken, 0, size);
}

bool cg_memory_grow(struct cg_memory *memory, void **array, size_t *room, size_t count, size_t size)
{
	if (count < *room)
		return true;
	size_t wanted = *room ? 2 * *room : 16, more = (wanted - *room) * size;
	void *grown = memory->used + more > most ? NULL : realloc(*array, wanted * size);
	memory->failed |= !grown;
	if (!grown)
		return false;
	memory->used += more;
	*array = grown;
	*room = wanted;
	return true;
}

void cg_memory_end(struct cg_memory *memory)
{
	while (memory->blocks) {
		struct cg_memory_block *next = memory->blocks->next;
		free(memory->blocks);
		memory->blocks = next;
	}
	*memory = (struct cg_memory){0};
}

int64_t cg_table_find(const struct cg_table *table, uint64_t hash, cg_table_same *same, const void *context,
                      const void *key)
{
	for (size_t i = 0; i < table->room; i++) {
		uint32_t place = table->places[(hash + i) & (table->room - 1)];
		if (!place)
			return -1;
		if (same(context, place - 1, key))
			return place - 1;
	}
	return -1;
}

static void put(uint32_t *places, size_t room, uint64_t hash, uint32_t index)
{
	while (places[hash & (room - 1)])
		hash++;
	places[hash & (room - 1)] = index + 1;
}

static bool enlarge(struct cg_memory *memory, struct cg_table *table, cg_table_hash *rehash, const void *context)
{
	size_t room = table->room ? 2 * table->room : 64, more = (room - table->room) * sizeof(uint32_t);
	uint32_t *places = memory->used + more > most ? NULL : calloc(room, sizeof *places);
	memory->failed |= !places;
	if (!places)
		return false;
	memory->used += more;
	for (size_t i = 0; i < table->room; i++)
		if (table->places[i])
			put(places, room, rehash(context, table->places[i] - 1), table->places[i] - 1);
	free(table->places);
	table->places = places;
	table->room = room;
	return true;
}

bool cg_table_add(struct cg_memory *memory, struct cg_table *table, uint64_t hash, uint32_t index,
                  cg_table_hash *rehash, const void *context)
{
	if (2 * table->used >= table->room && !enlarge(memory, table, rehash, context))
		return false;
	put(table->places, table->room, hash, index);
	table->used++;
	return true;
}

void cg_table_clear(struct cg_table *table)
{
	if (table->room)
		memset(table->places, 0, table->room * sizeof *table->places);
	table->used = 0;
}

uint64_t cg_hash(uint64_t before, const void *data, size_t size)
{
	static uint64_t seed;
	const unsigned char *bytes = data;
	uint64_t h = before, word;
	if (!seed && getrandom(&seed, sizeof seed, GRND_NONBLOCK) != sizeof seed)
		seed = (uint64_t)(uintptr_t)&word;
	seed |= 1;
	h ^= seed;
	for (; size >= sizeof word; size -= sizeof word, bytes += sizeof word) {
		memcpy(&word, bytes, sizeof word);
		h = (h ^ word) * 0x9e3779b97f4a7c15u;
		h ^= h >> 29;
	}
	word = size;
	memcpy(&word, bytes, size);
	h = (h ^ word ^ (uint64_t)size << 56) * 0xff51afd7ed558ccdu;
	return h ^ h >> 32;
}
