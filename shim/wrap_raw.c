/* wrap_raw.c: libc's syscall(), by which Node, among others, closes its sockets. */
#include "act.h"
#include "track_inherit.h"
#include "ownfd.h"
#include "preload.h"
#include "real.h"
#include "sys.h"
#include "track.h"
#include "unwind.h"

#include <alloca.h>
#include <netinet/in.h>
#include <stdint.h>
#include <sys/prctl.h>

/* Under its own prototype: seven register-sized arguments are passed just as the variadic ones are. */
CG_EXPORT long cg_wrap_syscall(long number, long a, long b, long c, long d, long e, long f) __asm__("syscall");

static void accepted(int listener, int fd)
{
	struct cg_slot *slot = cg_slot_at(listener);
	if (slot && atomic_load(&slot->kind) == CG_FD_LISTENER)
		cg_track_open(fd, CG_CALL_syscall, CG_FD_CONN, CG_ROLE_ACCEPTED, CG_ORIGIN_SEEN, 0);
	else
		cg_track_forget(fd);
	if (cg_act_wanted(CG_POLICY_ON_OPEN))
		cg_act_opened(fd);
}

/* Calls after which a number belongs to something else. */
static struct cg_retired before(long number, long a, long b, long c, uintptr_t caller)
{
	struct cg_retired none = {0};
	if (number == SYS_close && cg_track_knows((int)a))
		return cg_track_retire((int)a, CG_CALL_syscall, caller);
#ifdef SYS_dup2
	if (number == SYS_dup2 && a != b && cg_track_knows((int)b))
		return cg_track_retire((int)b, CG_CALL_syscall, caller);
#endif
	if (number == SYS_dup3 && a != b && cg_track_knows((int)b))
		return cg_track_retire((int)b, CG_CALL_syscall, caller);
	if (number == SYS_close_range && !(c & 4))
		cg_track_retire_range((unsigned)a, (unsigned)b, CG_CALL_syscall, caller);
	return none;
}

static void after_open(long number, long a, long b, long c, int r)
{
	switch (number) {
	case SYS_socket:
		if (cg_track_is_tcp(a, b, c))
			cg_track_open(r, CG_CALL_syscall, CG_FD_CONN, CG_ROLE_NONE, CG_ORIGIN_SEEN, 0);
		else
			cg_track_forget(r);
		break;
	case SYS_accept:
	case SYS_accept4:
		accepted((int)a, r);
		break;
	case SYS_dup:
#ifdef SYS_dup2
	case SYS_dup2:
#endif
	case SYS_dup3:
		if (cg_track_knows((int)a) || cg_track_knows(r))
			cg_track_dup((int)a, r, CG_CALL_syscall);
		break;
	case SYS_fcntl:
		if ((b == F_DUPFD || b == F_DUPFD_CLOEXEC) && cg_track_knows((int)a))
			cg_track_dup((int)a, r, CG_CALL_syscall);
		break;
	default:
		break;
	}
}

static void connected(int fd, int r)
{
	cg_track_connect(fd, r, errno);
	if ((r == 0 || errno == EINPROGRESS) && cg_act_wanted(CG_POLICY_ON_OPEN))
		cg_act_opened(fd);
}

static void after_other(long number, long a, long b, long r)
{
	if (number == SYS_connect)
		connected((int)a, (int)r);
	else if (number == SYS_shutdown && r == 0)
		cg_track_shutdown((int)a, (int)b);
	else if (number == SYS_listen && r == 0)
		cg_track_listen((int)a);
}

static bool opens(long number)
{
#ifdef SYS_dup2
	if (number == SYS_dup2)
		return true;
#endif
	return number == SYS_socket || number == SYS_accept || number == SYS_accept4 || number == SYS_dup ||
	       number == SYS_dup3 || number == SYS_fcntl;
}

static bool changes(long number)
{
	return number == SYS_connect || number == SYS_shutdown || number == SYS_listen;
}

