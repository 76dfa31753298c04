/*
 * sys.h: the kernel, called directly.
 *
 * closeguard's own calls must not pass through its own wrappers, must not be cancellation points and must not touch
 * errno, so nothing inside libcloseguard.so calls libc's read, close or their relatives. Each function returns the
 * result or -errno. Any context.
 */
#ifndef CG_SYS_H
#define CG_SYS_H

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>

#if defined(__clang_analyzer__)
/* The analyser does not see that the kernel writes through these numbers; that an unknown function may, it knows. */
long cg_sys_raw(long number, long a, long b, long c, long d, long e, long f);
#elif defined(__x86_64__)
#include "sys_x86_64.h"
#elif defined(__aarch64__)
#include "sys_aarch64.h"
#else
#error "closeguard knows x86-64 and aarch64"
#endif

/* The kernel may know more than the headers; these have one number on every architecture. */
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

#define CG_SYS(n, a, b, c, d, e, f) cg_sys_raw((n), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define CG_SYS3(n, a, b, c) CG_SYS(n, a, b, c, 0, 0, 0)

static inline int cg_sys_openat(int dir, const char *path, int flags, unsigned mode)
{
	return (int)CG_SYS(SYS_openat, dir, path, flags, mode, 0, 0);
}

static inline int cg_sys_open(const char *path, int flags, unsigned mode)
{
	return cg_sys_openat(AT_FDCWD, path, flags | O_CLOEXEC, mode);
}

/* From an offset: a socket that an app has put over the number answers with ESPIPE, and loses nothing. */
static inline ssize_t cg_sys_pread(int fd, void *buf, size_t n, off_t offset)
{
	return (ssize_t)CG_SYS(SYS_pread64, fd, buf, n, offset, 0, 0);
}

static inline ssize_t cg_sys_write(int fd, const void *buf, size_t n)
{
	return (ssize_t)CG_SYS3(SYS_write, fd, buf, n);
}

static inline int cg_sys_close(int fd)
{
	return (int)CG_SYS3(SYS_close, fd, 0, 0);
}

static inline int cg_sys_fcntl(int fd, int op, long arg)
{
	return (int)CG_SYS3(SYS_fcntl, fd, op, arg);
}

static inline ssize_t cg_sys_readlinkat(int dir, const char *path, char *buf, size_t n)
{
	return (ssize_t)CG_SYS(SYS_readlinkat, dir, path, buf, n, 0, 0);
}

static inline off_t cg_sys_lseek(int fd, off_t offset, int whence)
{
	return (off_t)CG_SYS3(SYS_lseek, fd, offset, whence);
}

static inline ssize_t cg_sys_getdents64(int fd, void *buf, size_t n)
{
	return (ssize_t)CG_SYS3(SYS_getdents64, fd, buf, n);
}

static inline int cg_sys_socket(int domain, int type, int protocol)
{
	return (int)CG_SYS3(SYS_socket, domain, type, protocol);
}

static inline int cg_sys_connect(int fd, const void *addr, unsigned len)
{
	return (int)CG_SYS3(SYS_connect, fd, addr, len);
}

static inline ssize_t cg_sys_sendto(int fd, const void *buf, size_t n, int flags, const void *addr, unsigned len)
{
	return (ssize_t)CG_SYS(SYS_sendto, fd, buf, n, flags, addr, len);
}

static inline ssize_t cg_sys_recvfrom(int fd, void *buf, size_t n, int flags)
{
	return (ssize_t)CG_SYS(SYS_recvfrom, fd, buf, n, flags, 0, 0);
}

static inline int cg_sys_getsockopt(int fd, int level, int name, void *value, unsigned *len)
{
	return (int)CG_SYS(SYS_getsockopt, fd, level, name, value, len, 0);
}

static inline int cg_sys_setsockopt(int fd, int level, int name, const void *value, unsigned len)
{
	return (int)CG_SYS(SYS_setsockopt, fd, level, name, value, len, 0);
}

static inline int cg_sys_getsockname(int fd, void *addr, unsigned *len)
{
	return (int)CG_SYS3(SYS_getsockname, fd, addr, len);
}

