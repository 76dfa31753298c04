/*
 * prog_deny WHAT COMMAND…: runs a command to which the kernel refuses netlink sockets or new threads, as containers do,
 * or an option that older kernels lack.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "prog.h"

#define FIELD(name) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, name))
#define REFUSE(error) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error))
#define PASS BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* The low half of an argument is its first word on both architectures that are supported. */
static struct sock_filter netlink[] = {
    FIELD(nr),      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
    FIELD(args[0]), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 0, 1),
    REFUSE(EPERM),  PASS,
};
static struct sock_filter threads[] = {
    FIELD(nr),      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
    REFUSE(ENOSYS), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
    FIELD(args[0]), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1),
    REFUSE(EAGAIN), PASS,
};
#define TCP_RTO_MAX_MS 44 /* Linux 6.15 */
static struct sock_filter rto_max[] = {
    FIELD(nr),           BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setsockopt, 0, 5),
    FIELD(args[1]),      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0, 3),
    FIELD(args[2]),      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TCP_RTO_MAX_MS, 0, 1),
    REFUSE(ENOPROTOOPT), PASS,
};
#define FILTER(name)                                                                                                   \
	{                                                                                                              \
#name,                                                                                                 \
		{                                                                                                      \
			sizeof(name) / sizeof((name)[0]), name                                                         \
		}                                                                                                      \
	}
static const struct {
	const char *what;
	struct sock_fprog program;
} filters[] = {FILTER(netlink), FILTER(threads), FILTER(rto_max)};

int main(int argc, char **argv)
{
	const struct sock_fprog *program = NULL;
	for (unsigned i = 0; argc > 2 && i < sizeof(filters) / sizeof(filters[0]); i++)
		if (strcmp(argv[1], filters[i].what) == 0)
			program = &filters[i].program;
	if (!program)
		errx(2, "usage: prog_deny netlink|threads|rto_max COMMAND…");
	if (syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0) < 0)
		err(3, "seccomp");
	execv(argv[2], argv + 2);
	err(3, "%s", argv[2]);
}
