/*
 * merge_memory.h: memory of a merge, of which there is only so much: what is merged may be anything.
 */
#ifndef CG_MERGE_MEMORY_H
#define CG_MERGE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cg_memory_block;

/* Zeroed: nothing is taken. */
struct cg_memory {
	struct cg_memory_block *blocks;
	char *next;
	size_t block_left;
	size_t used; /* bytes, of all that is counted */
	bool failed; /* something found no room; for the user to clear */
};

/* Zeroed bytes that live until the end. NULL where too much was taken already. */
void *cg_memory_take(struct cg_memory *memory, size_t size);

/* Makes room for one more element behind `count`; false where there is none, and the array is as it was. */
bool cg_memory_grow(struct cg_memory *memory, void **array, size_t *room, size_t count, size_t size);

/* Gives back what was taken; arrays that grew are freed by their owner. */
void cg_memory_end(struct cg_memory *memory);

/* Finds elements by what is in them: an open hash table of indices. Zeroed: empty. */
struct cg_table {
	uint32_t *places; /* index + 1 */
	size_t room, used;
};

/* Is the element at index the one with this key? */
typedef bool cg_table_same(const void *context, uint32_t index, const void *key);

/* The index, or -1. */
int64_t cg_table_find(const struct cg_table *table, uint64_t hash, cg_table_same *same, const void *context,
                      const void *key);

/* What the elements of a table are hashed by, for when it grows. */
typedef uint64_t cg_table_hash(const void *context, uint32_t index);

/* Adds an index that is not there. False without memory. */
bool cg_table_add(struct cg_memory *memory, struct cg_table *table, uint64_t hash, uint32_t index,
                  cg_table_hash *rehash, const void *context);

/* Takes all indices out. */
void cg_table_clear(struct cg_table *table);

/* A hash that whoever writes the input cannot foresee. Start with 0, or with the hash of what comes before. */
uint64_t cg_hash(uint64_t before, const void *data, size_t size);

#endif
