/* real.c: finds the real functions; until then, stand-ins that need nothing but the kernel. */
#include "real.h"

#include <stdarg.h>
#include <string.h>

#include "sys.h"

static long as_libc(long result)
{
	if (result < 0 && result > -4096) {
		errno = (int)-result;
		return -1;
	}
	return result;
}

/* CG_EARLY(type, name, parameters, system call, its arguments): nothing of libc is needed, not even its locks. */
#define CG_EARLY(ret, name, params, number, ...)                                                                       \
	static ret early_##name params                                                                                 \
	{                                                                                                              \
		return (ret)as_libc(CG_SYS(number, __VA_ARGS__));                                                      \
	}

CG_EARLY(int, accept, (int fd, struct sockaddr *addr, socklen_t *len), SYS_accept, fd, addr, len, 0, 0, 0)
CG_EARLY(int, accept4, (int fd, struct sockaddr *addr, socklen_t *len, int flags), SYS_accept4, fd, addr, len, flags, 0,
         0)
CG_EARLY(int, socket, (int domain, int type, int protocol), SYS_socket, domain, type, protocol, 0, 0, 0)
CG_EARLY(int, socketpair, (int domain, int type, int protocol, int fds[2]), SYS_socketpair, domain, type, protocol, fds,
         0, 0)
CG_EARLY(int, bind, (int fd, const struct sockaddr *addr, socklen_t len), SYS_bind, fd, addr, len, 0, 0, 0)
CG_EARLY(int, connect, (int fd, const struct sockaddr *addr, socklen_t len), SYS_connect, fd, addr, len, 0, 0, 0)
CG_EARLY(int, epoll_ctl, (int epfd, int op, int fd, struct epoll_event *event), SYS_epoll_ctl, epfd, op, fd, event, 0,
         0)
CG_EARLY(int, listen, (int fd, int backlog), SYS_listen, fd, backlog, 0, 0, 0, 0)
CG_EARLY(int, setsockopt, (int fd, int level, int name, const void *value, socklen_t len), SYS_setsockopt, fd, level,
         name, value, len, 0)
CG_EARLY(int, shutdown, (int fd, int how), SYS_shutdown, fd, how, 0, 0, 0, 0)
CG_EARLY(int, dup, (int fd), SYS_dup, fd, 0, 0, 0, 0, 0)
CG_EARLY(int, dup3, (int fd, int newfd, int flags), SYS_dup3, fd, newfd, flags, 0, 0, 0)
CG_EARLY(int, pipe2, (int fds[2], int flags), SYS_pipe2, fds, flags, 0, 0, 0, 0)
CG_EARLY(ssize_t, read, (int fd, void *buf, size_t n), SYS_read, fd, buf, n, 0, 0, 0)
CG_EARLY(ssize_t, readv, (int fd, const struct iovec *iov, int count), SYS_readv, fd, iov, count, 0, 0, 0)
CG_EARLY(ssize_t, recv, (int fd, void *buf, size_t n, int flags), SYS_recvfrom, fd, buf, n, flags, 0, 0)
CG_EARLY(ssize_t, recvfrom, (int fd, void *buf, size_t n, int flags, struct sockaddr *addr, socklen_t *len),
         SYS_recvfrom, fd, buf, n, flags, addr, len)
CG_EARLY(int, recvmmsg, (int fd, struct mmsghdr *msgs, unsigned count, int flags, struct timespec *timeout),
         SYS_recvmmsg, fd, msgs, count, flags, timeout, 0)
CG_EARLY(ssize_t, recvmsg, (int fd, struct msghdr *msg, int flags), SYS_recvmsg, fd, msg, flags, 0, 0, 0)
CG_EARLY(ssize_t, splice, (int in, off64_t *in_off, int out, off64_t *out_off, size_t n, unsigned flags), SYS_splice,
         in, in_off, out, out_off, n, flags)
CG_EARLY(ssize_t, send, (int fd, const void *buf, size_t n, int flags), SYS_sendto, fd, buf, n, flags, 0, 0)
CG_EARLY(ssize_t, sendfile, (int out, int in, off_t *offset, size_t n), SYS_sendfile, out, in, offset, n, 0, 0)
CG_EARLY(ssize_t, sendfile64, (int out, int in, off64_t *offset, size_t n), SYS_sendfile, out, in, offset, n, 0, 0)
CG_EARLY(int, sendmmsg, (int fd, struct mmsghdr *msgs, unsigned count, int flags), SYS_sendmmsg, fd, msgs, count, flags,
         0, 0)
