/*
 * top_draw.c: title, tables, lines and the keys at the bottom.
 */
#include <locale.h>
#include <ncurses.h>
#include <string.h>
#include <time.h>

#include "top_detail.h"
#include "top_terminal.h"
#include "top_view.h"

enum { LINE_BYTES = 4096, SMALL_LINES = 12, PROCESS_FACTS = 4 };

/* A whole line from column 0 in one attribute. */
static void put_line(int y, int attributes, const char *text)
{
	char line[LINE_BYTES];
	struct cg_buf out;
	cg_buf_init(&out, line, sizeof line);
	cg_top_text_fit(&out, text, (unsigned)COLS, CG_TOP_LEFT);
	attrset(attributes);
	mvaddstr(y, 0, line);
}

/* Text on the left and on the right; without room for both, `keep_right` tells which of them gives way. */
static void put_line_of_two(int y, int attributes, const char *left, const char *right, bool keep_right)
{
	char line[LINE_BYTES];
	struct cg_buf out;
	unsigned width = (unsigned)COLS, wanted = cg_top_text_width(right), used = cg_top_text_width(left);
	bool both = used + 1 + wanted <= width || (keep_right && wanted + 1 < width);
	cg_buf_init(&out, line, sizeof line);
	cg_top_text_fit(&out, left, both ? width - wanted - 1 : width, CG_TOP_LEFT);
	if (both) {
		cg_buf_char(&out, ' ');
		cg_top_text_fit(&out, right, wanted, CG_TOP_LEFT);
	}
	put_line(y, attributes, line);
}

static void add_count(struct cg_buf *out, unsigned count, const char *what)
{
	if (count)
		cg_buf_fmt(out, ", %u %s", count, what);
}

static void draw_title(const struct cg_top_view *view)
{
	char left[512], right[128], clock[16];
	struct cg_buf text, when;
	struct cg_top_totals totals;
	struct tm local;
	time_t now = time(NULL);
	cg_top_model_totals(&view->watch->model, &totals);
	cg_buf_init(&text, left, sizeof left);
	cg_buf_fmt(&text, "%u process%s", totals.processes, totals.processes == 1 ? "" : "es");
	add_count(&text, totals.stopped, "stopped");
	add_count(&text, totals.dead, "dead");
	cg_buf_fmt(&text, "  leaked %lu", totals.leaked);
	if (totals.has_growth) {
		cg_buf_char(&text, ' ');
		cg_top_text_growth(&text, true, totals.growth);
		cg_buf_str(&text, "/min");
	}
	cg_buf_init(&when, right, sizeof right);
	cg_buf_str(&when, view->paused ? "PAUSED  every " : "every ");
	cg_buf_age(&when, view->interval_ns);
	if (localtime_r(&now, &local) && strftime(clock, sizeof clock, "%H:%M:%S", &local))
		cg_buf_fmt(&when, "  %s", clock);
	put_line_of_two(0, cg_top_terminal_attributes(CG_TOP_HEAD), left, right, false);
	if (view->paused && COLS < 60)
		mvaddstr(0, COLS - 6, "PAUSED");
}

static void draw_header(const struct cg_top_view *view, int y, const struct cg_top_list *list,
                        const struct cg_top_layout *layout)
{
	bool focus = list == &view->lists[view->focus];
	int plain = focus ? (int)A_REVERSE : cg_top_terminal_attributes(CG_TOP_HEAD) | (int)A_UNDERLINE;
	char cell[256];
	struct cg_buf out;
	put_line(y, plain, "");
	move(y, 1);
	for (unsigned i = 0; i < layout->count; i++) {
		const struct cg_top_column *column = &list->choice.table->columns[layout->column[i]];
		bool sorted = layout->column[i] == list->choice.sort;
		cg_buf_init(&out, cell, sizeof cell);
		cg_top_text_fit(&out, column->title, layout->width[i], column->right ? CG_TOP_RIGHT : CG_TOP_LEFT);
		attrset(sorted ? plain | (int)A_BOLD : plain);
		addstr(cell);
		attrset(plain);
		addstr(i + 1 < layout->count ? " " : "");
	}
}