static inline int cg_sys_getpeername(int fd, void *addr, unsigned *len)
{
	return (int)CG_SYS3(SYS_getpeername, fd, addr, len);
}

static inline int cg_sys_ioctl(int fd, unsigned long op, void *arg)
{
	return (int)CG_SYS3(SYS_ioctl, fd, op, arg);
}

static inline int cg_sys_unlinkat(int dir, const char *path, int flags)
{
	return (int)CG_SYS3(SYS_unlinkat, dir, path, flags);
}

static inline int cg_sys_mkdir(const char *path, unsigned mode)
{
	return (int)CG_SYS3(SYS_mkdirat, AT_FDCWD, path, mode);
}

static inline int cg_sys_ftruncate(int fd, uint64_t size)
{
	return (int)CG_SYS3(SYS_ftruncate, fd, size, 0);
}

static inline int cg_sys_fallocate(int fd, int mode, uint64_t offset, uint64_t len)
{
	return (int)CG_SYS(SYS_fallocate, fd, mode, offset, len, 0, 0);
}

/* The address, or -errno as a pointer: test with cg_sys_failed. */
static inline void *cg_sys_mmap(void *addr, size_t len, int prot, int flags, int fd, uint64_t offset)
{
#ifdef __SANITIZE_THREAD__
	/* By libc first, so that memory which was another thread's before is known to be fresh; without the file, whose
	 * descriptor is opened and closed unseen. */
	addr = mmap(addr, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | (flags & MAP_FIXED), -1, 0);
	if (addr == MAP_FAILED)
		return (void *)(long)-errno;
	flags |= MAP_FIXED;
#endif
	return (void *)CG_SYS(SYS_mmap, addr, len, prot, flags, fd, offset);
}

static inline int cg_sys_munmap(void *addr, size_t len)
{
#ifdef __SANITIZE_THREAD__
	return munmap(addr, len) < 0 ? -errno : 0;
#else
	return (int)CG_SYS3(SYS_munmap, addr, len, 0);
#endif
}

static inline int cg_sys_madvise(void *addr, size_t len, int advice)
{
	return (int)CG_SYS3(SYS_madvise, addr, len, advice);
}

static inline int cg_sys_failed(const void *address)
{
	return (unsigned long)address > -4096UL;
}

static inline pid_t cg_sys_getpid(void)
{
	return (pid_t)CG_SYS3(SYS_getpid, 0, 0, 0);
}

static inline pid_t cg_sys_gettid(void)
{
	return (pid_t)CG_SYS3(SYS_gettid, 0, 0, 0);
}

static inline unsigned cg_sys_getuid(void)
{
	return (unsigned)CG_SYS3(SYS_geteuid, 0, 0, 0);
}

static inline int cg_sys_futex(void *word, int op, uint32_t value, const void *timeout)
{
	return (int)CG_SYS(SYS_futex, word, op, value, timeout, 0, 0);
}

/* events: POLLIN and so on, of one descriptor; timeout in milliseconds. Returns ppoll's result and *ret_events. */
static inline int cg_sys_poll1(int fd, short events, int timeout_ms, short *ret_events)
{
	struct {
		int fd;
		short events, revents;
	} one = {fd, events, 0};
	struct {
		long sec, nsec;
	} wait = {timeout_ms / 1000, timeout_ms % 1000 * 1000000L};
	int r = (int)CG_SYS(SYS_ppoll, &one, 1, &wait, 0, 0, 0);
	*ret_events = one.revents;
	return r;
}

/* libc's fstat and stat are symbols of different names before and after glibc 2.33; the kernel's call is one. */
static inline int cg_sys_fstatat(int dir, const char *path, struct stat *ret, int flags)
{
	return (int)CG_SYS(SYS_newfstatat, dir, path, ret, flags, 0, 0);
}

/* A sandbox may know only one of the two, as libc since 2.33 does. */
static inline int cg_sys_fstat(int fd, struct stat *ret)
{
	int r = (int)CG_SYS3(SYS_fstat, fd, ret, 0);
	return r == 0 || r == -EBADF ? r : cg_sys_fstatat(fd, "", ret, AT_EMPTY_PATH);
}

#endif
