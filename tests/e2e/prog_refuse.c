/*
 * prog_refuse ERRNO NAME[,NAME…] COMMAND…: runs a command to which the kernel answers certain questions with an error,
 * as sandboxes, emulators and older kernels do.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "prog.h"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif
#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif

enum { ANY = -1, MOST = 8 };

/* A call, or one with such a first, second and third argument. */
static const struct question {
	const char *name;
	int call, args[3];
} questions[] = {
    {"close_range", SYS_close_range, {ANY, ANY, ANY}},
    {"cookie", SYS_getsockopt, {ANY, SOL_SOCKET, SO_COOKIE}},
    {"fstat", SYS_fstat, {ANY, ANY, ANY}},
    {"getxattr", SYS_getxattr, {ANY, ANY, ANY}},
    {"netlink", SYS_socket, {AF_NETLINK, ANY, ANY}},
    {"pidfd_getfd", SYS_pidfd_getfd, {ANY, ANY, ANY}},
    {"pidfd_open", SYS_pidfd_open, {ANY, ANY, ANY}},
    {"tcp_info", SYS_getsockopt, {ANY, IPPROTO_TCP, TCP_INFO}},
};

static struct sock_filter *put(struct sock_filter *at, struct sock_filter instruction)
{
	*at = instruction;
	return at + 1;
}

/* The low half of an argument is its first word on both architectures that are supported. */
static struct sock_filter *refuse(struct sock_filter *at, const struct question *q, int error)
{
	struct sock_filter load_call = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	int left = 0;
	for (int i = 0; i < 3; i++)
		left += q->args[i] != ANY ? 2 : 0;
	at = put(at, load_call);
	at = put(at, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)q->call, 0,
	                                          (unsigned char)(left + 1)));
	for (int i = 0; i < 3; i++) {
		if (q->args[i] == ANY)
			continue;
		unsigned offset = (unsigned)offsetof(struct seccomp_data, args) + 8u * (unsigned)i;
		left -= 2;
		at = put(at, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset));
		at = put(at, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)q->args[i], 0,
		                                          (unsigned char)(left + 1)));
	}
	return put(at, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error));
}

static const struct question *question_of(const char *name)
{
	for (unsigned i = 0; i < sizeof questions / sizeof questions[0]; i++)
		if (strcmp(name, questions[i].name) == 0)
			return &questions[i];
	errx(2, "no question is called %s", name);
}

int main(int argc, char **argv)
{
	struct sock_filter filter[MOST * 9 + 1], *at = filter;
	unsigned count = 0;
	if (argc < 4)
		errx(2, "usage: prog_refuse ERRNO NAME[,NAME...] COMMAND...");
	for (char *name = strtok(argv[2], ","); name && count < MOST; name = strtok(NULL, ","), count++)
		at = refuse(at, question_of(name), atoi(argv[1]));
	at = put(at, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
	struct sock_fprog program = {(unsigned short)(at - filter), filter};
	if (syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0)
		err(3, "seccomp");
	execv(argv[3], argv + 3);
	err(3, "%s", argv[3]);
}