CG_EARLY(ssize_t, sendmsg, (int fd, const struct msghdr *msg, int flags), SYS_sendmsg, fd, msg, flags, 0, 0, 0)
CG_EARLY(ssize_t, sendto, (int fd, const void *buf, size_t n, int flags, const struct sockaddr *addr, socklen_t len),
         SYS_sendto, fd, buf, n, flags, addr, len)
CG_EARLY(ssize_t, write, (int fd, const void *buf, size_t n), SYS_write, fd, buf, n, 0, 0, 0)
CG_EARLY(ssize_t, writev, (int fd, const struct iovec *iov, int count), SYS_writev, fd, iov, count, 0, 0, 0)
CG_EARLY(int, sigaltstack, (const stack_t *stack, stack_t *old), SYS_sigaltstack, stack, old, 0, 0, 0, 0)
CG_EARLY(int, close, (int fd), SYS_close, fd, 0, 0, 0, 0, 0)
CG_EARLY(int, execve, (const char *path, char *const argv[], char *const envp[]), SYS_execve, path, argv, envp, 0, 0, 0)

static int early_dup2(int fd, int newfd)
{
	/* dup3 refuses equal numbers, dup2 only checks that the descriptor is open. */
	if (fd == newfd)
		return as_libc(cg_sys_fcntl(fd, F_GETFD, 0)) < 0 ? -1 : fd;
	return (int)as_libc(CG_SYS3(SYS_dup3, fd, newfd, 0));
}

static int early_fcntl(int fd, int op, ...)
{
	va_list args;
	va_start(args, op);
	long arg = va_arg(args, long);
	va_end(args);
	return (int)as_libc(cg_sys_fcntl(fd, op, arg));
}

static int early_prctl(int op, ...)
{
	va_list args;
	va_start(args, op);
	long a = va_arg(args, long), b = va_arg(args, long), c = va_arg(args, long), d = va_arg(args, long);
	va_end(args);
	return (int)as_libc(CG_SYS(SYS_prctl, op, a, b, c, d, 0));
}

static long early_syscall(long number, ...)
{
	va_list args;
	va_start(args, number);
	long a = va_arg(args, long), b = va_arg(args, long), c = va_arg(args, long), d = va_arg(args, long);
	long e = va_arg(args, long), f = va_arg(args, long);
	va_end(args);
	return as_libc(CG_SYS(number, a, b, c, d, e, f));
}

static void early__exit(int status)
{
	for (;;)
		(void)CG_SYS3(SYS_exit_group, status, 0, 0);
}

/* A fork will do where the caller may not rely on more. It returns on a stack of its own, so that C can make it. */
static pid_t early_vfork(void)
{
	return (pid_t)as_libc(CG_SYS(SYS_clone, SIGCHLD, 0, 0, 0, 0, 0));
}

#define EARLY(name) .name = early_##name
struct cg_real cg_real = {
    EARLY(accept),     EARLY(accept4),  EARLY(socket),     EARLY(socketpair), EARLY(bind),  EARLY(connect),
    EARLY(epoll_ctl),  EARLY(listen),   EARLY(setsockopt), EARLY(shutdown),   EARLY(dup),   EARLY(dup2),
    EARLY(dup3),       EARLY(fcntl),    EARLY(pipe2),      EARLY(read),       EARLY(readv), EARLY(recv),
    EARLY(recvfrom),   EARLY(recvmmsg), EARLY(recvmsg),    EARLY(splice),     EARLY(send),  EARLY(sendfile),
    EARLY(sendfile64), EARLY(sendmmsg), EARLY(sendmsg),    EARLY(sendto),     EARLY(write), EARLY(writev),
    EARLY(close),      EARLY(execve),   EARLY(prctl),      EARLY(syscall),    EARLY(_exit), EARLY(sigaltstack),
    EARLY(vfork),
};
pid_t (*cg_real_vfork)(void) = early_vfork;

bool cg_real_is_glibc(void)
{
	return gnu_get_libc_version && __register_atfork && on_exit && &_r_debug;
}

static int resolve_one(void *pointer, const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);
	if (!found)
		return -ENOENT;
	memcpy(pointer, &found, sizeof found); /* C has no cast from an object's to a function's pointer */
	return 0;
}

const char *cg_real_resolve(void)
{
	const char *missing = NULL;
#define CG_REQUIRED(number, ret, name, params, args)                                                                   \
	if (resolve_one(&cg_real.name, #name) < 0)                                                                     \
		missing = #name;
#define CG_OPTIONAL(number, ret, name, params, args) (void)resolve_one(&cg_real.name, #name);
#include "calls.def"
	cg_real_vfork = cg_real.vfork;
	return missing;
}
