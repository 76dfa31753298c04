/*
 * sigbus.c: lets the program live when its recorder is cut short.
 *
 * The recorder is a file of the program's user, who may truncate it by mistake. A store to a page that the file has no
 * more is a SIGBUS then, which would end the program. Where SIGBUS has its default action, a handler of ours puts
 * anonymous memory in the page's place, and nothing is watched any more. Any other SIGBUS ends the program as it would
 * have without us. A program with a handler of its own keeps it, and a thread that blocks SIGBUS cannot be helped.
 */
#include "sigbus.h"

#include <signal.h>
#include <ucontext.h>

#include "guard.h"
#include "recorder.h"
#include "sys.h"

static const uint64_t sigbus_bit = 1ull << (SIGBUS - 1);
static _Atomic int own_thread;
static _Atomic bool cut;

static int thread_id(void)
{
	return (int)CG_SYS3(SYS_gettid, 0, 0, 0);
}

/* As for a program without a handler: what a store raised is raised again, what was sent is sent again. */
static void end_as_bare(siginfo_t *info)
{
	struct sigaction bare = {.sa_handler = SIG_DFL};
	sigaction(SIGBUS, &bare, NULL);
	if (info->si_code <= 0 || info->si_code == BUS_MCEERR_AO)
		(void)CG_SYS3(SYS_tgkill, cg_sys_getpid(), thread_id(), SIGBUS);
}

/* Sent to the process, and for its own threads to take or to wait for, not for ours. */
static void pass_on(siginfo_t *info, ucontext_t *context)
{
	uint64_t *blocked = (void *)&context->uc_sigmask;
	*blocked |= sigbus_bit;
	if (CG_SYS3(SYS_rt_sigqueueinfo, cg_sys_getpid(), SIGBUS, info) < 0)
		(void)CG_SYS3(SYS_kill, cg_sys_getpid(), SIGBUS,
		              0); /* what kill() sent, only the main thread may copy */
}

static void on_fault(int number, siginfo_t *info, void *context)
{
	int saved_errno = errno;
	(void)number;
	if (info->si_code == BUS_ADRERR && cg_recorder_mend(info->si_addr)) {
		atomic_store(&cg_guard.enabled, false);
		atomic_store(&cut, true);
	} else if (info->si_code <= 0 && thread_id() == atomic_load(&own_thread)) {
		pass_on(info, context);
	} else {
		end_as_bare(info);
	}
	errno = saved_errno;
}

void cg_sigbus_guard(void)
{
	struct sigaction ours = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART}, before;
	atomic_store(&own_thread, thread_id());
	if (sigaction(SIGBUS, NULL, &before) < 0)
		return;
	bool there = (before.sa_flags & SA_SIGINFO) && before.sa_sigaction == on_fault;
	bool free_to_take = !(before.sa_flags & SA_SIGINFO) && before.sa_handler == SIG_DFL;
	if (there || (free_to_take && sigaction(SIGBUS, &ours, NULL) == 0))
		(void)CG_SYS(SYS_rt_sigprocmask, SIG_UNBLOCK, &sigbus_bit, 0, sizeof sigbus_bit, 0, 0);
}

bool cg_sigbus_was_cut(void)
{
	return atomic_load(&cut);
}
