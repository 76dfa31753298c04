/* wrap_close.c: calls that close descriptors. The slot is retired before the real call: the number may be another's at
 * once. */
#include "act.h"
#include "track_inherit.h"
#include "ownfd.h"
#include "real.h"
#include "sys.h"
#include "track.h"
#include "unwind.h"

#include <pthread.h>
#include <sys/resource.h>
#pragma weak pthread_testcancel /* a program without threads may be without it */

/* A number that a library which we brought closes may be of another table. */
static void forget_inherited(int fd)
{
	if (cg_hidden)
		return;
	if (__builtin_expect(atomic_load_explicit(&cg_guard.inherited, memory_order_relaxed), 0))
		cg_inherit_forget(fd);
	else if (__builtin_expect(cg_use_is_news(), 0))
		cg_track_first_use(fd);
}

/*
 * close is a cancellation point that acts on a request before the descriptor is closed. One from before the call is
 * answered here, where nothing has been done yet. One that comes while a drain is prepared finds the descriptor closed,
 * as it would without us. Without a drain the real close may itself wait, and be cancelled in that.
 */
static int before_close(int fd, struct cg_act_close *act)
{
	int cancellation = PTHREAD_CANCEL_ENABLE;
	if (pthread_testcancel)
		pthread_testcancel();
	if (cg_act_wanted(CG_POLICY_ON_CLOSE))
		CG_EVENT(cg_act_before_close(fd, act));
	if (act->drain)
		pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancellation);
	return cancellation;
}

static void after_close(const struct cg_act_close *act, int cancellation)
{
	if (!act->drain)
		return;
	pthread_setcancelstate(cancellation, NULL); /* a handler may leave the drain by longjmp */
	CG_EVENT(cg_act_after_close(act, true));
}

CG_EXPORT int close(int fd)
{
	struct cg_retired retired = {0};
	bool known = cg_track_knows(fd);
	if (__builtin_expect(cg_ownfd_is(fd), 0) && !cg_unwinding && !cg_hidden) {
		errno = EBADF; /* what the app would hear without us */
		return -1;
	}
	cg_track_close_row(fd, CG_CALLER);
	struct cg_act_close act = {0};
	int cancellation = known ? before_close(fd, &act) : 0;
	if (known)
		CG_EVENT(retired = cg_track_retire(fd, CG_CALL_close, CG_CALLER));
	else
		forget_inherited(fd);
	int r = cg_real.close(fd);
	if (known && !retired.slot && r == 0)
		CG_EVENT(cg_track_closed_other(fd, retired.gen));
	else if (known && !retired.slot && errno == EBADF)
		CG_EVENT(cg_track_close_failed(fd, CG_CALL_close, CG_CALLER));
	after_close(&act, cancellation);
	return r;
}

/* Closes [first, last] but for descriptors of ours in it. */
static int close_around_own(unsigned first, unsigned last, int flags)
{
	int own, r = 0;
	while (r == 0 && first <= last && (own = cg_ownfd_next(first, last)) >= 0) {
		if ((unsigned)own > first)
			r = cg_real.close_range(first, (unsigned)own - 1, flags);
		first = (unsigned)own + 1;
	}
	return r == 0 && first <= last ? cg_real.close_range(first, last, flags) : r;
}

CG_EXPORT int close_range(unsigned first, unsigned last, int flags)
{
	enum { CLOEXEC_ONLY = 4 }; /* CLOSE_RANGE_CLOEXEC: marks, closes nothing */
	if (!cg_real.close_range) {
		errno = ENOSYS;
		return -1;
	}
	if (first > last || (flags & CLOEXEC_ONLY))
		return cg_real.close_range(first, last, flags);
	CG_EVENT(cg_track_retire_range(first, last, CG_CALL_close_range, CG_CALLER));
	return close_around_own(first, last, flags);
}

/* Kernels before 5.9 have no close_range: one by one, as far as descriptors can go. */
static void close_each(unsigned first)
{
	struct rlimit limit;
	if (CG_SYS(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, &limit, 0, 0) < 0)
		return;
	for (unsigned fd = first; fd < limit.rlim_cur; fd++)
		if (!cg_ownfd_is((int)fd))
			cg_sys_close((int)fd);
}

CG_EXPORT void closefrom(int lowest)
{
	unsigned first = lowest < 0 ? 0 : (unsigned)lowest;
	int saved_errno = errno;
	CG_EVENT(cg_track_retire_range(first, ~0u, CG_CALL_closefrom, CG_CALLER));
	if (!cg_real.close_range || close_around_own(first, ~0u, 0) < 0)
		close_each(first);
	errno = saved_errno;
}

/* The close inside fclose is libc's own and is not seen: the descriptor is asked for beforehand. */
CG_EXPORT int fclose(FILE *stream)
{
	CG_NEED(fclose);
	int fd = cg_recorder_header() ? fileno_unlocked(stream) : -1;
	bool known = fd >= 0 && cg_track_knows(fd);
	struct cg_act_close act = {0};
	if (known && cg_act_wanted(CG_POLICY_ON_CLOSE))
		CG_EVENT(cg_act_before_close(fd, &act)); /* what is buffered is flushed by the real call */
	if (known)
		CG_EVENT((void)cg_track_retire(fd, CG_CALL_fclose, CG_CALLER));
	else
		cg_track_idle_call();
	int r = cg_real.fclose(stream);
	if (act.drain)
		CG_EVENT(cg_act_after_close(&act, true));
	return r;
}

CG_EXPORT int fcloseall(void)
{
	CG_NEED(fcloseall);
	return cg_real.fcloseall ? cg_real.fcloseall() : fflush(NULL); /* the descriptors stay open */
}

static FILE *open_stream(int fd, const char *mode)
{
	CG_NEED(fdopen);
	FILE *stream = cg_real.fdopen(fd, mode);
	if (stream && cg_track_knows(fd))
		CG_EVENT(cg_track_stdio(fd));
	return stream;
}

CG_EXPORT FILE *fdopen(int fd, const char *mode)
{
	return open_stream(fd, mode);
}

CG_EXPORT FILE *_IO_fdopen(int fd, const char *mode);
CG_EXPORT FILE *_IO_fdopen(int fd, const char *mode)
{
	return open_stream(fd, mode);
}

/* freopen closes the old file, or puts the new one over it. */
static FILE *reopen(FILE *(*real)(const char *, const char *, FILE *), const char *path, const char *mode, FILE *stream,
                    uintptr_t caller)
{
	int fd = cg_recorder_header() ? fileno_unlocked(stream) : -1;
	if (fd >= 0 && path && cg_track_knows(fd))
		CG_EVENT((void)cg_track_retire(fd, CG_CALL_freopen, caller));
	return real(path, mode, stream);
}

CG_EXPORT FILE *freopen(const char *restrict path, const char *restrict mode, FILE *restrict stream)
{
	CG_NEED(freopen);
	return reopen(cg_real.freopen, path, mode, stream, CG_CALLER);
}

CG_EXPORT FILE *freopen64(const char *restrict path, const char *restrict mode, FILE *restrict stream)
{
	CG_NEED(freopen64);
	return reopen(cg_real.freopen64 ? cg_real.freopen64 : cg_real.freopen, path, mode, stream, CG_CALLER);
}

CG_EXPORT int __close(int fd) __attribute__((alias("close")));
CG_EXPORT int _IO_fclose(FILE *stream) __attribute__((alias("fclose")));
