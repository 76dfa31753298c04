/* wrap_process.c: forks and ends of processes, and the sandboxes that forbid us every system call. */
#include "track_inherit.h"
#include "real.h"
#include "recorder.h"
#include "track.h"
#include "unwind.h"

#include <pthread.h>
#include <stdarg.h>
#include <sys/prctl.h>

#include "fork.h"

/* Handlers registered with pthread_atfork do the work, since daemon() and forkpty() fork inside libc. */
CG_EXPORT pid_t fork(void)
{
	CG_NEED(fork);
	return cg_real.fork();
}

/* glibc's _Fork runs no handlers. */
CG_EXPORT pid_t _Fork(void)
{
	CG_NEED(_Fork);
	if (!cg_real._Fork) {
		errno = ENOSYS;
		return -1;
	}
	cg_fork_before(false);
	pid_t pid = cg_real._Fork();
	int saved_errno = errno;
	if (pid == 0)
		cg_fork_child(false);
	else
		cg_fork_parent();
	errno = saved_errno;
	return pid;
}

CG_EXPORT int daemon(int keep_dir, int keep_fds)
{
	CG_NEED(daemon);
	/* The parent leaves by libc's own _exit. What it knows goes on in the child. */
	if (!keep_fds)
		for (int fd = 0; fd < 3; fd++)
			if (cg_track_knows(fd))
				CG_EVENT((void)cg_track_retire(fd, CG_CALL_daemon, CG_CALLER));
	return cg_real.daemon(keep_dir, keep_fds);
}

#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__) /* whose runtimes call it before code may run */
CG_EXPORT int sigaltstack(const stack_t *stack, stack_t *old)
{
	if (stack)
		cg_unwind_expect_signal_stacks();
	return cg_real.sigaltstack(stack, old);
}
#endif

static void exiting(const char *how)
{
	if (cg_track_exiting)
		CG_EVENT(cg_track_exiting(how));
}

CG_EXPORT void _exit(int status)
{
	exiting("_exit");
	cg_real._exit(status);
	__builtin_unreachable();
}

CG_EXPORT void quick_exit(int status)
{
	CG_NEED(quick_exit);
	exiting("quick_exit");
	cg_real.quick_exit(status);
	__builtin_unreachable();
}

/*
 * When main leaves by pthread_exit, the program ends with its last other thread. Ours must not be taken for one: the
 * sweep keeps an eye on it from here on.
 */
CG_EXPORT void pthread_exit(void *value)
{
	CG_NEED(pthread_exit);
	if (cg_track_main_left && cg_guard_tid() == (uint32_t)atomic_load(&cg_self.pid))
		CG_EVENT(cg_track_main_left());
	cg_real.pthread_exit(value);
	__builtin_unreachable();
}

CG_EXPORT int prctl(int op, ...)
{
	va_list args;
	va_start(args, op);
	unsigned long a = va_arg(args, unsigned long), b = va_arg(args, unsigned long), c = va_arg(args, unsigned long);
	unsigned long d = va_arg(args, unsigned long);
	va_end(args);
	/* PR_SET_NO_NEW_PRIVS alone forbids no call: haproxy sets it and stays as free as before. The filter comes
	 * after. */
	if (op == PR_SET_SECCOMP && cg_track_sealing)
		CG_EVENT(cg_track_sealing());
	return cg_real.prctl(op, a, b, c, d);
}

CG_EXPORT void _Exit(int status) __attribute__((alias("_exit")));
