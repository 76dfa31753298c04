/*
 * prog_seccomp HOW: shuts itself into a sandbox that allows read, write, close and exit_group, on the pain of death,
 * and goes on working with its connections. HOW is prctl, seccomp (by syscall), or all (every thread at once).
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "prog.h"

#define ALLOW(name) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static void shut_in(const char *how)
{
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    ALLOW(read),
	    ALLOW(write),
	    ALLOW(close),
	    ALLOW(exit_group),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};
	long result = 0;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		err(3, "PR_SET_NO_NEW_PRIVS");
	if (strcmp(how, "prctl") == 0)
		result = prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
	else
		result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		                 strcmp(how, "all") == 0 ? SECCOMP_FILTER_FLAG_TSYNC : 0, &program);
	if (result != 0)
		err(3, "seccomp");
}

int main(int argc, char **argv)
{
	int kept[2], closed[2];
	char c;
	connected_pair(kept);
	connected_pair(closed);
	doze(500); /* the library has settled */
	shut_in(argc > 1 ? argv[1] : "prctl");
	if (write(closed[0], "x", 1) != 1 || close(closed[0]) < 0)
		return 4;
	read_to_end(closed[1]);
	close(closed[1]);
	close(kept[0]);
	read_to_end(kept[1]);
	if (write(kept[1], "x", 1) != 1 || close(closed[1]) == 0)
		return 5;
	if (write(1, "ready\n", 6) != 6)
		return 6;
	while (read(0, &c, 1) == 1)
		;
	return 0;
}
