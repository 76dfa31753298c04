/* act_quiet.c: a connection that was reaped answers a write with EPIPE, and raises no SIGPIPE that it would not have.
 */
#include "act.h"
#include "log_target.h"
#include "recorder.h"

void cg_act_write_begin(int fd, struct cg_act_quiet *ret)
{
	struct cg_slot *slot = cg_slot_at(fd);
	struct cg_log_quiet quiet;
	ret->on = slot && (atomic_load(&slot->flags) & CG_SLOT_REAPED) && atomic_load(&slot->kind) == CG_FD_CONN &&
	          !atomic_load(&cg_guard.sealed);
	if (!ret->on)
		return;
	cg_log_pipe_begin_quiet(&quiet);
	ret->mask = quiet.mask;
	ret->pending = quiet.pending;
}

void cg_act_write_end(const struct cg_act_quiet *quiet)
{
	if (quiet->on)
		cg_log_pipe_end_quiet(&(struct cg_log_quiet){.mask = quiet->mask, .pending = quiet->pending});
}
