/*
 * report_output.c: writes beside the file and renames.
 */
#include "report_output.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

/* Ctrl-C leaves nothing behind: writing takes a moment, and the signal waits for its end. */
static void hold_signals(int how)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(how, &set, NULL);
}

static int open_temporary(struct cg_output *output)
{
	mode_t mask = umask(0);
	umask(mask);
	int error = cg_common_print(output->temporary, sizeof output->temporary, "%s.XXXXXX", output->path);
	int fd = error ? -1 : mkostemp(output->temporary, O_CLOEXEC);
	if (fd < 0)
		return error ? error : -errno;
	(void)fchmod(fd, 0666 & ~mask);
	output->file = fdopen(fd, "w");
	if (output->file)
		return 0;
	error = -errno;
	close(fd);
	unlink(output->temporary);
	return error;
}

int cg_output_open(const char *path, struct cg_output *ret)
{
	struct stat st;
	memset(ret, 0, sizeof *ret);
	if (!path || strcmp(path, "-") == 0) {
		ret->file = stdout;
		return 0;
	}
	int error = cg_common_print(ret->path, sizeof ret->path, "%s", path);
	if (error)
		return error;
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return -EISDIR;
	/* A link is written through: what it points to is meant. */
	if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode)) {
		char *real = realpath(path, NULL);
		if (real)
			(void)cg_common_print(ret->path, sizeof ret->path, "%s", real);
		free(real);
	}
	if (stat(ret->path, &st) == 0 && !S_ISREG(st.st_mode)) {
		ret->file = fopen(ret->path, "we");
		return ret->file ? 0 : -errno;
	}
	hold_signals(SIG_BLOCK);
	error = open_temporary(ret);
	if (error)
		hold_signals(SIG_UNBLOCK);
	return error;
}

static int flush(FILE *file)
{
	if (fflush(file) == EOF)
		return -errno;
	return ferror(file) ? -EIO : 0;
}

int cg_output_finish(struct cg_output *output)
{
	int error = flush(output->file);
	if (!*output->path)
		return error;
	if (!error && *output->temporary && fsync(fileno(output->file)) < 0)
		error = -errno;
	if (fclose(output->file) == EOF && !error)
		error = -errno;
	if (!error && *output->temporary && rename(output->temporary, output->path) < 0)
		error = -errno;
	if (error && *output->temporary)
		unlink(output->temporary);
	if (*output->temporary)
		hold_signals(SIG_UNBLOCK);
	return error;
}

void cg_output_abandon(struct cg_output *output)
{
	if (!*output->path)
		return;
	(void)fclose(output->file);
	if (*output->temporary) {
		unlink(output->temporary);
		hold_signals(SIG_UNBLOCK);
	}
}
