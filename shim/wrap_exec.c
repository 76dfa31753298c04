/* wrap_exec.c: programs that replace the process, or are started beside it. */
#include "preload.h"
#include "real.h"
#include "recorder.h"
#include "track.h"

#include <alloca.h>
#include <stdarg.h>

static void before_exec(void)
{
	CG_EVENT(cg_track_spawned(); cg_recorder_set_state(CG_STATE_EXECED));
}

/* Only reached when the exec failed. */
static int exec_failed(int r)
{
	CG_EVENT(cg_recorder_set_state(CG_STATE_LIVE));
	return r;
}

/*
 * The environment to hand over, on the caller's frame: the child of a vfork shares all other memory with its parent.
 * What is handed over as it is goes the way that the app chose.
 */
#define WITHOUT_US(room, envp) cg_preload_without((envp), alloca(room), (room))

CG_EXPORT int execve(const char *path, char *const argv[], char *const envp[])
{
	size_t room = cg_preload_room(AT_FDCWD, path, 0, envp);
	before_exec();
	if (room)
		envp = WITHOUT_US(room, envp);
	return exec_failed(cg_real.execve(path, argv, envp));
}

CG_EXPORT int execv(const char *path, char *const argv[])
{
	CG_NEED(execv);
	size_t room = cg_preload_room(AT_FDCWD, path, 0, environ);
	before_exec();
	if (room)
		return exec_failed(cg_real.execve(path, argv, WITHOUT_US(room, environ)));
	return exec_failed(cg_real.execv(path, argv));
}

CG_EXPORT int execvp(const char *file, char *const argv[])
{
	CG_NEED(execvp);
	size_t room = cg_preload_room_in_path(file, environ);
	before_exec();
	if (room)
		return exec_failed(cg_real.execvpe(file, argv, WITHOUT_US(room, environ)));
	return exec_failed(cg_real.execvp(file, argv));
}

CG_EXPORT int execvpe(const char *file, char *const argv[], char *const envp[])
{
	CG_NEED(execvpe);
	size_t room = cg_preload_room_in_path(file, envp);
	before_exec();
	if (room)
		envp = WITHOUT_US(room, envp);
	return exec_failed(cg_real.execvpe(file, argv, envp));
}

CG_EXPORT int fexecve(int fd, char *const argv[], char *const envp[])
{
	CG_NEED(fexecve);
	size_t room = cg_preload_room(fd, "", AT_EMPTY_PATH, envp);
	before_exec();
	if (room)
		envp = WITHOUT_US(room, envp);
	return exec_failed(cg_real.fexecve(fd, argv, envp));
}

CG_EXPORT int execveat(int dir, const char *path, char *const argv[], char *const envp[], int flags)
{
	CG_NEED(execveat);
	if (!cg_real.execveat) {
		errno = ENOSYS;
		return -1;
	}
	size_t room = cg_preload_room(dir, path, flags, envp);
	before_exec();
	if (room)
		envp = WITHOUT_US(room, envp);
	return exec_failed(cg_real.execveat(dir, path, argv, envp, flags));
}

/* The variadic execs have no form that takes a va_list: their arguments are gathered on the stack, as libc does it. */
static size_t count_arguments(const char *first, va_list args)
{
	size_t n = first != NULL;
	while (first && va_arg(args, char *))
		n++;
	return n;
}

static void gather(char **argv, const char *first, size_t n, va_list args)
{
	argv[0] = (char *)(uintptr_t)first; // NOLINT(performance-no-int-to-ptr)
	for (size_t i = 1; i <= n; i++)
		argv[i] = va_arg(args, char *);
}

#define GATHER(first)                                                                                                  \
	va_list args;                                                                                                  \
	va_start(args, first);                                                                                         \
	size_t n = count_arguments(first, args);                                                                       \
	va_end(args);                                                                                                  \
	char **argv = alloca((n + 1) * sizeof *argv);                                                                  \
	argv[0] = NULL;                                                                                                \
	va_start(args, first);                                                                                         \
	if (n)                                                                                                         \
		gather(argv, first, n, args);

CG_EXPORT int execl(const char *path, const char *first, ...)
{
	GATHER(first);
	va_end(args);
	return execv(path, argv);
}

CG_EXPORT int execlp(const char *file, const char *first, ...)
{
	GATHER(first);
	va_end(args);
	return execvp(file, argv);
}

CG_EXPORT int execle(const char *path, const char *first, ...)
{
	GATHER(first);
	char *const *envp = va_arg(args, char *const *);
	va_end(args);
	return execve(path, argv, envp);
}

/* A path that is to be looked up in a folder to which the child moves first is looked up here: the list stays then. */
CG_EXPORT int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                          const posix_spawnattr_t *attr, char *const argv[], char *const envp[])
{
	CG_NEED(posix_spawn);
	size_t room = cg_preload_room(AT_FDCWD, path, 0, envp);
	if (room)
		envp = WITHOUT_US(room, envp);
	CG_EVENT(cg_track_spawn_begin());
	int r = cg_real.posix_spawn(pid, path, actions, attr, argv, envp);
	CG_EVENT(cg_track_spawn_end());
	return r;
}

CG_EXPORT int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
                           const posix_spawnattr_t *attr, char *const argv[], char *const envp[])
{
	CG_NEED(posix_spawnp);
	size_t room = cg_preload_room_in_path(file, envp);
	if (room)
		envp = WITHOUT_US(room, envp);
	CG_EVENT(cg_track_spawn_begin());
	int r = cg_real.posix_spawnp(pid, file, actions, attr, argv, envp);
	CG_EVENT(cg_track_spawn_end());
	return r;
}
