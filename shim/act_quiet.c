/* act_quiet.c: a connection that was reaped answers a write with EPIPE, and raises no SIGPIPE that it would not have.
 */
#include <signal.h>
#include <time.h>

#include "act.h"
#include "recorder.h"
#include "sys.h"

static const uint64_t sigpipe = 1ull << (SIGPIPE - 1);

static uint64_t pending_signals(void)
{
	uint64_t set = 0;
	CG_SYS3(SYS_rt_sigpending, &set, sizeof set, 0);
	return set;
}

void cg_act_write_begin(int fd, struct cg_act_quiet *ret)
{
	struct cg_slot *slot = cg_slot_at(fd);
	ret->on = slot && (atomic_load(&slot->flags) & CG_SLOT_REAPED) && atomic_load(&slot->kind) == CG_FD_CONN &&
	          !atomic_load(&cg_guard.sealed);
	if (!ret->on)
		return;
	CG_SYS(SYS_rt_sigprocmask, SIG_BLOCK, &sigpipe, &ret->mask, sizeof sigpipe, 0, 0);
	ret->pending = pending_signals();
}

/* Accepted: a SIGPIPE that another process sends in just this moment is taken for ours. */
void cg_act_write_end(const struct cg_act_quiet *quiet)
{
	static const struct timespec at_once;
	if (!quiet->on)
		return;
	if ((pending_signals() & sigpipe) && !(quiet->pending & sigpipe))
		(void)CG_SYS(SYS_rt_sigtimedwait, &sigpipe, NULL, &at_once, sizeof sigpipe, 0, 0);
	CG_SYS(SYS_rt_sigprocmask, SIG_SETMASK, &quiet->mask, NULL, sizeof quiet->mask, 0, 0);
}
