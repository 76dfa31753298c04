/* wrap_option.c: calls that change what a socket is or does. */
#include "act.h"
#include "real.h"
#include "tcpstate.h"
#include "track.h"

static void after_failure(int fd, enum cg_call call)
{
	if (errno == EBADF && cg_track_knows(fd))
		CG_EVENT(cg_track_used_closed(fd, call, 0));
}

CG_EXPORT int bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	int r = cg_real.bind(fd, addr, len);
	if (r < 0)
		after_failure(fd, CG_CALL_bind);
	return r;
}

/* listen() on a descriptor whose making was not seen: it may still be TCP. */
static void listening(int fd)
{
	if (!cg_track_knows(fd) && !atomic_load_explicit(&cg_guard.sealed, memory_order_relaxed) &&
	    cg_tcp_is_tcp(fd) == 1)
		cg_track_open(fd, CG_CALL_adopted, CG_FD_LISTENER, CG_ROLE_NONE, CG_ORIGIN_UNSEEN, 0);
	else
		cg_track_listen(fd);
}

CG_EXPORT int listen(int fd, int backlog)
{
	int r = cg_real.listen(fd, backlog);
	if (r == 0)
		CG_EVENT(listening(fd));
	else
		after_failure(fd, CG_CALL_listen);
	return r;
}

static void connected(int fd, int result, int error)
{
	cg_track_connect(fd, result, error);
	if ((result == 0 || error == EINPROGRESS || error == EINTR) && cg_act_wanted(CG_POLICY_ON_OPEN))
		cg_act_opened(fd);
}

CG_EXPORT int connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	int r = cg_real.connect(fd, addr, len);
	if (cg_track_knows(fd))
		CG_EVENT(connected(fd, r, cg_saved_errno));
	if (r < 0)
		after_failure(fd, CG_CALL_connect);
	return r;
}

CG_EXPORT int shutdown(int fd, int how)
{
	int r = cg_real.shutdown(fd, how);
	if (r == 0 && cg_track_knows(fd))
		CG_EVENT(cg_track_shutdown(fd, how));
	else if (r < 0)
		after_failure(fd, CG_CALL_shutdown);
	return r;
}

CG_EXPORT int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	bool denied = false;
	if (cg_act_wanted(CG_POLICY_ON_OPTIONS) && cg_track_knows(fd))
		CG_EVENT(denied = cg_act_denies_option(fd, level, name));
	int r = denied ? 0 : cg_real.setsockopt(fd, level, name, value, len);
	if (r < 0)
		after_failure(fd, CG_CALL_setsockopt);
	return r;
}

CG_EXPORT int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
	int r = cg_real.epoll_ctl(epfd, op, fd, event);
	if (r == 0 && op != EPOLL_CTL_MOD && cg_track_knows(fd))
		CG_EVENT(cg_track_polled(fd, op == EPOLL_CTL_ADD));
	if (r == 0 && op == EPOLL_CTL_ADD && cg_act_wanted(CG_POLICY_ON_POLL))
		cg_act_polled(epfd);
	return r;
}

CG_EXPORT int __connect(int fd, const struct sockaddr *addr, socklen_t len) __attribute__((alias("connect")));
