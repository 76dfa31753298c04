/*
 * wrap_room.h: a call that failed for want of a descriptor is made again once one of ours is given back.
 */
#ifndef CG_WRAP_ROOM_H
#define CG_WRAP_ROOM_H

#include <errno.h>

#include "guard.h"
#include "recorder.h"

/* After a call that returned `result`: is it worth making again? errno stays. */
static inline bool cg_wrap_room(int result)
{
	bool made = false;
	if (__builtin_expect(result < 0 && errno == EMFILE, 0))
		CG_EVENT(made = cg_recorder_give_up_descriptor());
	return made;
}

#endif
