/*
 * report_source.c: finds a file of source, and takes three lines out of it.
 */
#include "report_source.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "json_text.h"
#include "merge.h"
#include "report_text_place.h"
#include "report_view.h"
#include "sys_regular.h"

enum { FINDINGS_MAX = 1000, AROUND = 1, WIDTH = 200, FILE_MAX = 16 << 20 };

static bool is_source(const char *path)
{
	static const char *const ends[] = {"c",  "cc", "cpp", "cxx", "c++", "C",  "h",   "hh",    "hpp", "hxx",
	                                   "i",  "ii", "inl", "ipp", "tcc", "S",  "s",   "y",     "l",   "m",
	                                   "mm", "rs", "go",  "zig", "d",   "py", "pyx", "java",  "kt",  "scala",
	                                   "rb", "pl", "pm",  "php", "js",  "ts", "lua", "swift", "f90", "adb"};
	const char *name = strrchr(path, '/'), *dot = strrchr(name ? name : path, '.');
	for (size_t i = 0; dot && i < sizeof ends / sizeof ends[0]; i++)
		if (strcmp(dot + 1, ends[i]) == 0)
			return true;
	return false;
}

static FILE *open_at(const char *path, struct stat *ret)
{
	int fd = cg_open_regular(path, 0);
	FILE *file = fd >= 0 && fstat(fd, ret) == 0 && ret->st_size <= FILE_MAX ? fdopen(fd, "r") : NULL;
	if (!file && fd >= 0)
		close(fd);
	return file;
}

/* As it is, then "src/app/shop.c", "app/shop.c" and "shop.c" in the folder. */
static FILE *find(const char *path, const char *folder, char found[PATH_MAX], struct stat *ret)
{
	FILE *file = NULL;
	if (*path == '/' && cg_common_print(found, PATH_MAX, "%s", path) == 0)
		file = open_at(found, ret);
	for (const char *end = path; !file && end; end = strchr(end, '/')) {
		end += strspn(end, "/");
		if (*end && strncmp(end, "../", 3) != 0 && cg_common_print(found, PATH_MAX, "%s/%s", folder, end) == 0)
			file = open_at(found, ret);
	}
	return file;
}

/* The line's text without its end; tabs as they are. */
static json_t *text_of(char *line, ssize_t size)
{
	while (size > 0 && (line[size - 1] == '\n' || line[size - 1] == '\r'))
		line[--size] = '\0';
	if (size > WIDTH)
		line[WIDTH] = '\0';
	return cg_json_text(line);
}

static json_t *lines_of(FILE *file, json_int_t first, json_int_t last)
{
	json_t *lines = json_array();
	char *line = NULL;
	size_t room = 0;
	ssize_t size;
	for (json_int_t number = 1; number <= last && (size = getline(&line, &room, file)) >= 0; number++)
		if (number >= first)
			json_array_append_new(lines, text_of(line, size));
	free(line);
	return lines;
}

static bool is_younger(const struct stat *st, const json_t *finding)
{
	int64_t seen_ms = cg_merge_time(cg_report_text_of(finding, "first_seen"));
	return seen_ms != INT64_MIN && (int64_t)st->st_mtime > seen_ms / 1000;
}

static void add(json_t *finding, const char *folder)
{
	const json_t *site = json_object_get(finding, "site");
	const char *path = cg_report_text_of(site, "file");
	json_int_t line = cg_report_number_of(site, "line"), first = line > AROUND ? line - AROUND : 1;
	char found[PATH_MAX];
	struct stat st;
	FILE *file = line && is_source(path) ? find(path, folder, found, &st) : NULL;
	if (!file)
		return;
	json_t *lines = lines_of(file, first, line + AROUND), *source = json_object();
	(void)fclose(file);
	if (first + (json_int_t)json_array_size(lines) <= line) { /* another file of that name: it has no such line */
		json_decref(lines);
		json_decref(source);
		return;
	}
	json_object_set_new(source, "file", cg_json_text(found));
	json_object_set_new(source, "line", json_integer(line));
	json_object_set_new(source, "first", json_integer(first));
	json_object_set_new(source, "lines", lines);
	if (is_younger(&st, finding))
		json_object_set_new(source, "changed", json_true());
	json_object_set_new(finding, "source", source);
}

void cg_report_source_add(json_t *document, const char *folder)
{
	const json_t *findings = json_object_get(document, "findings");
	for (size_t i = 0; i < json_array_size(findings) && i < FINDINGS_MAX; i++)
		add(json_array_get(findings, i), folder ? folder : ".");
}

/* A tab is as wide as it would be at the start of a line. */
static void add_line(struct cg_buf *out, const char *text)
{
	char one[2] = "";
	for (unsigned column = 0; *text; text++, column++) {
		one[0] = *text;
		if (*text != '\t') {
			cg_buf_bytes(out, one, 1);
			continue;
		}
		do
			cg_buf_char(out, ' ');
		while (++column % 8);
		column--;
	}
}

void cg_report_source_text(struct cg_buf *out, const json_t *finding)
{
	const json_t *source = json_object_get(finding, "source"), *lines = json_object_get(source, "lines");
	json_int_t first = cg_report_number_of(source, "first"), line = cg_report_number_of(source, "line");
	char wide[8 * WIDTH + 8];
	if (!json_is_object(source))
		return;
	cg_buf_str(out, "  source ");
	cg_text_plain(out, cg_report_text_of(source, "file"));
	cg_buf_str(out, json_is_true(json_object_get(source, "changed")) ? ", which has changed since:\n" : ":\n");
	for (size_t i = 0; i < json_array_size(lines); i++) {
		const char *text = json_string_value(json_array_get(lines, i));
		struct cg_buf buf;
		cg_buf_init(&buf, wide, sizeof wide);
		add_line(&buf, text ? text : "");
		json_int_t number = first + (json_int_t)i;
		cg_buf_fmt(out, "  %s %5lld  ", number == line ? ">" : " ", (long long)number);
		cg_text_plain(out, wide);
		cg_buf_char(out, '\n');
	}
}
