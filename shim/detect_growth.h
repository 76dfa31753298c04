/*
 * detect_growth.h: how fast a finding grows, by how many there were a while ago: count divided by age would call a
 * burst of yesterday a growth of today.
 */
#ifndef CG_DETECT_GROWTH_H
#define CG_DETECT_GROWTH_H

#include <stdbool.h>
#include <stdint.h>

#include "record.h"

/* Notes the count of now among the earlier ones. By the one who rewrites the finding. */
void cg_growth_note(struct cg_kept_finding *kept, uint64_t now_ns);

/*
 * Tenths a minute over the last half to one minute, or as long as it was watched. False where that is too short to say.
 * Pure; any context.
 */
bool cg_growth_per_minute(const struct cg_kept_finding *kept, uint64_t now_ns, int64_t *ret);

#endif
