/*
 * log_read.c: reads a log whose lines may be anything.
 */
#include "log_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "log_squeeze.h"

/* A line of the library is at most a quarter of it. */
enum { LINE_MAX_SIZE = 4 << 20 };

/* Lines of one sort: how many, and the first of them. */
struct lines {
	uint64_t count, first;
};

struct reading {
	struct cg_merge *merge;
	struct cg_input *input;
	struct cg_squeeze squeeze;
	uint64_t number; /* of the line */
	int64_t clock;
	struct lines taken, foreign, version, broken, damaged, too_long;
	json_int_t other_version;
	char damage[JSON_ERROR_TEXT_LENGTH];
	bool cut_off;
};

static void note(struct reading *reading, struct lines *lines)
{
	if (!lines->count++)
		lines->first = reading->number;
}

static void take_object(struct reading *reading, const json_t *line)
{
	switch (cg_merge_line(reading->merge, line, reading->input->path, "log", &reading->clock)) {
	case CG_LINE_TAKEN:
		note(reading, &reading->taken);
		break;
	case CG_LINE_VERSION:
		if (!reading->version.count)
			reading->other_version = json_integer_value(json_object_get(line, "v"));
		note(reading, &reading->version);
		break;
	case CG_LINE_BROKEN:
		note(reading, &reading->broken);
		break;
	case CG_LINE_FOREIGN:
		note(reading, &reading->foreign);
		break;
	}
}

/* Anything may share a log with us: an object without our `event` is not even parsed. */
static void take_line(struct reading *reading, const char *line, size_t size, bool ended)
{
	json_error_t error;
	size_t blank = 0;
	reading->number++;
	while (blank < size && strchr(" \t\r", line[blank]) && line[blank])
		blank++;
	if (blank == size)
		return;
	if (line[blank] != '{' || (ended && !memmem(line, size, "\"event\"", 7))) {
		note(reading, &reading->foreign);
		return;
	}
	bool whole = cg_log_squeeze(&reading->squeeze, line, size);
	json_t *object =
	    json_loadb(whole ? reading->squeeze.text : line, whole ? reading->squeeze.size : size, 0, &error);
	if (object) {
		take_object(reading, object);
	} else if (!ended) {
		reading->cut_off = true;
	} else {
		if (!reading->damaged.count)
			memcpy(reading->damage, error.text, sizeof reading->damage);
		note(reading, &reading->damaged);
	}
	json_decref(object);
}

/* Takes the whole lines at the start of the buffer; returns how many bytes they were. */
static size_t take_lines(struct reading *reading, const char *buffer, size_t size, bool *skipping)
{
	size_t at = 0;
	for (const char *end; (end = memchr(buffer + at, '\n', size - at)) != NULL;) {
		if (!*skipping)
			take_line(reading, buffer + at, (size_t)(end - buffer) - at, true);
		*skipping = false;
		at = (size_t)(end - buffer) + 1;
	}
	return at;
}

static int read_all(struct reading *reading, char *buffer, void (*show)(const struct cg_input *), char *why)
{
	size_t have = 0;
	bool skipping = false;
	ssize_t n;
	while ((n = cg_input_read(reading->input, buffer + have, LINE_MAX_SIZE - have, why)) > 0) {
		have += (size_t)n;
		size_t used = take_lines(reading, buffer, have, &skipping);
		have -= used;
		memmove(buffer, buffer + used, have);
		if (have == LINE_MAX_SIZE || skipping) {
			reading->number += !skipping;
			if (!skipping)
				note(reading, &reading->too_long);
			skipping = true;
			have = 0;
		}
		show(reading->input);
	}
	if (have && !skipping)
		take_line(reading, buffer, have, false);
	return n < 0 ? (int)n : 0;
}

static void warn(const struct reading *reading, const struct lines *lines, const char *what)
{
	if (lines->count)
		cg_merge_warn(reading->merge, "%s: %llu line%s %s (the first is line %llu)", reading->input->path,
		              (unsigned long long)lines->count, lines->count == 1 ? "" : "s", what,
		              (unsigned long long)lines->first);
}

