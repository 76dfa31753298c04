/*
 * top_keys.c: what each key does.
 */
#include <ncurses.h>
#include <string.h>

#include "top_same.h"
#include "top_view.h"

enum { ESCAPE = 27, DELETE = 127, CONTROL_L = 12, CONTROL_H = 8, CONTROL_U = 21 };

static void choose(struct cg_top_list *list, long at)
{
	long last = (long)list->rows.count - 1;
	if (last < 0)
		return;
	list->at = (unsigned)(at < 0 ? 0 : at > last ? last : at);
	list->chosen = *(const uint64_t *)list->rows.list[list->at];
}

static void scroll_to(struct cg_top_view *view, long at)
{
	long last = (long)view->lines.count - (long)view->lines_height;
	at = at > last ? last : at;
	view->scroll = (unsigned)(at < 0 ? 0 : at);
}

/* Moves in whatever is shown: the lines, or the table in focus. Returns whether the key was one of these. */
static bool move_by(struct cg_top_view *view, int key)
{
	bool lines = view->help || view->opened;
	struct cg_top_list *list = &view->lists[view->focus];
	long at = lines ? (long)view->scroll : (long)list->at;
	long page = lines ? (long)view->lines_height - 1 : (long)list->height - 1;
	page = page > 0 ? page : 1;
	if (key == KEY_UP || key == 'k')
		at--;
	else if (key == KEY_DOWN || key == 'j')
		at++;
	else if (key == KEY_PPAGE)
		at -= page;
	else if (key == KEY_NPAGE)
		at += page;
	else if (key == KEY_HOME || key == 'g')
		at = 0;
	else if (key == KEY_END || key == 'G')
		at = 1L << 30;
	else
		return false;
	if (lines)
		scroll_to(view, at);
	else
		choose(list, at);
	return true;
}

static void open_finding(struct cg_top_view *view)
{
	const struct cg_top_finding *finding = cg_top_view_finding(view);
	struct cg_buf title;
	if (!finding)
		return;
	view->opened = finding->id;
	view->scroll = 0;
	view->resolved = false;
	view->filled.opened = 0;
	cg_top_lines_clear(&view->lines, view->lines.width);
	cg_buf_init(&title, view->opened_title, sizeof view->opened_title);
	if (finding->next_same)
		cg_buf_fmt(&title, "%u processes of %s", cg_top_same_processes(finding), finding->process->header.app);
	else
		cg_buf_fmt(&title, "%s[%d]", finding->process->header.app, finding->process->header.pid);
}

static void open_chosen(struct cg_top_view *view)
{
	const struct cg_top_process *process = cg_top_view_process(view);
	if (view->focus == CG_TOP_FINDINGS) {
		open_finding(view);
	} else if (process) {
		view->filter.process = process->id;
		view->lists[CG_TOP_FINDINGS].chosen = 0;
		view->focus = CG_TOP_FINDINGS;
	}
}

/* One step towards the two tables as they were at first. */
static void go_back(struct cg_top_view *view)
{
	if (view->help) {
		view->help = false;
	} else if (view->opened) {
		view->opened = 0;
	} else if (view->filter.process) {
		view->filter.process = 0;
		view->focus = CG_TOP_PROCESSES;
	} else {
		view->filter.text[0] = '\0';
	}
	view->scroll = 0;
}

static void change_interval(struct cg_top_view *view, int step)
{
	static const uint64_t steps_ms[] = {100, 200, 500, 1000, 2000, 5000, 10000, 30000, 60000, 300000, 3600000};
	enum { STEPS = sizeof steps_ms / sizeof steps_ms[0] };
	int at = 0;
	while (at < STEPS - 1 && steps_ms[at] * 1000000u < view->interval_ns)
		at++;
	/* One that was given may lie between two steps. */
	if (!(step > 0 && steps_ms[at] * 1000000u > view->interval_ns))
		at += step;
	at = at < 0 ? 0 : at >= STEPS ? STEPS - 1 : at;
	view->interval_ns = steps_ms[at] * 1000000u;
}

static void begin_typing(struct cg_top_view *view)
{
	view->typing = true;
	memcpy(view->before_typing, view->filter.text, sizeof view->before_typing);
}

/* The last character goes with all its bytes. */
static void erase_one(char *text)
{
	size_t length = strlen(text);
	while (length && ((unsigned char)text[length - 1] & 0xc0) == 0x80)
		length--;
	text[length ? length - 1 : 0] = '\0';
}

static void type(struct cg_top_view *view, int key)
{
	char *text = view->filter.text;
	size_t length = strlen(text);
	if (key == '\n' || key == '\r' || key == KEY_ENTER) {
		view->typing = false;
	} else if (key == ESCAPE) {
		view->typing = false;
		memcpy(text, view->before_typing, sizeof view->before_typing);
	} else if (key == KEY_BACKSPACE || key == DELETE || key == CONTROL_H) {
		erase_one(text);
	} else if (key == CONTROL_U) {
		text[0] = '\0';
	} else if (key >= ' ' && key < 256 && key != DELETE && length + 1 < sizeof view->filter.text) {
		text[length] = (char)key;
		text[length + 1] = '\0';
	}
}

static void obey_in_tables(struct cg_top_view *view, int key)
{
	struct cg_top_choice *choice = &view->lists[view->focus].choice;
	switch (key) {
	case '\t':
	case KEY_BTAB:
		view->focus =
		    view->focus == CG_TOP_FINDINGS && !view->filter.process ? CG_TOP_PROCESSES : CG_TOP_FINDINGS;
		break;
	case '>':
	case 's':
		cg_top_rows_sort_by_next(choice, 1);
		break;
	case '<':
	case 'S':
		cg_top_rows_sort_by_next(choice, -1);
		break;
	case 'r':
		choice->reverse = !choice->reverse;
		break;
	case 'd':
		view->filter.hide_dead = !view->filter.hide_dead;
		break;
	case '/':
		begin_typing(view);
		break;
	case '\n':
	case '\r':
	case KEY_ENTER:
	case KEY_RIGHT:
		open_chosen(view);
		break;
	default:
		break;
	}
}

static void obey(struct cg_top_view *view, int key)
{
	switch (key) {
	case 'q':
		view->leave = true;
		break;
	case '?':
	case 'h':
		view->help = !view->help;
		view->scroll = 0;
		break;
	case ESCAPE:
	case DELETE:
	case CONTROL_H:
	case KEY_BACKSPACE:
	case KEY_LEFT:
		go_back(view);
		break;
	case ' ':
	case 'p':
		view->paused = !view->paused;
		break;
	case '+':
	case '=':
	case '-':
		change_interval(view, key == '-' ? -1 : 1);
		break;
	case CONTROL_L:
		clearok(curscr, TRUE);
		break;
	default:
		if (!move_by(view, key) && !view->help && !view->opened)
			obey_in_tables(view, key);
	}
}

void cg_top_keys_obey(struct cg_top_view *view, int key)
{
	if (view->typing)
		type(view, key);
	else
		obey(view, key);
}
