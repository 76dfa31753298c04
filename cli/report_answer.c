/*
 * report_answer.c: a table of the heaviest findings, as wide as what is in it and as the paper.
 */
#include "report_answer.h"

#include <string.h>

#include "fmt.h"
#include "report_text_place.h"
#include "report_view.h"
#include "top_site.h"
#include "top_text.h"

enum { LINES = 10, CELL = 256, CELL_LEAST = 12, LINE = 2048 };

enum column { COUNT, GROWTH, KIND, SITE, PROCESSES, COLUMNS };

struct row {
	char cell[COLUMNS][CELL]; /* of the place, the function */
	char location[CELL];
};

static bool is_open(const json_t *finding)
{
	return strcmp(cg_report_text_of(finding, "status"), "open") == 0;
}

static void set_kind(struct cg_buf *out, const json_t *finding)
{
	const char *cause = cg_report_text_of(finding, "cause"), *suppressed = cg_report_text_of(finding, "suppressed");
	cg_text_plain(out, *suppressed ? "suppressed" : cg_report_text_of(finding, "verdict"));
	cg_buf_char(out, ' ');
	cg_text_plain(out, cg_report_text_of(finding, "kind"));
	cg_buf_str(out, *cause ? " " : "");
	cg_text_plain(out, cause);
}

/* "shop[4711]" of one, "9 of shop" of several. */
static void set_processes(struct cg_buf *out, const json_t *processes)
{
	const json_t *first = json_array_get(processes, 0);
	const char *app = cg_report_text_of(first, "app");
	size_t count = json_array_size(processes), same = 0;
	while (same < count && strcmp(cg_report_text_of(json_array_get(processes, same), "app"), app) == 0)
		same++;
	if (count != 1)
		cg_buf_fmt(out, "%zu of ", count);
	cg_text_plain(out, same == count ? app : "several programs");
	if (count == 1)
		cg_buf_fmt(out, "[%lld]", (long long)json_integer_value(json_object_get(first, "pid")));
}

static void set_site(struct cg_buf *function, struct cg_buf *location, const json_t *site)
{
	struct cg_frame frame;
	if (!json_is_object(site)) {
		cg_buf_char(location, '-');
		return;
	}
	cg_report_frame(site, &frame);
	cg_top_site_frame_text(&frame, false, function, location);
}

static void set_row(struct row *row, const json_t *finding)
{
	struct cg_buf out[COLUMNS], location;
	const json_t *growth = json_object_get(finding, "growth_per_min");
	for (unsigned i = 0; i < COLUMNS; i++)
		cg_buf_init(&out[i], row->cell[i], CELL);
	cg_buf_init(&location, row->location, CELL);
	cg_buf_fmt(&out[COUNT], "%lld", (long long)cg_report_number_of(finding, "count"));
	cg_top_text_growth(&out[GROWTH], json_is_number(growth), json_number_value(growth));
	set_kind(&out[KIND], finding);
	set_site(&out[SITE], &location, json_object_get(finding, "site"));
	set_processes(&out[PROCESSES], json_object_get(finding, "processes"));
}

/* The name of what called the place, in the stack that has the place first; "" where there is none. */
static const char *caller_of(const json_t *finding)
{
	static const char *const places[] = {"here", "eof", "last_use", "opened"};
	const json_t *site = json_object_get(finding, "site");
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		const json_t *stack = json_object_get(json_object_get(finding, places[i]), "stack");
		for (size_t at = 0; at + 1 < json_array_size(stack); at++)
			if (json_equal(json_array_get(stack, at), site))
				return cg_report_text_of(json_array_get(stack, at + 1), "function");
	}
	return "";
}

/* Several findings at one place, such as a function that many use, differ in who called it. */
static void tell_apart(struct row *rows, unsigned count, const json_t *findings)
{
	bool same[LINES] = {false};
	for (unsigned i = 1; i < count; i++)
		for (unsigned j = 1; j < count; j++)
			same[i] |= i != j && strcmp(rows[i].cell[SITE], rows[j].cell[SITE]) == 0 &&
			           strcmp(rows[i].location, rows[j].location) == 0;
	for (unsigned i = 1; i < count; i++) {
		const char *caller = same[i] ? caller_of(json_array_get(findings, i - 1)) : "";
		struct cg_buf out;
		if (!*caller)
			continue;
		size_t used = strlen(rows[i].location);
		cg_buf_init(&out, rows[i].location + used, CELL - used);
		cg_buf_str(&out, " < ");
		cg_text_plain(&out, caller);
	}
}

