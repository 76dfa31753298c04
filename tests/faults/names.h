/* names.h: system calls that a specification may name; others go by their number. */
#ifndef NAMES_H
#define NAMES_H

#include <sys/syscall.h>

#define CALL(name)                                                                                                     \
	{                                                                                                              \
		SYS_##name, #name                                                                                      \
	}

static const struct {
	long number;
	const char *name;
} names[] = {
    CALL(bind),
    CALL(brk),
    CALL(clock_gettime),
    CALL(clone),
    CALL(close),
    CALL(connect),
    CALL(dup),
    CALL(dup3),
    CALL(epoll_ctl),
    CALL(execve),
    CALL(exit),
    CALL(exit_group),
    CALL(faccessat),
    CALL(fallocate),
    CALL(fchmod),
    CALL(fchown),
    CALL(fcntl),
    CALL(fstat),
    CALL(ftruncate),
    CALL(futex),
    CALL(getcwd),
    CALL(getdents64),
    CALL(geteuid),
    CALL(getpeername),
    CALL(getpid),
    CALL(getppid),
    CALL(getrandom),
    CALL(getsockname),
    CALL(getsockopt),
    CALL(gettid),
    CALL(getuid),
    CALL(ioctl),
    CALL(kill),
    CALL(lseek),
    CALL(madvise),
    CALL(mincore),
    CALL(mkdirat),
    CALL(mmap),
    CALL(mprotect),
    CALL(mremap),
    CALL(msync),
    CALL(munlock),
    CALL(munmap),
    CALL(newfstatat),
    CALL(openat),
    CALL(pipe2),
    CALL(ppoll),
    CALL(prctl),
    CALL(pread64),
    CALL(prlimit64),
    CALL(process_vm_readv),
    CALL(pselect6),
    CALL(pwrite64),
    CALL(read),
    CALL(readlinkat),
    CALL(recvfrom),
    CALL(recvmsg),
    CALL(rt_sigaction),
    CALL(rt_sigpending),
    CALL(rt_sigprocmask),
    CALL(rt_sigreturn),
    CALL(rt_sigtimedwait),
    CALL(sched_getaffinity),
    CALL(sched_yield),
    CALL(sendto),
    CALL(set_robust_list),
    CALL(setns),
    CALL(setsockopt),
    CALL(shutdown),
    CALL(sigaltstack),
    CALL(socket),
    CALL(uname),
    CALL(unlinkat),
    CALL(unshare),
    CALL(write),
#if defined(__x86_64__)
    CALL(access),
    CALL(open),
    CALL(poll),
    CALL(readlink),
    CALL(stat),
#endif
/* Not in the headers of older systems. */
#ifdef SYS_clone3
    CALL(clone3),
#endif
#ifdef SYS_close_range
    CALL(close_range),
#endif
#ifdef SYS_openat2
    CALL(openat2),
#endif
#ifdef SYS_pidfd_getfd
    CALL(pidfd_getfd),
#endif
#ifdef SYS_pidfd_open
    CALL(pidfd_open),
#endif
#ifdef SYS_rseq
    CALL(rseq),
#endif
#ifdef SYS_statx
    CALL(statx),
#endif
};

#undef CALL

#endif
