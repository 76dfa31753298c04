/* wrap_read.c: calls that take data from a connection; a result of 0 is the peer's FIN. */
#undef _FORTIFY_SOURCE
#include "act.h"
#include "real.h"
#include "received.h"
#include "track.h"

static bool wants_bytes(const struct iovec *iov, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (iov[i].iov_len)
			return true;
	return false;
}

CG_EXPORT_HOT ssize_t read(int fd, void *buf, size_t n)
{
	ssize_t r = cg_real.read(fd, buf, n);
	cg_track_read(fd, r, n != 0, 0, CG_CALL_read, CG_CALLER);
	return r;
}

CG_EXPORT_HOT ssize_t recv(int fd, void *buf, size_t n, int flags)
{
	ssize_t r = cg_real.recv(fd, buf, n, flags);
	cg_track_read(fd, r, n != 0, flags, CG_CALL_recv, CG_CALLER);
	return r;
}

CG_EXPORT_HOT ssize_t recvfrom(int fd, void *restrict buf, size_t n, int flags, struct sockaddr *restrict addr,
                               socklen_t *restrict len)
{
	ssize_t r = cg_real.recvfrom(fd, buf, n, flags, addr, len);
	cg_track_read(fd, r, n != 0, flags, CG_CALL_recvfrom, CG_CALLER);
	return r;
}

CG_EXPORT_HOT ssize_t readv(int fd, const struct iovec *iov, int count)
{
	ssize_t r = cg_real.readv(fd, iov, count);
	cg_track_read(fd, r, r != 0 || wants_bytes(iov, (size_t)count), 0, CG_CALL_readv, CG_CALLER);
	return r;
}

CG_EXPORT_HOT ssize_t preadv2(int fd, const struct iovec *iov, int count, off_t offset, int flags)
{
	ssize_t r = cg_real.preadv2 ? cg_real.preadv2(fd, iov, count, offset, flags) : (errno = ENOSYS, -1);
	cg_track_read(fd, r, r != 0 || wants_bytes(iov, (size_t)count), 0, CG_CALL_preadv2, CG_CALLER);
	return r;
}

CG_EXPORT_HOT ssize_t preadv64v2(int fd, const struct iovec *iov, int count, off64_t offset, int flags)
{
	ssize_t r = cg_real.preadv64v2 ? cg_real.preadv64v2(fd, iov, count, offset, flags) : (errno = ENOSYS, -1);
	cg_track_read(fd, r, r != 0 || wants_bytes(iov, (size_t)count), 0, CG_CALL_preadv64v2, CG_CALLER);
	return r;
}

CG_EXPORT_HOT ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	ssize_t r = cg_real.recvmsg(fd, msg, flags);
	if (r >= 0 && msg->msg_controllen)
		CG_EVENT(cg_received_take(msg));
	cg_track_read(fd, r, r != 0 || wants_bytes(msg->msg_iov, msg->msg_iovlen), flags, CG_CALL_recvmsg, CG_CALLER);
	return r;
}

static void take_all(struct mmsghdr *msgs, int count)
{
	for (int i = 0; i < count; i++)
		if (msgs[i].msg_hdr.msg_controllen)
			cg_received_take(&msgs[i].msg_hdr);
}

CG_EXPORT_HOT int recvmmsg(int fd, struct mmsghdr *msgs, unsigned count, int flags, struct timespec *timeout)
{
	int r = cg_real.recvmmsg(fd, msgs, count, flags, timeout);
	if (r > 0) {
		struct msghdr *last = &msgs[r - 1].msg_hdr;
		CG_EVENT(take_all(msgs, r));
		cg_track_read(fd, msgs[r - 1].msg_len, wants_bytes(last->msg_iov, last->msg_iovlen), flags,
		              CG_CALL_recvmmsg, CG_CALLER);
	} else if (r < 0) {
		cg_track_read(fd, r, true, flags, CG_CALL_recvmmsg, CG_CALLER);
	}
	return r;
}

/* What programs built with _FORTIFY_SOURCE call. The room is checked by the real function. */
CG_EXPORT ssize_t __read_chk(int fd, void *buf, size_t n, size_t room);
CG_EXPORT_HOT ssize_t __read_chk(int fd, void *buf, size_t n, size_t room)
{
	ssize_t r = cg_real.__read_chk ? cg_real.__read_chk(fd, buf, n, room) : cg_real.read(fd, buf, n);
	cg_track_read(fd, r, n != 0, 0, CG_CALL_read, CG_CALLER);
	return r;
}

CG_EXPORT ssize_t __recv_chk(int fd, void *buf, size_t n, size_t room, int flags);
CG_EXPORT_HOT ssize_t __recv_chk(int fd, void *buf, size_t n, size_t room, int flags)
{
	ssize_t r = cg_real.__recv_chk ? cg_real.__recv_chk(fd, buf, n, room, flags) : cg_real.recv(fd, buf, n, flags);
	cg_track_read(fd, r, n != 0, flags, CG_CALL_recv, CG_CALLER);
	return r;
}

CG_EXPORT ssize_t __recvfrom_chk(int fd, void *buf, size_t n, size_t room, int flags, struct sockaddr *addr,
                                 socklen_t *len);
CG_EXPORT_HOT ssize_t __recvfrom_chk(int fd, void *buf, size_t n, size_t room, int flags, struct sockaddr *addr,
                                     socklen_t *len)
{
	ssize_t r = cg_real.__recvfrom_chk ? cg_real.__recvfrom_chk(fd, buf, n, room, flags, addr, len)
	                                   : cg_real.recvfrom(fd, buf, n, flags, addr, len);
	cg_track_read(fd, r, n != 0, flags, CG_CALL_recvfrom, CG_CALLER);
	return r;
}

CG_EXPORT_HOT ssize_t splice(int in, off64_t *in_off, int out, off64_t *out_off, size_t n, unsigned flags)
{
	struct cg_act_quiet quiet = {0};
	if (__builtin_expect(atomic_load_explicit(&cg_guard.reaped, memory_order_relaxed), 0))
		cg_act_write_begin(out, &quiet);
	ssize_t r = cg_real.splice(in, in_off, out, out_off, n, flags);
	cg_act_write_end(&quiet);
	if (cg_track_conn(in) || !cg_track_conn(out))
		cg_track_read(in, r, n != 0, 0, CG_CALL_splice, CG_CALLER);
	else
		cg_track_write(out, r, CG_CALL_splice, CG_CALLER);
	return r;
}

CG_EXPORT_HOT ssize_t __read(int fd, void *buf, size_t n) __attribute__((alias("read")));
