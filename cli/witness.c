/*
 * witness.c: the process that stays to tell what a killed program has left open.
 *
 * It must not be seen by the program: it is no child of it (whose wait would find it), sends it no SIGCHLD, is in a
 * session of its own (Ctrl-C and job control pass it by), and holds nothing of it but stderr. The price: whoever reads
 * that stderr to its end waits for the program, even one that has closed its own; and a prompt may come first.
 */
#include "witness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "procfs.h"
#include "recorders.h"
#include "recording.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

enum { PIDFD = STDERR_FILENO + 1, INIT = 1 };

struct subject {
	pid_t pid;
	uint64_t start;
};

/* A recorder of the program, not of one that had its pid, that was not ended by the program itself. */
static bool has_more_to_tell(const struct subject *subject, const char *path)
{
	struct cg_header header;
	return cg_recording_peek(path, &header) && header.pid == subject->pid &&
	       header.process_start == subject->start && header.spoken &&
	       (header.state == CG_STATE_LIVE || header.state == CG_STATE_SEALED);
}

static void tell(const char *path)
{
	const char *format = getenv("CLOSEGUARD_FORMAT");
	bool json = format && strcmp(format, "json") == 0;
	char *command[] = {(char[]){"closeguard"}, (char[]){"report"},
	                   (char[]){"--format"},   json ? (char[]){"json"} : (char[]){"text"},
	                   (char *)path,           NULL};
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(STDERR_FILENO, STDOUT_FILENO);
	execv("/proc/self/exe", command);
}

static void look(const struct subject *subject)
{
	struct cg_recorders found = {0};
	if (cg_recorders_find(cg_recorders_dir(), cg_recorders_dir_owner(), subject->pid, &found) < 0)
		return;
	for (size_t i = 0; i < found.count; i++)
		if (has_more_to_tell(subject, found.list[i].path))
			tell(found.list[i].path);
}

static void wait_and_look(const struct subject *subject)
{
	struct pollfd end = {.fd = PIDFD, .events = POLLIN};
	while (poll(&end, 1, -1) < 0 && errno == EINTR)
		;
	unsetenv("LD_PRELOAD");
	look(subject);
}

/* Lets go of everything but stderr and the pidfd: a pipe that stays open here keeps its reader waiting. */
static bool let_go(int pidfd)
{
	int null = open("/dev/null", O_RDWR);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 || dup2(pidfd, PIDFD) < 0)
		return false;
	if (*cg_recorders_dir() == '/' && chdir("/") < 0)
		return false;
	return syscall(SYS_close_range, PIDFD + 1, ~0u, 0) == 0;
}

static void become_witness(const struct subject *subject, int pidfd)
{
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	if (let_go(pidfd) && setsid() >= 0 && fork() == 0)
		wait_and_look(subject);
	_exit(0);
}

/* A fork whose end sends no signal: one that is blocked would still be pending in the program. */
static pid_t fork_silently(void)
{
	return (pid_t)syscall(SYS_clone, 0UL, NULL, NULL, NULL, 0UL);
}

static bool is_wanted(void)
{
	const char *log = getenv("CLOSEGUARD_LOG"), *on = getenv("CLOSEGUARD");
	bool to_stderr = !log || !*log || strcmp(log, "stderr") == 0;
	bool off = on && strcmp(on, "off") == 0;
	/* As init it would get this process for a child after all, and take it along when it ends. */
	return to_stderr && !off && getpid() != INIT && fcntl(STDERR_FILENO, F_GETFD) >= 0;
}

void cg_witness_leave(void)
{
	if (!is_wanted())
		return;
	struct subject subject = {.pid = getpid(), .start = cg_proc_start_time(0)};
	int pidfd = (int)syscall(SYS_pidfd_open, subject.pid, 0);
	if (pidfd < 0)
		return;
	pid_t child = fork_silently();
	if (child == 0)
		become_witness(&subject, pidfd);
	while (child > 0 && waitpid(child, NULL, __WALL) < 0 && errno == EINTR)
		;
	close(pidfd);
}
