/*
 * report_paper.c: wraps and colours lines.
 */
#include "report_paper.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

/* Narrower than this a stack cannot be read anyway. */
enum { WIDTH_MIN = 20, INDENT_MORE = 4 };

static unsigned width_of(FILE *out)
{
	struct winsize size;
	const char *columns = getenv("COLUMNS");
	long asked = columns ? strtol(columns, NULL, 10) : 0;
	if (asked > 0 && asked < 10000)
		return (unsigned)asked;
	return ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
}

static bool wants_colour(void)
{
	const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");
	return !(no && *no) && terminal && strcmp(terminal, "dumb") != 0;
}

struct cg_paper cg_paper_of(FILE *out, enum cg_colour colour, unsigned width)
{
	bool terminal = isatty(fileno(out));
	struct cg_paper paper = {.out = out, .utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0};
	paper.colour = colour == CG_COLOUR_ALWAYS || (colour == CG_COLOUR_AUTO && terminal && wants_colour());
	paper.width = width ? width : terminal ? width_of(out) : 0;
	if (paper.width && paper.width < WIDTH_MIN)
		paper.width = WIDTH_MIN;
	return paper;
}

/* The next character of a line: its bytes, and its columns. */
static size_t step(const struct cg_paper *paper, const char *at, const char *end, unsigned *ret_columns)
{
	mbstate_t state = {0};
	wchar_t c;
	size_t n = paper->utf8 ? mbrtowc(&c, at, (size_t)(end - at), &state) : 1;
	int columns = n == 0 || n > 8 ? 1 : paper->utf8 ? wcwidth(c) : 1;
	size_t bytes = 1;
	/* In another charset a character is one '?': its first byte, behind which the others take no room. */
	while (!paper->utf8 && at + bytes < end && (at[bytes] & 0xc0) == 0x80 && (at[0] & 0x80))
		bytes++;
	*ret_columns = columns < 0 ? 1 : (unsigned)columns;
	return !paper->utf8 ? bytes : n == 0 || n > 8 ? 1 : n;
}

static void put(const struct cg_paper *paper, const char *at, const char *end)
{
	while (at < end) {
		unsigned columns;
		size_t bytes = step(paper, at, end, &columns);
		if (paper->utf8 || !(*at & 0x80))
			fwrite(at, 1, bytes, paper->out);
		else
			putc('?', paper->out);
		at += bytes;
	}
}

/* Where the line has to end to fit: behind a blank if there is one in its last two thirds. */
static const char *break_of(const struct cg_paper *paper, const char *at, const char *end, unsigned room)
{
	const char *blank = NULL, *start = at;
	unsigned used = 0, columns;
	while (at < end) {
		size_t bytes = step(paper, at, end, &columns);
		if (used + columns > room)
			return blank ? blank : at > start ? at : at + bytes;
		if (*at == ' ' && used > room / 3)
			blank = at + 1;
		used += columns;
		at += bytes;
	}
	return end;
}

static const char *colour_of(const char *line, const char *end)
{
	static const struct {
		const char *word, *code;
	} colours[] = {{"LEAK", "\033[1;31m"},   {"NEW", "\033[1;31m"},  {"GROWN", "\033[1;31m"},
	               {"GONE", "\033[32m"},     {"SHRUNK", "\033[32m"}, {"RESOLVED", "\033[32m"},
	               {"warning:", "\033[33m"}, {"LATE", "\033[1;33m"}};
	if (strncmp(line, "  do: ", 6) == 0)
		return "\033[36m";
	if (strncmp(line, "closeguard: ", 12) != 0)
		return NULL;
	for (size_t i = 0; i < sizeof colours / sizeof colours[0]; i++)
		if (memmem(line, (size_t)(end - line), colours[i].word, strlen(colours[i].word)))
			return colours[i].code;
	return "\033[1m";
}

static void write_line(const struct cg_paper *paper, const char *line, const char *end)
{
	const char *colour = paper->colour ? colour_of(line, end) : NULL;
	unsigned indent = (unsigned)strspn(line, " ") + INDENT_MORE, room = paper->width;
	if (indent > paper->width / 2)
		indent = paper->width / 2;
	if (colour)
		fputs(colour, paper->out);
	for (bool first = true; first || line < end; first = false) {
		const char *next = room ? break_of(paper, line, end, first ? room : room - indent) : end;
		if (!first)
			fprintf(paper->out, "\n%*s", (int)indent, "");
		put(paper, line, next < end && next[-1] == ' ' ? next - 1 : next);
		line = next;
	}
	fputs(colour ? "\033[0m\n" : "\n", paper->out);
}

void cg_paper_write(const struct cg_paper *paper, const char *text)
{
	for (const char *end; *text; text = *end ? end + 1 : end) {
		end = strchrnul(text, '\n');
		write_line(paper, text, end);
	}
}
