/* wrap_dup.c: calls that give a file another number. */
#include "act.h"
#include "track_inherit.h"
#include "ownfd.h"
#include "real.h"
#include "sys.h"
#include "track.h"
#include "unwind.h"
#include "wrap_room.h"

#include <limits.h>
#include <stdarg.h>

static void duplicated(int fd, int newfd, enum cg_call call)
{
	if (cg_track_knows(fd) || cg_track_knows(newfd))
		CG_EVENT(cg_track_dup(fd, newfd, call));
}

CG_EXPORT int dup(int fd)
{
	int r = cg_real.dup(fd);
	if (cg_wrap_room(r))
		r = cg_real.dup(fd);
	if (r >= 0)
		duplicated(fd, r, CG_CALL_dup);
	return r;
}

/* The app put something of its own over a descriptor of ours: it wins. */
static void lost(int fd)
{
	if (cg_ownfd_is(fd) && cg_ownfd_lose(fd))
		cg_unwind_give_up();
}

/* Asked before a connection is given up for one: a dup2 of a closed descriptor leaves the other one open. */
static bool is_open(int fd)
{
	return atomic_load_explicit(&cg_guard.sealed, memory_order_relaxed) || cg_sys_fcntl(fd, F_GETFD, 0) >= 0;
}

/* dup2 and dup3 close what newfd was, silently: that slot is retired first. flags < 0: dup2. */
static int dup_over(int fd, int newfd, int flags, enum cg_call call, uintptr_t caller)
{
	struct cg_retired retired = {0};
	bool over = fd != newfd && cg_track_knows(newfd) && is_open(fd);
	struct cg_act_close act = {0};
	if (over && cg_act_wanted(CG_POLICY_ON_CLOSE))
		CG_EVENT(cg_act_before_close(newfd, &act));
	if (over)
		CG_EVENT(retired = cg_track_retire(newfd, call, caller));
	int r = flags < 0 ? cg_real.dup2(fd, newfd) : cg_real.dup3(fd, newfd, flags);
	if (r < 0 && retired.slot)
		CG_EVENT(cg_track_unretire(retired));
	if (act.drain)
		CG_EVENT(cg_act_after_close(&act, r >= 0));
	if (r >= 0 && fd != newfd) {
		lost(newfd);
		cg_inherit_forget(newfd);
		duplicated(fd, newfd, call);
	}
	return r;
}

CG_EXPORT int dup2(int fd, int newfd)
{
	return dup_over(fd, newfd, -1, CG_CALL_dup2, CG_CALLER);
}

CG_EXPORT int dup3(int fd, int newfd, int flags)
{
	return dup_over(fd, newfd, flags & INT_MAX, CG_CALL_dup3, CG_CALLER);
}

/* The third argument is a number or a pointer or absent; as a pointer it passes through unchanged in every case. */
CG_EXPORT int fcntl(int fd, int op, ...)
{
	va_list args;
	va_start(args, op);
	void *arg = va_arg(args, void *);
	va_end(args);
	int r = cg_real.fcntl(fd, op, arg);
	if (cg_wrap_room(r))
		r = cg_real.fcntl(fd, op, arg);
	if (r >= 0 && (op == F_DUPFD || op == F_DUPFD_CLOEXEC))
		duplicated(fd, r, CG_CALL_fcntl);
	cg_track_idle_call();
	return r;
}

CG_EXPORT int fcntl64(int fd, int op, ...)
{
	va_list args;
	va_start(args, op);
	void *arg = va_arg(args, void *);
	va_end(args);
	int r = cg_real.fcntl64 ? cg_real.fcntl64(fd, op, arg) : cg_real.fcntl(fd, op, arg);
	if (r >= 0 && (op == F_DUPFD || op == F_DUPFD_CLOEXEC))
		duplicated(fd, r, CG_CALL_fcntl);
	return r;
}

/* Only for libunwind, whose pipe must not take numbers that the app would have got. */
CG_EXPORT int pipe2(int fds[2], int flags)
{
	int r = cg_real.pipe2(fds, flags);
	if (cg_wrap_room(r))
		r = cg_real.pipe2(fds, flags);
	if (r == 0 && cg_unwinding) {
		int saved_errno = errno;
		fds[0] = cg_ownfd_take_library(fds[0]);
		fds[1] = cg_ownfd_take_library(fds[1]);
		errno = saved_errno;
	}
	return r;
}

CG_EXPORT int __dup2(int fd, int newfd);
CG_EXPORT int __dup2(int fd, int newfd)
{
	return dup_over(fd, newfd, -1, CG_CALL_dup2, CG_CALLER);
}

CG_EXPORT int __fcntl(int fd, int op, ...) __attribute__((alias("fcntl")));
