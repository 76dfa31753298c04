/*
 * object_maps.h: loaded objects by the kernel's list of mappings, for a libc whose loader cannot be asked without its
 * lock. What was found is remembered, over a fork too. Any context, but a sandbox: nothing new is found there.
 */
#ifndef CG_OBJECT_MAPS_H
#define CG_OBJECT_MAPS_H

#include "object.h"

/* As cg_object_find; eh_frame_hdr is 0 unless the object was given back with cg_object_maps_keep. */
bool cg_object_maps_find(uint64_t address, struct cg_object *ret);
void cg_object_maps_keep(const struct cg_object *object);
void cg_object_maps_path(const struct cg_object *object, char ret[CG_OBJECT_PATH]);
void cg_object_maps_forget(void);

#endif
