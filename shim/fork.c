/* fork.c: a forked child starts its own records. */
#include "fork.h"

#include <stddef.h>

#include "guard.h"
#include "loader.h"
#include "track_inherit.h"
#include "recorder.h"
#include "track.h"
#include "unwind.h"

void (*cg_fork_child_hook)(void);

void cg_fork_before(bool by_libc)
{
	CG_EVENT(cg_inherit_before_fork());
	cg_loader_before_fork(by_libc);
}

void cg_fork_parent(void)
{
	cg_loader_fork_parent();
	CG_EVENT(cg_inherit_fork_parent());
}

void cg_fork_child(bool by_libc)
{
	cg_loader_fork_child(by_libc);
	if (!atomic_load(&cg_guard.enabled))
		return;
	cg_recorder_after_fork();
	cg_unwind_after_fork();
	cg_track_close_after_fork();
	cg_track_end_after_fork();
	cg_inherit_fork_child();
	atomic_store(&cg_track_wanted, true);
	if (cg_fork_child_hook)
		cg_fork_child_hook();
	cg_guard_own();
}
