/*
 * top_screen.c: refreshes, draws and obeys keys, in turn.
 */
#include "top_screen.h"

#include <ncurses.h>
#include <signal.h>
#include <stdlib.h>

#include "cli.h"
#include "clock.h"
#include "top_batch.h"
#include "top_names.h"
#include "top_terminal.h"
#include "top_view.h"

/* The clock in the title goes on while the numbers stand. */
static const uint64_t longest_wait_ns = 1000000000u;

static void begin(struct cg_top_view *view, const struct cg_top_options *options)
{
	*view = (struct cg_top_view){.watch = options->watch,
	                             .interval_ns = options->interval_ns,
	                             .focus = CG_TOP_FINDINGS,
	                             .filter = options->filter};
	view->lists[CG_TOP_PROCESSES].choice = options->processes;
	view->lists[CG_TOP_FINDINGS].choice = options->findings;
}

static void wait_until(uint64_t then_ns)
{
	uint64_t now_ns = cg_clock_ns(CLOCK_MONOTONIC), left_ns = then_ns > now_ns ? then_ns - now_ns : 0;
	left_ns = left_ns < longest_wait_ns ? left_ns : longest_wait_ns;
	cg_top_terminal_wait((unsigned)((left_ns + 999999) / 1000000));
}

/* The screen follows at once, so keys act on what is seen. */
static void take_keys(struct cg_top_view *view)
{
	for (int key; (key = getch()) != ERR;) {
		if (key == KEY_RESIZE)
			continue;
		cg_top_keys_obey(view, key);
		cg_top_view_update(view, (unsigned)COLS);
	}
}

static void run(struct cg_top_view *view, unsigned long iterations)
{
	uint64_t last_ns = view->watch->model.now_ns;
	for (unsigned long done = 1; !view->leave && !cg_top_terminal_ending();) {
		cg_top_view_update(view, (unsigned)COLS);
		cg_top_draw(view);
		wait_until(view->paused ? UINT64_MAX : last_ns + view->interval_ns);
		take_keys(view);
		uint64_t now_ns = cg_clock_ns(CLOCK_MONOTONIC);
		if (view->paused || now_ns < last_ns + view->interval_ns)
			continue;
		if (iterations && done++ == iterations)
			return;
		(void)cg_top_watch_refresh(view->watch, now_ns);
		last_ns = now_ns;
	}
}

static void end(struct cg_top_view *view)
{
	cg_top_lines_clear(&view->lines, 0);
	free(view->lines.list);
	cg_top_rows_free(&view->lists[CG_TOP_PROCESSES].rows);
	cg_top_rows_free(&view->lists[CG_TOP_FINDINGS].rows);
}

int cg_top_screen_run(const struct cg_top_options *options)
{
	static struct cg_top_view view;
	if (cg_top_terminal_begin() < 0) {
		cg_common_complain("top", "this terminal (TERM) cannot show a screen, so here are plain lines");
		return cg_top_batch_run(options);
	}
	begin(&view, options);
	(void)cg_top_names_begin(cg_top_terminal_wake, NULL);
	run(&view, options->iterations);
	cg_top_terminal_end();
	end(&view);
	int signal_number = cg_top_terminal_ending();
	/* Ctrl-C is a way to leave; the others want to see that it was they. */
	if (signal_number && signal_number != SIGINT) {
		signal(signal_number, SIG_DFL);
		raise(signal_number);
	}
	return CG_EXIT_DONE;
}
