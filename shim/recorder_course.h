/*
 * recorder_course.h: how many sockets were in CLOSE_WAIT when, from the first look to the last one, in bounded room.
 */
#ifndef CG_RECORDER_COURSE_H
#define CG_RECORDER_COURSE_H

#include <stdint.h>

#include "record.h"

/*
 * Notes the number as of now_ns (CLOCK_MONOTONIC). Only changes take room: until the next point a number holds. Where
 * there is no room left, every second point goes, and the next ones come less often. Sweep only.
 */
void cg_course_note(struct cg_course *course, uint64_t now_ns, uint32_t count);

#endif