static unsigned width_of(const struct row *row, unsigned column)
{
	unsigned width = cg_top_text_width(row->cell[column]);
	if (column == SITE && row->location[0])
		width += cg_top_text_width(row->location) + (width ? 1 : 0);
	return width;
}

/* Where the paper is too narrow, the place gives way, then the processes. */
static void measure(const struct row *rows, unsigned count, unsigned paper_width, unsigned width[COLUMNS])
{
	unsigned all = 2 * COLUMNS;
	for (unsigned column = 0; column < COLUMNS; column++) {
		width[column] = 0;
		for (unsigned i = 0; i < count; i++)
			width[column] =
			    width_of(&rows[i], column) > width[column] ? width_of(&rows[i], column) : width[column];
		all += width[column];
	}
	for (unsigned column = SITE; paper_width && column <= PROCESSES; column++) {
		unsigned over = all > paper_width ? all - paper_width : 0;
		unsigned least = width[column] < CELL_LEAST ? width[column] : CELL_LEAST;
		unsigned given = width[column] > over + least ? over : width[column] - least;
		width[column] -= given;
		all -= given;
	}
}

static void add_row(struct cg_buf *out, const struct row *row, const unsigned width[COLUMNS])
{
	char text[2 * CELL];
	struct cg_buf site;
	for (unsigned i = 0; i < COLUMNS; i++) {
		cg_buf_str(out, "  ");
		cg_buf_init(&site, text, sizeof text);
		if (i == SITE)
			cg_top_text_site(&site, row->cell[i], row->location, width[i]);
		else
			cg_buf_str(&site, row->cell[i]);
		cg_top_text_fit(out, text,
		                i + 1 < COLUMNS || cg_top_text_width(text) > width[i] ? width[i]
		                                                                      : cg_top_text_width(text),
		                i <= GROWTH ? CG_TOP_RIGHT : CG_TOP_LEFT);
	}
	cg_buf_char(out, '\n');
}

static json_int_t leaked_in(const json_t *findings)
{
	json_int_t leaked = 0;
	for (size_t i = 0; i < json_array_size(findings); i++)
		if (cg_report_is_open_leak(json_array_get(findings, i)))
			leaked += cg_report_number_of(json_array_get(findings, i), "count");
	return leaked;
}

static void add_headline(struct cg_buf *out, const json_t *document, size_t open)
{
	json_int_t leaked = leaked_in(json_object_get(document, "findings"));
	size_t processes = json_array_size(json_object_get(document, "sources"));
	cg_buf_fmt(out, "closeguard: %zu finding%s in %zu process%s, %lld socket%s leaked%s\n", open,
	           open == 1 ? "" : "s", processes, processes == 1 ? "" : "es", (long long)leaked,
	           leaked == 1 ? "" : "s", open == 1 ? ":" : "; heaviest first:");
}

void cg_report_answer_write(const struct cg_paper *paper, const json_t *document)
{
	static struct row rows[LINES] = {{{"count", "a minute", "what", "where", "processes"}, ""}};
	const json_t *findings = json_object_get(document, "findings");
	char text[LINES * LINE];
	struct cg_buf out;
	size_t open = 0;
	unsigned shown = 1;
	unsigned width[COLUMNS];
	while (open < json_array_size(findings) && is_open(json_array_get(findings, open)))
		open++;
	if (!open)
		return;
	unsigned most = open > LINES - 2 ? LINES - 2 : LINES - 1; /* the headline is one, those left out are another */
	for (; shown <= open && shown < most; shown++)
		set_row(&rows[shown], json_array_get(findings, shown - 1));
	tell_apart(rows, shown, findings);
	cg_top_text_begin();
	cg_buf_init(&out, text, sizeof text);
	add_headline(&out, document, open);
	measure(rows, shown, paper->width, width);
	for (unsigned i = 0; i < shown; i++)
		add_row(&out, &rows[i], width);
	if (open > shown - 1)
		cg_buf_fmt(&out, "  ... and %zu more\n", open - (shown - 1));
	cg_buf_char(&out, '\n');
	cg_paper_write(paper, out.data);
}
