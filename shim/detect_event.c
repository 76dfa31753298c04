/* detect_event.c: by its kind and its stacks, as findings of events are grouped. */
#include "detect_event.h"

#include "detect.h"

bool cg_event_is_of(const struct cg_event *event, const struct cg_kept_finding *kept)
{
	bool late = kept->cause == CG_CAUSE_LATE_CLOSE, exhausted = kept->kind == CG_KIND_FD_EXHAUSTION;
	uint32_t wanted = late                                    ? CG_EVENT_LATE_CLOSE
	                  : exhausted                             ? CG_EVENT_FD_EXHAUSTED
	                  : kept->kind == CG_KIND_DOUBLE_CLOSE    ? CG_EVENT_DOUBLE_CLOSE
	                  : kept->kind == CG_KIND_USE_AFTER_CLOSE ? CG_EVENT_USE_AFTER_CLOSE
	                                                          : CG_EVENT_NONE;
	uint32_t open_stack = exhausted ? 0 : event->slot.open_stack;
	uint32_t stack = late ? event->slot.eof_stack : event->stack;
	return event->seq && wanted != CG_EVENT_NONE && event->kind == wanted && open_stack == kept->open_stack &&
	       stack == kept->eof_stack;
}
