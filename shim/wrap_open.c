/* wrap_open.c: calls that make descriptors. */
#include "act.h"
#include "track_inherit.h"
#include "real.h"
#include "tcpstate.h"
#include "track.h"
#include "wrap_room.h"

static bool is_exhaustion(int error)
{
	return error == EMFILE || error == ENFILE;
}

static void opened(int fd, bool tcp)
{
	if (tcp)
		CG_EVENT(cg_track_open(fd, CG_CALL_socket, CG_FD_CONN, CG_ROLE_NONE, CG_ORIGIN_SEEN, 0));
	else if (cg_track_knows(fd))
		CG_EVENT(cg_track_forget(fd));
	else
		cg_track_idle_call();
}

CG_EXPORT int socket(int domain, int type, int protocol)
{
	bool tcp = cg_track_is_tcp(domain, type, protocol);
	cg_track_opening = atomic_load_explicit(&cg_track_epoch, memory_order_acquire);
	int fd = cg_real.socket(domain, type, protocol);
	if (cg_wrap_room(fd))
		fd = cg_real.socket(domain, type, protocol);
	if (fd >= 0)
		opened(fd, tcp);
	else if (tcp && is_exhaustion(errno))
		CG_EVENT(cg_track_exhausted(-1, CG_CALL_socket, cg_saved_errno));
	return fd;
}

CG_EXPORT int socketpair(int domain, int type, int protocol, int fds[2])
{
	int r = cg_real.socketpair(domain, type, protocol, fds);
	if (cg_wrap_room(r))
		r = cg_real.socketpair(domain, type, protocol, fds);
	if (r == 0) {
		opened(fds[0], false);
		opened(fds[1], false);
	}
	return r;
}

/* What the slot says the listening descriptor is: CG_FD_NONE when it was never seen. */
static uint8_t listener_kind(int fd)
{
	struct cg_slot *slot = cg_slot_at(fd);
	return slot ? atomic_load_explicit(&slot->kind, memory_order_relaxed) : CG_FD_NONE;
}

/* A listener that came with exec, or whose making was not seen: now it is known. */
static void learn_listener(int fd, uint8_t kind)
{
	if (kind == CG_FD_CONN)
		cg_track_listen(fd);
	else if (kind != CG_FD_LISTENER && (cg_track_ready(), listener_kind(fd)) != CG_FD_LISTENER)
		cg_track_open(fd, CG_CALL_adopted, CG_FD_LISTENER, CG_ROLE_NONE, CG_ORIGIN_UNSEEN, CG_SLOT_UNVERIFIED);
}

static void accepted(int listener, uint8_t kind, int family, int fd, enum cg_call call)
{
	bool tcp = kind == CG_FD_LISTENER || family == AF_INET || family == AF_INET6;
	if (tcp) {
		learn_listener(listener, kind);
		cg_track_open(fd, call, CG_FD_CONN, CG_ROLE_ACCEPTED, CG_ORIGIN_SEEN,
		              kind == CG_FD_LISTENER ? 0 : CG_SLOT_UNVERIFIED);
		if (cg_act_wanted(CG_POLICY_ON_OPEN))
			cg_act_opened(fd);
	} else {
		cg_track_forget(fd);
	}
}

static int real_accept(int fd, struct sockaddr *addr, socklen_t *len, int flags, enum cg_call call)
{
	return call == CG_CALL_accept ? cg_real.accept(fd, addr, len) : cg_real.accept4(fd, addr, len, flags);
}

/*
 * Both accepts. Whether the connection is TCP follows from the listener's slot; for a listener that has none the
 * address is asked for even where the app does not want it, which costs less than a call of our own and is always
 * allowed.
 */
static int do_accept(int fd, struct sockaddr *addr, socklen_t *len, int flags, enum cg_call call)
{
	struct sockaddr_storage own = {.ss_family = AF_UNSPEC};
	socklen_t own_len = sizeof own;
	uint8_t kind = listener_kind(fd);
	bool ask = kind == CG_FD_NONE && (!addr || !len);
	struct sockaddr *to = ask ? (struct sockaddr *)&own : addr;
	socklen_t *to_len = ask ? &own_len : len;
	socklen_t room = to_len ? *to_len : 0;
	cg_track_opening = atomic_load_explicit(&cg_track_epoch, memory_order_acquire);
	int r = real_accept(fd, to, to_len, flags, call);
	if (cg_wrap_room(r))
		r = real_accept(fd, to, to_len, flags, call);
	if (r >= 0)
		CG_EVENT(accepted(fd, kind, to && room >= sizeof to->sa_family ? to->sa_family : AF_UNSPEC, r, call));
	else if (kind == CG_FD_LISTENER && is_exhaustion(errno))
		CG_EVENT(cg_track_exhausted(fd, call, cg_saved_errno));
	else if (errno == EBADF && kind == CG_FD_CLOSED)
		CG_EVENT(cg_track_used_closed(fd, call, 0));
	return r;
}

CG_EXPORT int accept(int fd, struct sockaddr *restrict addr, socklen_t *restrict len)
{
	return do_accept(fd, addr, len, 0, CG_CALL_accept);
}

CG_EXPORT int accept4(int fd, struct sockaddr *restrict addr, socklen_t *restrict len, int flags)
{
	return do_accept(fd, addr, len, flags, CG_CALL_accept4);
}

CG_EXPORT int pidfd_getfd(int pidfd, int target, unsigned flags)
{
	if (!cg_real.pidfd_getfd) {
		errno = ENOSYS;
		return -1;
	}
	int fd = cg_real.pidfd_getfd(pidfd, target, flags);
	if (fd >= 0)
		CG_EVENT(if (cg_tcp_is_tcp(fd) == 1)
		             cg_track_open(fd, CG_CALL_pidfd_getfd, CG_FD_CONN, CG_ROLE_NONE, CG_ORIGIN_RECEIVED, 0);
		         else cg_track_forget(fd));
	return fd;
}
