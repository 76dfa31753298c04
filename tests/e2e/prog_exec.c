/* prog_exec HOW PROGRAM: becomes the program, or waits for it, by one of the ways that there are. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int wait_for(int error, pid_t pid)
{
	int status;
	if (error)
		return error;
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

static int start(const char *how, const char *program, char **argv)
{
	pid_t pid = 0;
	if (strcmp(how, "posix_spawn") == 0)
		return wait_for(posix_spawn(&pid, program, NULL, NULL, argv, environ), pid);
	if (strcmp(how, "posix_spawnp") == 0)
		return wait_for(posix_spawnp(&pid, program, NULL, NULL, argv, environ), pid);
	if (strcmp(how, "vfork") == 0) {
		pid = vfork();
		if (pid == 0)
			_exit(execve(program, argv, environ));
		return wait_for(0, pid);
	}
	return -1;
}

static void become(const char *how, const char *program, char **argv)
{
	if (strcmp(how, "execve") == 0)
		execve(program, argv, environ);
	else if (strcmp(how, "execv") == 0)
		execv(program, argv);
	else if (strcmp(how, "execvp") == 0)
		execvp(program, argv);
	else if (strcmp(how, "execvpe") == 0)
		execvpe(program, argv, environ);
	else if (strcmp(how, "execl") == 0)
		execl(program, program, (char *)NULL);
	else if (strcmp(how, "execlp") == 0)
		execlp(program, program, (char *)NULL);
	else if (strcmp(how, "execle") == 0)
		execle(program, program, (char *)NULL, environ);
	else if (strcmp(how, "fexecve") == 0)
		fexecve(open(program, O_RDONLY | O_CLOEXEC), argv, environ);
	else if (strcmp(how, "fexecve_path") == 0)
		fexecve(open(program, O_PATH | O_CLOEXEC), argv, environ);
	else if (strcmp(how, "execveat") == 0)
		syscall(SYS_execveat, AT_FDCWD, program, argv, environ, 0);
	else if (strcmp(how, "syscall") == 0)
		syscall(SYS_execve, program, argv, environ);
	printf("%s: %s\n", how, strerror(errno));
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	int status = start(argv[1], argv[2], argv + 2);
	if (status >= 0)
		return status;
	become(argv[1], argv[2], argv + 2);
	return 1;
}
