/*
 * parse_text.c: one text out of a file and what it includes, with the place where each of its lines came from.
 *
 * libconfig never gets to see an @include: it would open files without looking who may write to them, and old versions
 * report errors of an included file by numbers that fit no file. Comments are blanked, so that the two cannot disagree
 * on what is one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parse.h"
#include "parse_file.h"

enum state { PLAIN, STRING, LINE_COMMENT, BLOCK_COMMENT };

struct scan {
	struct cg_config *parse;
	const char *at;                /* NUL at the end */
	struct cg_config_place place;  /* of `at` */
	struct cg_config_place opened; /* where the string or comment began */
	enum state state;
	bool line_start; /* only blanks since the line's beginning */
	bool stop;       /* an error makes the rest meaningless */
};

static void add_file(struct cg_config *parse, const char *path, int parent, struct cg_config_place from,
                     const char *key);

static void fail(struct scan *scan, struct cg_config_place place, const char *key, const char *what)
{
	cg_config_error_at(scan->parse, place, key, "%s", what);
	scan->stop = true;
}

/* Makes room for one more line and one more byte with its NUL. */
static bool grow(struct cg_config *parse)
{
	if (parse->size + 2 > parse->room) {
		size_t room = parse->room ? parse->room * 2 : 4096;
		char *text = realloc(parse->text, room);
		if (!text)
			return false;
		parse->text = text;
		parse->room = room;
	}
	if (parse->place_count + 1 > parse->place_room) {
		size_t room = parse->place_room ? parse->place_room * 2 : 256;
		struct cg_config_place *places = realloc(parse->places, room * sizeof *places);
		if (!places)
			return false;
		parse->places = places;
		parse->place_room = room;
	}
	return true;
}

static void put(struct scan *scan, char c)
{
	struct cg_config *parse = scan->parse;
	if (parse->size >= CG_CONFIG_SIZE || !grow(parse)) {
		if (!scan->stop)
			fail(scan, scan->place, "file", "with what it includes it is larger than 1 MiB");
		return;
	}
	parse->text[parse->size++] = c;
	parse->text[parse->size] = '\0';
}

/* A new line of the text, which came from `place`. */
static void put_line(struct scan *scan, struct cg_config_place place)
{
	put(scan, '\n');
	if (!scan->stop)
		scan->parse->places[scan->parse->place_count++] = place;
}

/* "NAME" in its includer's folder. */
static void beside(const char *includer, const char *name, size_t n, char *path, size_t size)
{
	const char *slash = strrchr(includer, '/');
	int folder = name[0] == '/' || !slash ? 0 : (int)(slash - includer) + 1;
	snprintf(path, size, "%.*s%.*s", folder, includer, (int)n, name);
}

/* At "@include". Afterwards at what follows the closing quote. */
static void include(struct scan *scan)
{
	char path[2 * CG_POLICY_PATH];
	struct cg_config *parse = scan->parse;
	int includer = (int)scan->place.file, depth = 0;
	const char *name = scan->at + strlen("@include");
	name += strspn(name, " \t");
	size_t n = *name == '"' ? strcspn(name + 1, "\"\n") : 0;
	if (!n || name[1 + n] != '"' || n >= CG_POLICY_PATH) {
		fail(scan, scan->place, "@include", "it takes the name of a file in quotes, on the same line");
		return;
	}
	for (int i = includer; i >= 0; i = parse->parent[i])
		depth++;
	if (depth > CG_CONFIG_INCLUDES)
		fail(scan, scan->place, "@include", "files include each other more than 8 deep");
	else if (parse->policy.file_count == CG_POLICY_FILES)
		fail(scan, scan->place, "@include", "there are more than 16 files");
	if (scan->stop)
		return;
	scan->at = name + n + 2;
	beside(parse->shown[includer], name + 1, n, path, sizeof path);
	unsigned before = parse->errors.count;
	put(scan, '\n');
	add_file(parse, path, includer, scan->place, "@include");
	scan->stop |= parse->errors.count > before;
	if (!scan->stop)
		put_line(scan, scan->place);
}

