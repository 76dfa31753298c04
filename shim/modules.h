/*
 * modules.h: the list of loaded modules with their build-ids, kept in the recorder.
 *
 * dlopen'ed modules come and go; each entry tells in which generations of the list it was there, and a stack carries
 * the generation it was captured in, so that an address is still named rightly after its module was unloaded.
 */
#ifndef CG_MODULES_H
#define CG_MODULES_H

#include <stdbool.h>
#include <stdint.h>

#include "record.h"

/*
 * Brings the list up to date when the loader has added or removed something since (dl_iterate_phdr, whose lock the
 * loader may hold: not in a signal handler, not inside dlopen's constructors in a signal). Cheap when nothing changed.
 */
void cg_modules_refresh(void);

/* In a forked child, whose recorder has no modules yet. */
void cg_modules_after_fork(void);

/*
 * The module that contained the return address ip in that generation, or NULL (generated code, or the list was full).
 * Any context.
 */
const struct cg_module *cg_modules_find(uint64_t ip, uint32_t generation);

/* True when every one of the addresses lies in a module that is in the list now. Any context. */
bool cg_modules_cover(const uint64_t *ip, unsigned depth);

#endif
