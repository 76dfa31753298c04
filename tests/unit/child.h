/* child.h: a forked child that holds one descriptor until it is ended, for unit tests. */
#ifndef CHILD_H
#define CHILD_H

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct child {
	pid_t pid;
	int go; /* closing it ends the child */
};

/* A child that holds what is open here, and nothing more than `keep` of it. */
__attribute__((unused)) static struct child fork_holder(int keep)
{
	int wait_pipe[2], ready[2];
	char byte;
	ck_assert(pipe(wait_pipe) == 0 && pipe(ready) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		for (int fd = 3; fd < 1024; fd++)
			if (fd != keep && fd != wait_pipe[0] && fd != ready[1])
				close(fd);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)!write(ready[1], "r", 1);
		_exit(read(wait_pipe[0], &byte, 1) == 0 ? 0 : 1);
	}
	ck_assert_int_gt(pid, 0);
	close(wait_pipe[0]);
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	fcntl(wait_pipe[1], F_SETFD, FD_CLOEXEC);
	return (struct child){pid, wait_pipe[1]};
}

__attribute__((unused)) static void end_child(struct child child)
{
	int status = 0;
	close(child.go);
	kill(child.pid, SIGKILL);
	ck_assert_int_eq(waitpid(child.pid, &status, 0), child.pid);
}

#endif
