/*
 * wrap_shell.c: calls that start a shell inside libc, past every other wrapper. Its child has whatever was open without
 * SOCK_CLOEXEC, and so have the helpers that it leaves running.
 */
#include "real.h"
#include "track.h"

static FILE *open_pipe(const char *command, const char *mode)
{
	CG_NEED(popen);
	CG_EVENT(cg_track_spawn_begin());
	FILE *stream = cg_real.popen(command, mode);
	CG_EVENT(cg_track_spawn_end());
	return stream;
}

CG_EXPORT FILE *popen(const char *command, const char *mode)
{
	return open_pipe(command, mode);
}

CG_EXPORT FILE *_IO_popen(const char *command, const char *mode);
CG_EXPORT FILE *_IO_popen(const char *command, const char *mode)
{
	return open_pipe(command, mode);
}

/* The next two wait for the shell, for ever if need be, and may be left by a cancellation. */
CG_EXPORT int system(const char *command)
{
	CG_NEED(system);
	CG_EVENT(cg_track_spawn_and_wait());
	int r = cg_real.system(command);
	CG_EVENT(cg_track_spawned());
	return r;
}

CG_EXPORT int wordexp(const char *words, wordexp_t *result, int flags)
{
	CG_NEED(wordexp);
	CG_EVENT(cg_track_spawn_and_wait());
	int r = cg_real.wordexp(words, result, flags);
	CG_EVENT(cg_track_spawned());
	return r;
}