static void draw_row(const struct cg_top_list *list, int y, const void *row, const struct cg_top_layout *layout,
                     bool chosen, bool focus)
{
	int whole = chosen && focus ? (int)A_REVERSE : chosen ? (int)A_BOLD : 0;
	char raw[512], cell[1024];
	struct cg_buf text, out;
	put_line(y, chosen && focus ? (int)A_REVERSE : 0, chosen ? ">" : "");
	move(y, 1);
	for (unsigned i = 0; i < layout->count; i++) {
		const struct cg_top_column *column = &list->choice.table->columns[layout->column[i]];
		cg_buf_init(&text, raw, sizeof raw);
		cg_buf_init(&out, cell, sizeof cell);
		enum cg_top_tone tone = column->cell(row, &text, layout->width[i]);
		cg_top_text_fit(&out, raw, layout->width[i], column->right ? CG_TOP_RIGHT : CG_TOP_LEFT);
		attrset(cg_top_terminal_attributes(tone) | whole);
		addstr(cell);
		attrset(whole & (int)A_REVERSE);
		addstr(i + 1 < layout->count ? " " : "");
	}
}

static void scroll_into_view(struct cg_top_list *list, unsigned height)
{
	list->height = height;
	if (list->at < list->first)
		list->first = list->at;
	if (height && list->at >= list->first + height)
		list->first = list->at - height + 1;
	if (list->first + height > list->rows.count)
		list->first = list->rows.count > height ? list->rows.count - height : 0;
}

/* A header and its rows in `height` lines. */
static void draw_table(struct cg_top_view *view, struct cg_top_list *list, int y, int height, const char *when_empty)
{
	struct cg_top_layout layout;
	if (height < 1)
		return;
	cg_top_columns_lay_out(list->choice.table, (unsigned)COLS - 1, &layout);
	draw_header(view, y, list, &layout);
	scroll_into_view(list, (unsigned)height - 1);
	if (!list->rows.count && height > 1)
		put_line(y + 1, 0, when_empty);
	for (unsigned i = 0; i < list->height && list->first + i < list->rows.count; i++) {
		unsigned at = list->first + i;
		draw_row(list, y + 1 + (int)i, list->rows.list[at], &layout, at == list->at,
		         list == &view->lists[view->focus]);
	}
}

/* Findings matter more: processes get two fifths, and what findings do not need. */
static int process_lines(const struct cg_top_view *view, int body)
{
	int processes = (int)view->lists[CG_TOP_PROCESSES].rows.count + 1;
	int findings = (int)view->lists[CG_TOP_FINDINGS].rows.count + 1;
	int least = body * 2 / 5 > 2 ? body * 2 / 5 : 2;
	processes = processes > 2 ? processes : 2;
	findings = findings > 2 ? findings : 2;
	if (processes <= least || processes + findings <= body)
		return processes;
	return body - findings > least ? body - findings : least;
}

/* The opened process alone, and what is known of it beside its row. */
static int draw_process(struct cg_top_view *view, const struct cg_top_process *process, int y, int body)
{
	struct cg_top_list alone = view->lists[CG_TOP_PROCESSES];
	struct cg_top_layout layout;
	cg_top_columns_lay_out(alone.choice.table, (unsigned)COLS - 1, &layout);
	draw_header(view, y++, &alone, &layout);
	draw_row(&alone, y++, process, &layout, false, false);
	if (body < SMALL_LINES)
		return y;
	cg_top_lines_clear(&view->lines, (unsigned)COLS);
	cg_top_detail_process(process, &view->lines);
	for (unsigned i = 0; i < view->lines.count; i++)
		put_line(y++, cg_top_terminal_attributes(view->lines.list[i].tone), view->lines.list[i].text);
	return y;
}