static void tell(const struct reading *reading, int error, const char *why)
{
	char text[JSON_ERROR_TEXT_LENGTH + 128];
	warn(reading, &reading->foreign, "skipped: not written by closeguard as JSON");
	(void)cg_common_print(text, sizeof text, "skipped: damaged, %s", reading->damage);
	warn(reading, &reading->damaged, text);
	(void)cg_common_print(text, sizeof text, "skipped: of version %lld, this command reads version 1",
	                      (long long)reading->other_version);
	warn(reading, &reading->version, text);
	warn(reading, &reading->broken, "skipped: no kind of finding is named");
	warn(reading, &reading->too_long, "skipped: longer than 4 MiB");
	if (reading->cut_off)
		cg_merge_warn(reading->merge, "%s: its last line is cut off", reading->input->path);
	if (error)
		cg_merge_warn(reading->merge, "%s; what came before is told", why);
}

/* One line on a file of which nothing can be used. */
static void refuse(const struct reading *reading, int error, char *why)
{
	const char *path = reading->input->path;
	if (error)
		return; /* what could not be read is the reason */
	if (!reading->number)
		(void)cg_common_print(why, CG_RECORDING_WHY, "%s is empty", path);
	else if (reading->version.count)
		(void)cg_common_print(
		    why, CG_RECORDING_WHY,
		    "%s is a log of version %lld, this command reads version 1; use the command of the "
		    "same build as its libcloseguard.so",
		    path, (long long)reading->other_version);
	else if (reading->cut_off && reading->number == 1)
		(void)cg_common_print(why, CG_RECORDING_WHY, "%s has only the beginning of a line: it was cut off",
		                      path);
	else
		(void)cg_common_print(why, CG_RECORDING_WHY,
		                      "%s is no recorder: it does not begin with \"%s\", and no log: closeguard wrote "
		                      "none of its %llu lines as JSON (CLOSEGUARD_FORMAT=json)",
		                      path, CG_RECORD_MAGIC, (unsigned long long)reading->number);
}

int cg_log_read(struct cg_merge *merge, struct cg_input *input, void (*show)(const struct cg_input *input),
                char ret_why[CG_RECORDING_WHY])
{
	char *buffer = malloc(LINE_MAX_SIZE), *squeezed = malloc(LINE_MAX_SIZE);
	struct reading reading = {.merge = merge, .input = input, .squeeze = {.merge = merge, .text = squeezed}};
	if (!buffer || !squeezed) {
		free(buffer);
		free(squeezed);
		(void)cg_common_print(ret_why, CG_RECORDING_WHY, "%s: %s", input->path, strerror(ENOMEM));
		return -ENOMEM;
	}
	int error = read_all(&reading, buffer, show, ret_why);
	free(buffer);
	free(squeezed);
	merge->raw_count = 0;
	if (!reading.taken.count) {
		refuse(&reading, error, ret_why);
		return error ? error : -EINVAL;
	}
	tell(&reading, error, ret_why);
	return 0;
}

static size_t give(void *buffer, size_t size, void *context)
{
	char why[CG_RECORDING_WHY];
	ssize_t n = cg_input_read(context, buffer, size, why);
	return n < 0 ? (size_t)-1 : (size_t)n;
}

int cg_log_read_report(struct cg_merge *merge, struct cg_input *input, char ret_why[CG_RECORDING_WHY])
{
	json_error_t error;
	json_t *document = json_load_callback(give, input, JSON_DISABLE_EOF_CHECK, &error);
	if (!document) {
		(void)cg_common_print(ret_why, CG_RECORDING_WHY, "%s is a saved report that is damaged: line %d: %s",
		                      input->path, error.line, error.text);
		return -EINVAL;
	}
	int result = cg_merge_report(merge, document, input->path);
	if (result < 0)
		(void)cg_common_print(ret_why, CG_RECORDING_WHY,
		                      "%s is a saved report of another version, this command reads version 1",
		                      input->path);
	json_decref(document);
	return result;
}
