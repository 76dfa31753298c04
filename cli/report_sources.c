/*
 * report_sources.c: finds what is named and reads it.
 */
#include "report_sources.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "cli.h"
#include "log_read.h"
#include "procfs.h"
#include "progress.h"
#include "recorders.h"
#include "report_recorder.h"

static void show(const struct cg_input *input)
{
	uint64_t at = cg_input_position(input);
	if (input->size)
		cg_progress_show("reading %s, %u%%", input->path,
		                 (unsigned)(at < input->size ? at * 100 / input->size : 100));
	else
		cg_progress_show("reading %s, %llu MiB", input->path, (unsigned long long)(at >> 20));
}

static int complain(const char *verb, const char *why)
{
	cg_progress_end();
	cg_common_complain(verb, "%s", why);
	return CG_EXIT_FAILED;
}

/* One that is gone by now was found a moment ago: its process has just ended with nothing to say. */
static int take_recorder(struct cg_merge *merge, const char *verb, const char *path, bool searched)
{
	static struct cg_recording recording;
	char why[CG_RECORDING_WHY];
	int error = cg_recording_open(path, &recording, why);
	if (error == -ENOENT && searched)
		return CG_EXIT_DONE;
	if (error)
		return complain(verb, why);
	cg_progress_show("reading %s", path);
	cg_report_recorder(merge, &recording);
	cg_recording_close(&recording);
	return CG_EXIT_DONE;
}

/* A recorder that cannot be read in any order, since it comes compressed or through a pipe. */
static int take_stream(struct cg_merge *merge, const char *verb, struct cg_input *input)
{
	static struct cg_recording recording;
	char why[CG_RECORDING_WHY] = "";
	int fd = cg_input_copy(input, CG_RECORD_SIZE, why);
	if (fd < 0)
		return complain(verb, why);
	if (*why)
		cg_merge_warn(merge, "%s", why);
	if (cg_recording_open_fd(fd, input->path, &recording, why) < 0)
		return complain(verb, why);
	cg_report_recorder(merge, &recording);
	cg_recording_close(&recording);
	return CG_EXIT_DONE;
}

static int take_file(struct cg_merge *merge, const char *verb, const char *path)
{
	struct cg_input input;
	char why[CG_RECORDING_WHY];
	int code = CG_EXIT_DONE;
	if (cg_input_open(path, &input, why) < 0)
		return complain(verb, why);
	show(&input);
	if (cg_input_is_recorder(&input))
		code = input.is_file ? take_recorder(merge, verb, path, false) : take_stream(merge, verb, &input);
	else if ((cg_input_is_report(&input) ? cg_log_read_report(merge, &input, why)
	                                     : cg_log_read(merge, &input, show, why)) < 0)
		code = complain(verb, why);
	cg_input_close(&input);
	return code;
}

/* What could not be done matters more than what was found. */
static int worse(int one, int other)
{
	return one > other ? one : other;
}

static int take_all(struct cg_merge *merge, const char *verb, struct cg_recorders *recorders)
{
	int code = CG_EXIT_DONE;
	if (recorders->foreign)
		cg_common_complain(verb, "recorders left out, since they belong to other users than their folder: %u",
		                   recorders->foreign);
	for (size_t i = 0; i < recorders->count; i++)
		code = worse(code, take_recorder(merge, verb, recorders->list[i].path, true));
	cg_recorders_free(recorders);
	return code;
}

int cg_report_all(struct cg_merge *merge, const char *verb)
{
	struct cg_recorders recorders = {0};
	int error = cg_recorders_find(cg_recorders_dir(), cg_recorders_dir_owner(), 0, &recorders);
	if (error) {
		cg_common_complain(verb, "%s: %s", cg_recorders_dir(), cg_recorders_error(error));
		cg_recorders_free(&recorders);
		return CG_EXIT_FAILED;
	}
	if (!recorders.count)
		cg_common_complain(verb, "%s has no recorder: no watched process runs or had anything to say",
		                   cg_recorders_dir());
	return take_all(merge, verb, &recorders);
}

static int take_process(struct cg_merge *merge, const char *verb, pid_t pid)
{
	struct cg_recorders recorders = {0};
	int error = cg_recorders_find_process(pid, &recorders);
	if (error)
		cg_common_complain(verb, "%s: %s", cg_recorders_dir(), cg_recorders_error(error));
	else if (!recorders.count)
		cg_common_complain(verb,
		                   "%s has no recorder of %s %d; one is kept from the first TCP socket on, and after "
		                   "the process's end where it had something to say",
		                   cg_recorders_dir(), cg_proc_alive(pid, 0) ? "the process" : "a process", (int)pid);
	bool none = error || !recorders.count;
	int code = take_all(merge, verb, &recorders);
	return none ? CG_EXIT_FAILED : code;
}

int cg_report_named(struct cg_merge *merge, const char *verb, const char *argument)
{
	if (!isdigit((unsigned char)argument[0]) || argument[strspn(argument, "0123456789")])
		return take_file(merge, verb, argument);
	uintmax_t pid = strtoumax(argument, NULL, 10);
	if (pid > 0 && pid <= INT_MAX)
		return take_process(merge, verb, (pid_t)pid);
	cg_common_complain(verb, "%s is no process id; a file of that name is ./%s", argument, argument);
	return CG_EXIT_USAGE;
}
