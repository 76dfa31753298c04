/* wrap_write.c: calls that send data; they tell of the last use, and of connections that are gone. */
#include "act.h"
#include "real.h"
#include "received.h"
#include "track.h"

/* A connection that a policy reaped must not kill the program that still writes to it. */
#define QUIETLY(fd, call)                                                                                              \
	__extension__({                                                                                                \
		__typeof__(call) result_;                                                                              \
		if (__builtin_expect(!cg_track_byte(&cg_guard.reaped), 1)) {                                           \
			result_ = call;                                                                                \
		} else {                                                                                               \
			struct cg_act_quiet quiet_;                                                                    \
			cg_act_write_begin(fd, &quiet_);                                                               \
			result_ = call;                                                                                \
			cg_act_write_end(&quiet_);                                                                     \
		}                                                                                                      \
		result_;                                                                                               \
	})

CG_EXPORT_HOT ssize_t write(int fd, const void *buf, size_t n)
{
	ssize_t r = QUIETLY(fd, cg_real.write(fd, buf, n));
	cg_track_write(fd, r, CG_CALL_write, CG_CALLER);
	return r;
}

CG_EXPORT_HOT ssize_t writev(int fd, const struct iovec *iov, int count)
{
	ssize_t r = QUIETLY(fd, cg_real.writev(fd, iov, count));
	cg_track_write(fd, r, CG_CALL_writev, CG_CALLER);
	return r;
}

/* A socket has no positions: of these calls only those with an offset of -1 succeed on one. */
CG_EXPORT_HOT ssize_t pwritev2(int fd, const struct iovec *iov, int count, off_t offset, int flags)
{
	ssize_t r =
	    cg_real.pwritev2 ? QUIETLY(fd, cg_real.pwritev2(fd, iov, count, offset, flags)) : (errno = ENOSYS, -1);
	cg_track_write(fd, r, CG_CALL_pwritev2, CG_CALLER);
	return r;
}

CG_EXPORT_HOT ssize_t pwritev64v2(int fd, const struct iovec *iov, int count, off64_t offset, int flags)
{
	ssize_t r = cg_real.pwritev64v2 ? QUIETLY(fd, cg_real.pwritev64v2(fd, iov, count, offset, flags))
	                                : (errno = ENOSYS, -1);
	cg_track_write(fd, r, CG_CALL_pwritev64v2, CG_CALLER);
	return r;
}

CG_EXPORT_HOT ssize_t send(int fd, const void *buf, size_t n, int flags)
{
	ssize_t r = QUIETLY(fd, cg_real.send(fd, buf, n, flags));
	cg_track_write(fd, r, CG_CALL_send, CG_CALLER);
	return r;
}

CG_EXPORT_HOT ssize_t sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *addr, socklen_t len)
{
	ssize_t r = QUIETLY(fd, cg_real.sendto(fd, buf, n, flags, addr, len));
	cg_track_write(fd, r, CG_CALL_sendto, CG_CALLER);
	return r;
}

CG_EXPORT_HOT ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	ssize_t r = QUIETLY(fd, cg_real.sendmsg(fd, msg, flags));
	if (r >= 0 && msg->msg_controllen)
		CG_EVENT(cg_received_give(msg));
	cg_track_write(fd, r, CG_CALL_sendmsg, CG_CALLER);
	return r;
}

static void give_all(const struct mmsghdr *msgs, int count)
{
	for (int i = 0; i < count; i++)
		if (msgs[i].msg_hdr.msg_controllen)
			cg_received_give(&msgs[i].msg_hdr);
}

CG_EXPORT_HOT int sendmmsg(int fd, struct mmsghdr *msgs, unsigned count, int flags)
{
	int r = QUIETLY(fd, cg_real.sendmmsg(fd, msgs, count, flags));
	if (r > 0)
		CG_EVENT(give_all(msgs, r));
	cg_track_write(fd, r, CG_CALL_sendmmsg, CG_CALLER);
	return r;
}

CG_EXPORT_HOT ssize_t sendfile(int out, int in, off_t *offset, size_t n)
{
	ssize_t r = QUIETLY(out, cg_real.sendfile(out, in, offset, n));
	cg_track_write(out, r, CG_CALL_sendfile, CG_CALLER);
	return r;
}

CG_EXPORT_HOT ssize_t sendfile64(int out, int in, off64_t *offset, size_t n)
{
	ssize_t r = QUIETLY(out, cg_real.sendfile64(out, in, offset, n));
	cg_track_write(out, r, CG_CALL_sendfile64, CG_CALLER);
	return r;
}

/* libc's own write inside these would raise the signal. */
CG_EXPORT int vdprintf(int fd, const char *format, va_list args)
{
	CG_NEED(vdprintf);
	int r = QUIETLY(fd, cg_real.vdprintf(fd, format, args));
	cg_track_write(fd, r, CG_CALL_vdprintf, CG_CALLER);
	return r;
}

CG_EXPORT int dprintf(int fd, const char *format, ...)
{
	va_list args;
	CG_NEED(vdprintf);
	va_start(args, format);
	int r = QUIETLY(fd, cg_real.vdprintf(fd, format, args));
	va_end(args);
	cg_track_write(fd, r, CG_CALL_vdprintf, CG_CALLER);
	return r;
}

static int checked_vdprintf(int fd, int flag, const char *format, va_list args)
{
	CG_NEED(vdprintf);
	if (!cg_real.__vdprintf_chk)
		return QUIETLY(fd, cg_real.vdprintf(fd, format, args));
	return QUIETLY(fd, cg_real.__vdprintf_chk(fd, flag, format, args));
}

CG_EXPORT int __vdprintf_chk(int fd, int flag, const char *format, va_list args)
{
	int r = checked_vdprintf(fd, flag, format, args);
	cg_track_write(fd, r, CG_CALL_vdprintf, CG_CALLER);
	return r;
}

CG_EXPORT int __dprintf_chk(int fd, int flag, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int r = checked_vdprintf(fd, flag, format, args);
	va_end(args);
	cg_track_write(fd, r, CG_CALL_vdprintf, CG_CALLER);
	return r;
}

CG_EXPORT_HOT ssize_t __write(int fd, const void *buf, size_t n) __attribute__((alias("write")));
CG_EXPORT_HOT ssize_t __send(int fd, const void *buf, size_t n, int flags) __attribute__((alias("send")));
