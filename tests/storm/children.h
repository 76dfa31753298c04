/* children.h: processes made in every way, which drop privileges, close all descriptors, and execute foreign programs.
 */
#ifndef CHILDREN_H
#define CHILDREN_H

#include <cerrno>
#include <csignal>
#include <ctime>
#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "storm.h"

extern char **environ;

namespace storm
{

enum { CHILD_LIMIT_S = 30 };

static char port_text[16];
static std::string programs[3]; /* empty: not to be had here */

inline void find_programs()
{
	static const char *const names[] = {"child", "child_static", "child_musl"};
	snprintf(port_text, sizeof(port_text), "%d", port);
	for (int i = 0; i < 3; i++) {
		std::string path = folder + "/" + names[i];
		programs[i] = access(path.c_str(), X_OK) == 0 ? path : "";
	}
}

inline const char *program_for(unsigned long round)
{
	const std::string &path = programs[round % 3];
	return path.empty() ? programs[0].c_str() : path.c_str();
}

/*
 * A child that does not end is told of, so that who runs this can look at it; then it is killed. It is waited for with
 * WNOHANG, since a wait without end could not be told of.
 */
inline void expect_end(const char *what, pid_t pid, int wanted)
{
	int status = -1;
	timespec pause = {0, 500000};
	if (pid < 0)
		return complain("%s: %s", what, strerror(errno));
	for (long waited = 0; waited < CHILD_LIMIT_S * 2000L; waited++) {
		pid_t r = waitpid(pid, &status, WNOHANG);
		if (r == pid) {
			if (status != wanted << 8)
				complain("%s: status %d instead of %d", what, status, wanted << 8);
			return;
		}
		nanosleep(&pause, nullptr);
	}
	complain("%s: hung %d", what, pid);
	timespec look = {CHILD_LIMIT_S, 0};
	while (nanosleep(&look, &look) < 0 && errno == EINTR)
		;
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

/* Libc's own functions for this go over all threads, and after _Fork those of the parent are still listed. */
inline bool drop_privileges()
{
	return syscall(SYS_setgroups, 0, nullptr) == 0 && syscall(SYS_setresgid, 65534, 65534, 65534) == 0 &&
	       syscall(SYS_setresuid, 65534, 65534, 65534) == 0;
}

/* Only what may be called in the child of a process with threads. Each result is an exit status of its own. */
inline int child_work(unsigned long round)
{
	if (round % 3 == 0)
		closefrom(3);
	if (round % 4 == 1 && geteuid() == 0 && !drop_privileges())
		return 10;
	int fd = wire::open_client(port);
	if (fd < 0)
		return 11;
	if (!wire::echo(fd, static_cast<uint32_t>(round), 200, true) || !wire::at_end(fd))
		return 12;
	if (round % 2)
		return 30; /* leaked */
	if (round % 3 == 1 && close_range(3, ~0U, 0) == 0)
		return close(fd) < 0 && errno == EBADF ? 30 : 13;
	return wire::close_client(fd) ? 30 : 14;
}

inline void by_fork(unsigned long round)
{
	pid_t pid = round % 2 ? fork() : _Fork();
	if (pid == 0)
		_exit(child_work(round / 2));
	expect_end(round % 2 ? "fork" : "_Fork", pid, 30);
}

inline void by_fork_and_exec(unsigned long round)
{
	const char *path = program_for(round);
	pid_t pid = fork();
	if (pid == 0) {
		execl(path, path, port_text, nullptr);
		_exit(99);
	}
	expect_end(path, pid, 42);
}

inline void by_vfork(unsigned long round)
{
	const char *path = program_for(round);
	pid_t pid = vfork();
	if (pid == 0) {
		close_range(3, ~0U, 0);
		execl(path, path, port_text, nullptr);
		_exit(99);
	}
	expect_end("vfork", pid, 42);
}

inline void by_spawn(unsigned long round)
{
	std::string path = program_for(round);
	char *words[] = {path.data(), port_text, nullptr};
	pid_t pid = -1;
	int r = posix_spawn(&pid, path.c_str(), nullptr, nullptr, words, environ);
	if (r)
		return complain("posix_spawn: %s", strerror(r));
	expect_end("posix_spawn", pid, 42);
}

inline void by_shell(unsigned long round)
{
	std::string command = std::string("exec ") + program_for(round) + " " + port_text;
	char line[64] = "";
	if (round % 2) {
		int status = system(command.c_str());
		if (status != 42 << 8)
			complain("system: status %d", status);
		return;
	}
	FILE *pipe = popen(("echo hello; " + command).c_str(), "re");
	if (!pipe || !fgets(line, sizeof(line), pipe) || strcmp(line, "hello\n"))
		complain("popen: \"%s\"", line);
	int status = pipe ? pclose(pipe) : 0;
	if (pipe && status != 42 << 8)
		complain("pclose: status %d", status);
}

inline void make_a_child(unsigned long round)
{
	static void (*const ways[])(unsigned long) = {by_fork, by_fork_and_exec, by_fork, by_vfork,
	                                              by_fork, by_spawn,         by_fork, by_shell};
	ways[round % 8](round / 8);
}

} // namespace storm

#endif