/* Brackets and settings are counted: libconfig's recursion and time depend on them. */
static void count(struct scan *scan, char c)
{
	struct cg_config *parse = scan->parse;
	if (strchr("([{", c))
		parse->depth++;
	else if (strchr(")]}", c) && parse->depth)
		parse->depth--;
	else if (c == '=' || c == ':')
		parse->settings++;
	if (parse->depth > CG_CONFIG_DEPTH)
		fail(scan, scan->place, "syntax", "groups and lists are nested more than 16 deep");
	else if (parse->settings > CG_CONFIG_SETTINGS)
		fail(scan, scan->place, "syntax", "there are more than 8192 settings");
}

static void scan_plain(struct scan *scan)
{
	const char *at = scan->at;
	bool starts = scan->line_start;
	scan->line_start &= *at == ' ' || *at == '\t';
	if (*at == '@') {
		if (starts && strncmp(at, "@include", 8) == 0)
			include(scan);
		else
			fail(scan, scan->place, "@include",
			     "only `@include \"file\"` at the beginning of a line is known");
		return;
	}
	if (*at == '#' || (*at == '/' && (at[1] == '/' || at[1] == '*'))) {
		scan->state = *at == '/' && at[1] == '*' ? BLOCK_COMMENT : LINE_COMMENT;
		scan->opened = scan->place;
		scan->at += *at == '/' ? 2 : 1;
		put(scan, ' ');
		return;
	}
	if (*at == '"') {
		scan->state = STRING;
		scan->opened = scan->place;
	}
	count(scan, *at);
	put(scan, *at);
	scan->at++;
}

static void scan_string(struct scan *scan)
{
	const char *at = scan->at;
	if (*at == '\\' && (at[1] == '"' || at[1] == '\\')) {
		put(scan, *at);
		scan->at++;
	} else if (*at == '\\' && (at[1] == 'x' || at[1] == 'X') && at[2] == '0' && at[3] == '0') {
		fail(scan, scan->place, "syntax", "\\x00 in a text: it would end there");
	} else if (*at == '"') {
		scan->state = PLAIN;
	}
	put(scan, *scan->at);
	scan->at++;
}

static void scan_one(struct scan *scan)
{
	if (*scan->at == '\n') {
		scan->place.line++;
		put_line(scan, scan->place);
		scan->at++;
		scan->state = scan->state == LINE_COMMENT ? PLAIN : scan->state;
		scan->line_start = true;
	} else if (scan->state == PLAIN) {
		scan_plain(scan);
	} else if (scan->state == STRING) {
		scan_string(scan);
	} else if (scan->state == BLOCK_COMMENT && scan->at[0] == '*' && scan->at[1] == '/') {
		scan->state = PLAIN;
		scan->at += 2;
	} else {
		scan->at++;
	}
}

static void scan_all(struct scan *scan)
{
	while (*scan->at && !scan->stop)
		scan_one(scan);
	if (scan->stop || scan->state == PLAIN || scan->state == LINE_COMMENT)
		return;
	fail(scan, scan->opened, "syntax",
	     scan->state == STRING ? "the text that begins here has no closing quote"
	                           : "the comment that begins here has no end");
}

static void add_file(struct cg_config *parse, const char *path, int parent, struct cg_config_place from,
                     const char *key)
{
	char why[CG_POLICY_LINE];
	size_t size = 0;
	char *data = cg_config_file(parse, path, parent, &size, why, sizeof why);
	if (!data) {
		cg_config_error_at(parse, from, key, "%s", why);
		return;
	}
	struct scan scan = {.parse = parse, .at = data, .line_start = true};
	scan.place = (struct cg_config_place){parse->policy.file_count - 1, 1};
	if (!grow(parse))
		fail(&scan, scan.place, "file", "there is no memory to read it");
	else
		parse->places[parse->place_count++] = scan.place;
	for (size_t i = 0; i < size && !scan.stop; i++) {
		scan.place.line += data[i] == '\n';
		if (data[i] == '\0')
			fail(&scan, scan.place, "syntax", "there is a NUL byte; a policy is a text");
	}
	scan.place.line = 1;
	scan_all(&scan);
	free(data);
}

void cg_config_text(struct cg_config *parse, const char *path)
{
	size_t n = strlen(path), kept = n < CG_POLICY_PATH ? n : CG_POLICY_PATH - 1;
	memcpy(parse->shown[0], path, kept);
	parse->shown[0][kept] = '\0';
	add_file(parse, path, -1, (struct cg_config_place){0, 1}, "file");
	if (!parse->errors.count && !parse->size) {
		struct scan scan = {.parse = parse, .place = {0, 1}};
		put(&scan, '\n');
	}
}