static bool closes(long number)
{
#ifdef SYS_dup2
	if (number == SYS_dup2)
		return true;
#endif
	if (number == SYS_close_range)
		return true;
	return number == SYS_close || number == SYS_dup3;
}

/* A child made by a raw fork shares the open sockets; a sandbox forbids us everything from here on. */
static void before_process(long number, long a)
{
#ifdef SYS_fork
	if (number == SYS_fork || number == SYS_vfork)
		cg_track_spawned();
#endif
	if (number == SYS_clone || number == SYS_clone3)
		cg_track_spawned();
#ifdef SYS_seccomp
	if (number == SYS_seccomp && a != 2 && a != 3 && cg_track_sealing) /* not the two that only ask */
		cg_track_sealing();
#endif
	if (number == SYS_prctl && a == PR_SET_SECCOMP && cg_track_sealing)
		cg_track_sealing();
	if (number == SYS_exit_group && cg_track_exiting)
		cg_track_exiting("syscall");
}

static bool is_process(long number)
{
	return number == SYS_clone || number == SYS_clone3 || number == SYS_prctl || number == SYS_exit_group ||
#ifdef SYS_fork
	       number == SYS_fork || number == SYS_vfork ||
#endif
#ifdef SYS_seccomp
	       number == SYS_seccomp ||
#endif
	       false;
}

static long exec_raw(long number, long a, long b, long c, long d, long e, long f)
{
	bool at = number == SYS_execveat;
	char *const *envp = (char *const *)(at ? d : c); // NOLINT(performance-no-int-to-ptr)
	size_t room = at ? cg_preload_room((int)a, (const char *)b, (int)e, envp) // NOLINT(performance-no-int-to-ptr)
	                 : cg_preload_room(AT_FDCWD, (const char *)a, 0, envp); // NOLINT(performance-no-int-to-ptr)
	if (room)
		envp = cg_preload_without(envp, alloca(room), room);
	return at ? cg_real.syscall(number, a, b, c, envp, e, f) : cg_real.syscall(number, a, b, envp, d, e, f);
}

/* The connection that the call will close, or -1. */
static int closed_by(long number, long a, long b)
{
	bool over = number == SYS_dup3;
#ifdef SYS_dup2
	over |= number == SYS_dup2;
#endif
	if (over)
		return a != b && cg_sys_fcntl((int)a, F_GETFD, 0) >= 0 ? (int)b : -1;
	return number == SYS_close ? (int)a : -1;
}

static void act_before(long number, long a, long b, struct cg_act_close *ret)
{
	int fd = cg_act_wanted(CG_POLICY_ON_CLOSE) ? closed_by(number, a, b) : -1;
	if (fd >= 0 && cg_track_knows(fd))
		cg_act_before_close(fd, ret);
}

long cg_wrap_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	struct cg_retired retired = {0};
	if (number == SYS_execve || number == SYS_execveat)
		return exec_raw(number, a, b, c, d, e, f);
	/* What is not ours goes straight on, as a jump: a clone with a stack of its own returns on that stack. */
	if (!opens(number) && !closes(number) && !changes(number)) {
		if (is_process(number))
			CG_EVENT(before_process(number, a));
		return cg_real.syscall(number, a, b, c, d, e, f);
	}
	cg_track_opening = atomic_load_explicit(&cg_track_epoch, memory_order_acquire);
	struct cg_act_close act = {0};
	if (closes(number))
		CG_EVENT(act_before(number, a, b, &act); retired = before(number, a, b, c, CG_CALLER));
	long r = cg_real.syscall(number, a, b, c, d, e, f);
	if (r < 0 && retired.slot && errno != EINTR && number != SYS_close)
		CG_EVENT(cg_track_unretire(retired));
	if (act.drain)
		CG_EVENT(cg_act_after_close(&act, r >= 0 || number == SYS_close));
	if (r >= 0 && opens(number))
		CG_EVENT(after_open(number, a, b, c, (int)r));
	else if (!opens(number) && !closes(number) && cg_track_knows((int)a))
		CG_EVENT(after_other(number, a, b, r));
	return r;
}
