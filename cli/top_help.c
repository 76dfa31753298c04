/*
 * top_help.c: the help of the screen.
 */
#include "top_help.h"

struct entry {
	const char *what, *meaning;
};

static const struct entry keys[] = {
    {"q, Ctrl-C", "quit"},
    {"arrows, j k", "choose a line; PgUp, PgDn, Home, End (g, G) go further"},
    {"Tab", "go to the other table"},
    {"Enter", "open a process: its findings only; open a finding: its processes, stacks, sockets"},
    {"Esc, Backspace", "go back"},
    {"< >, S s", "sort by another column; r: the other way round"},
    {"/", "show only what has a text; Enter keeps it, Esc shows all again"},
    {"d", "leave out processes that are dead, or show them again"},
    {"p, Space", "pause, and go on"},
    {"+ -", "look less or more often"},
    {"Ctrl-L", "draw the screen again"},
    {"Ctrl-Z", "stop, as any program; fg goes on"},
};

static const struct entry columns[] = {
    {"OPEN", "TCP descriptors that are open now"},
    {"LEAKED", "sockets now in findings that are leaks"},
    {"+/MIN", "change per minute, over the last minute or since this view began"},
    {"LATE", "closes that came long after their EOF, in all"},
    {"CLOSE/M", "closes per minute"},
    {"P50 P90 P99", "so many percent of the closes came within this time after their EOF, in all"},
    {"COUNT", "sockets, or events, in the finding, of all processes that have it"},
    {"AGE", "of the oldest socket; of events, since the last one"},
    {"IS", "LEAK, LATE (overload: closed, but late) or info; SURE: how sure that is"},
    {"CAUSE", "why; `closeguard explain CAUSE` tells more"},
    {"SITE", "where the end was read, or the wrong call was made"},
    {"OPENED", "where the connection came from"},
};

static void add(struct cg_top_lines *lines, const struct entry *entries, unsigned count)
{
	char text[256];
	struct cg_buf out;
	for (unsigned i = 0; i < count; i++) {
		cg_buf_init(&out, text, sizeof text);
		cg_buf_fmt(&out, "  %-15s %s", entries[i].what, entries[i].meaning);
		cg_top_lines_wrap(lines, CG_TOP_PLAIN, 18, text);
	}
}

void cg_top_help_fill(struct cg_top_lines *lines)
{
	cg_top_lines_clear(lines, lines->width);
	cg_top_lines_add(lines, CG_TOP_HEAD, "Keys");
	add(lines, keys, sizeof keys / sizeof keys[0]);
	cg_top_lines_add(lines, CG_TOP_PLAIN, "%s", "");
	cg_top_lines_add(lines, CG_TOP_HEAD, "Columns");
	add(lines, columns, sizeof columns / sizeof columns[0]);
	cg_top_lines_add(lines, CG_TOP_PLAIN, "%s", "");
	cg_top_lines_wrap(
	    lines, CG_TOP_PLAIN, 2,
	    "  A process is read, never asked: one that is stopped, hangs or was killed is shown with all that "
	    "was known at its last sweep.");
}
