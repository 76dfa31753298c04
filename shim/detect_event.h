/*
 * detect_event.h: which finding something that happened belongs to.
 */
#ifndef CG_DETECT_EVENT_H
#define CG_DETECT_EVENT_H

#include <stdbool.h>

#include "record.h"

/* Is it one of those that the finding counts? Pure; any context. */
bool cg_event_is_of(const struct cg_event *event, const struct cg_kept_finding *kept);

#endif
