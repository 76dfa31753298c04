/* symbol_cache.c: the answers of the symbol annex, packed into one anonymous mapping. */
#include "symbol_cache.h"

#include <string.h>
#include <sys/mman.h>

#include "sys.h"

/* Room for the stacks of a large program; 1.3 MB, of which only what is used becomes memory. */
enum { PLACES = 4096, FRAMES = 8192, NAMES = 8192, TEXT = 1 << 20 };

struct place {
	struct cg_symbol_key key;
	uint32_t first;
	uint16_t used, count;
};

struct packed {
	uint32_t function, file; /* in text */
	uint32_t line, inlined;
};

/* Open addressing; never more than three quarters full. */
struct cache {
	uint32_t place_count, frame_count, name_count, text_len;
	struct place places[PLACES];
	struct packed frames[FRAMES];
	uint32_t names[NAMES]; /* where each text starts; 0: free */
	char text[TEXT];       /* the first byte is the empty text */
};

static struct cache *cache;

static bool ready(void)
{
	if (cache)
		return true;
	void *memory = cg_sys_mmap(NULL, sizeof *cache, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (cg_sys_failed(memory))
		return false;
	cache = memory;
	cache->text_len = 1;
	return true;
}

void cg_symbol_cache_forget(void)
{
	if (cache)
		cg_sys_munmap(cache, sizeof *cache);
	cache = NULL;
}

/* The key's place, or the free one where it belongs. */
static struct place *find(const struct cg_symbol_key *key)
{
	uint64_t hash = (key->module ^ key->offset) * 0x9e3779b97f4a7c15u;
	for (uint32_t i = (uint32_t)(hash >> 40);; i++) {
		struct place *place = &cache->places[i % PLACES];
		if (!place->used || (place->key.module == key->module && place->key.offset == key->offset))
			return place;
	}
}

static uint32_t intern(const char *text)
{
	size_t len = strlen(text);
	uint32_t hash = 2166136261u;
	if (len == 0)
		return 0;
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)text[i]) * 16777619u;
	for (uint32_t i = hash;; i++) {
		uint32_t *name = &cache->names[i % NAMES];
		if (*name && strcmp(cache->text + *name, text) == 0)
			return *name;
		if (*name)
			continue;
		*name = cache->text_len;
		cache->name_count++;
		memcpy(cache->text + cache->text_len, text, len + 1);
		cache->text_len += (uint32_t)len + 1;
		return *name;
	}
}

static bool has_room(unsigned count)
{
	return cache->place_count < PLACES / 4 * 3 && cache->frame_count + count <= FRAMES &&
	       cache->name_count + 2 * count < NAMES / 4 * 3 &&
	       cache->text_len + count * sizeof(struct cg_annex_frame) <= TEXT;
}

void cg_symbol_cache_put(const struct cg_symbol_key *key, const struct cg_annex_frame *frames, unsigned count)
{
	if (cache && !has_room(count))
		cg_symbol_cache_forget();
	if (count > CG_FRAMES_PER_IP || !ready())
		return;
	struct place *place = find(key);
	if (!place->used)
		cache->place_count++;
	for (unsigned i = 0; i < count; i++) {
		cache->frames[cache->frame_count + i] = (struct packed){
		    .function = intern(frames[i].function),
		    .file = intern(frames[i].file),
		    .line = frames[i].line,
		    .inlined = frames[i].inlined,
		};
	}
	*place = (struct place){*key, cache->frame_count, 1, (uint16_t)count};
	cache->frame_count += count;
}

static void copy(char *to, size_t size, uint32_t text)
{
	size_t len = strlen(cache->text + text);
	len = len < size ? len : size - 1;
	memcpy(to, cache->text + text, len);
	to[len] = '\0';
}

int cg_symbol_cache_get(const struct cg_symbol_key *key, struct cg_frame *frames, unsigned max)
{
	const struct place *place = cache ? find(key) : NULL;
	if (!place || !place->used)
		return -ENOENT;
	unsigned count = place->count < max ? place->count : max;
	const struct packed *packed = &cache->frames[place->first + place->count - count];
	for (unsigned i = 0; i < count; i++) {
		copy(frames[i].function, sizeof frames[i].function, packed[i].function);
		copy(frames[i].file, sizeof frames[i].file, packed[i].file);
		frames[i].line = packed[i].line;
		frames[i].inlined = packed[i].inlined != 0;
	}
	return (int)count;
}
