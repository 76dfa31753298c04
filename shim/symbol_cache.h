/*
 * symbol_cache.h: the answers of the symbol annex, kept in memory of a fixed size. One caller at a time.
 */
#ifndef CG_SYMBOL_CACHE_H
#define CG_SYMBOL_CACHE_H

#include "annex.h"
#include "report.h"

struct cg_symbol_key {
	uint64_t module; /* hash of path and build-id: the same wherever the module is loaded */
	uint64_t offset;
};

/* Sets function, file, line and inlined of frames[0..max); returns how many (0: the annex knew none), -ENOENT. */
int cg_symbol_cache_get(const struct cg_symbol_key *key, struct cg_frame *frames, unsigned max);

/* Keeps an answer, whose texts end within their arrays; when there is no room for it, everything is forgotten first. */
void cg_symbol_cache_put(const struct cg_symbol_key *key, const struct cg_annex_frame *frames, unsigned count);

/* Forgets everything without reading any of it: it may be half-written. */
void cg_symbol_cache_forget(void);

#endif