static void draw_tables(struct cg_top_view *view, int y, int end)
{
	static const char no_process[] = "No process is watched yet. Start one with: closeguard run COMMAND";
	static const char gone[] = "It has ended with nothing to say, and its record with it.";
	const struct cg_top_process *process = cg_top_view_opened_process(view);
	bool filtered = view->filter.text[0] || view->filter.hide_dead;
	if (process) {
		y = draw_process(view, process, y, end - y);
	} else {
		int height = process_lines(view, end - y);
		draw_table(view, &view->lists[CG_TOP_PROCESSES], y, height,
		           filtered           ? "No process fits the filter."
		           : view->watch->pid ? gone
		                              : no_process);
		y += height;
	}
	draw_table(view, &view->lists[CG_TOP_FINDINGS], y, end - y,
	           filtered ? "No finding fits the filter." : "No findings.");
}

static void draw_lines(struct cg_top_view *view, int y, int end)
{
	char title[256];
	struct cg_buf text;
	cg_buf_init(&text, title, sizeof title);
	if (view->help)
		cg_buf_str(&text, "closeguard top: help");
	else
		cg_buf_fmt(&text, "%s%s", view->opened_title,
		           view->resolved ? "  is over: resolved, or the process has gone; this was the last" : "");
	put_line(y++, (int)A_REVERSE, title);
	view->lines_height = (unsigned)(end > y ? end - y : 0);
	if (view->scroll + view->lines_height > view->lines.count)
		view->scroll = view->lines.count > view->lines_height ? view->lines.count - view->lines_height : 0;
	for (unsigned i = view->scroll; i < view->lines.count && y < end; i++)
		put_line(y++, cg_top_terminal_attributes(view->lines.list[i].tone), view->lines.list[i].text);
}

static void add_position(const struct cg_top_view *view, struct cg_buf *out)
{
	const struct cg_top_list *list = &view->lists[view->focus];
	if (view->help || view->opened) {
		unsigned last = view->scroll + view->lines_height;
		cg_buf_fmt(out, "%u-%u/%u", view->scroll + 1, last < view->lines.count ? last : view->lines.count,
		           view->lines.count);
		return;
	}
	if (view->filter.text[0])
		cg_buf_fmt(out, "/%s  ", view->filter.text);
	cg_buf_fmt(out, "%s%s %u/%u", list->choice.table->columns[list->choice.sort].title,
	           list->choice.reverse ? " reversed" : "", list->rows.count ? list->at + 1 : 0, list->rows.count);
}

static void draw_bottom(const struct cg_top_view *view, int y)
{
	char text[256];
	struct cg_buf out;
	cg_buf_init(&out, text, sizeof text);
	if (view->typing) {
		cg_buf_fmt(&out, "/%s_", view->filter.text);
		put_line_of_two(y, 0, text, "Enter keeps it, Esc takes it back", false);
		return;
	}
	add_position(view, &out);
	const char *keys = COLS < 60   ? "q quit ? help"
	                   : COLS < 78 ? "q quit  Enter open  Tab < > r / p ?"
	                               : "q quit  Enter open  Tab table  < > sort  / filter  p pause  ? help";
	if (view->help || view->opened)
		keys = COLS < 60 ? "q quit  Esc back" : "q quit  Esc back  arrows PgUp PgDn scroll  p pause";
	put_line_of_two(y, 0, keys, text, true);
}

void cg_top_draw(struct cg_top_view *view)
{
	int end = LINES - 1;
	erase();
	draw_title(view);
	draw_bottom(view, LINES - 1);
	const char *trouble = view->watch->trouble[0] ? view->watch->trouble : view->watch->foreign;
	if (*trouble && LINES >= SMALL_LINES)
		put_line(--end, cg_top_terminal_attributes(CG_TOP_WARN), trouble);
	if (view->help || view->opened)
		draw_lines(view, 1, end);
	else
		draw_tables(view, 1, end);
	attrset(A_NORMAL);
	wnoutrefresh(stdscr);
	doupdate();
}
