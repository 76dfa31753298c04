/*
 * fileid.h: one number for a file as it is now: the same file, rewritten or replaced, has another.
 *
 * It stands for a build-id where a module has none. Neither name nor change time is in it: a link made to the file, or
 * its mode, changes nothing in its code.
 */
#ifndef CG_FILEID_H
#define CG_FILEID_H

#include <stdint.h>
#include <sys/stat.h>

static inline uint64_t cg_fileid_mix(uint64_t id, uint64_t value)
{
	for (unsigned i = 0; i < sizeof value; i++, value >>= 8)
		id = (id ^ (value & 0xff)) * 0x100000001b3u;
	return id;
}

/* Of what stat told of the file; never 0, which is left for "not known". Any context. */
static inline uint64_t cg_fileid(const struct stat *st)
{
	uint64_t id = 0xcbf29ce484222325u;
	id = cg_fileid_mix(id, (uint64_t)st->st_dev);
	id = cg_fileid_mix(id, (uint64_t)st->st_ino);
	id = cg_fileid_mix(id, (uint64_t)st->st_size);
	id = cg_fileid_mix(id, (uint64_t)st->st_mtim.tv_sec);
	id = cg_fileid_mix(id, (uint64_t)st->st_mtim.tv_nsec);
	return id ? id : 1;
}

#endif
