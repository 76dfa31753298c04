/*
 * modules.h: the list of loaded modules with their build-ids, kept in the recorder.
 *
 * A module enters it with the first stack that leads through it. dlopen'ed ones come and go; each entry tells in which
 * generations of the list it was there, and a stack carries the generation it was captured in, so that an address is
 * still named rightly after its module was unloaded.
 */
#ifndef CG_MODULES_H
#define CG_MODULES_H

#include <stdbool.h>
#include <stdint.h>

#include "record.h"

/*
 * Sees to it that the modules of these return addresses, which must lie on the calling thread's stack or in code that
 * cannot be unloaded, are in the list as they are loaded now. No lock but ours; cheap when they are. Any context.
 */
void cg_modules_note(const uint64_t *ip, unsigned depth);

/*
 * The same for an address that is on no stack, whose module may go at any time: asks the loader, under its lock, if it
 * is in none of the list's modules. Not in the child of several threads, where that lock may be nobody's. Sweep only.
 */
void cg_modules_note_use(uint64_t ip);

/* Marks what has been unloaded. Sweep only. */
void cg_modules_refresh(void);

/*
 * Finds out which files the modules without build-id were loaded from; reads /proc/self/maps when there are new ones.
 * Sweep only.
 */
void cg_modules_identify(void);

/*
 * The module that contained the return address ip in that generation, or NULL (generated code, or the list was full).
 * Any context.
 */
const struct cg_module *cg_modules_find(uint64_t ip, uint32_t generation);

#endif
