/*
 * top.c: `closeguard top`, a live view of watched processes, on a screen or in lines.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <locale.h>
#include <unistd.h>

#include "cli.h"
#include "clock.h"
#include "procfs.h"
#include "top_batch.h"
#include "top_names.h"
#include "top_screen.h"

/* A screen needs both ends: keys come in where text goes out. */
static bool has_screen(void)
{
	const char *kind = getenv("TERM");
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && kind && *kind && strcmp(kind, "dumb") != 0;
}

static int refuse_unwatched(pid_t pid)
{
	if (cg_proc_alive(pid, 0))
		cg_common_complain("top",
		                   "process %d has no recorder: it is not watched, or has had no TCP socket yet; "
		                   "`closeguard explain %d` says which, `closeguard scan %d` looks at its sockets "
		                   "from outside",
		                   (int)pid, (int)pid, (int)pid);
	else
		cg_common_complain("top",
		                   "there is no process %d, and none of that number left a recorder in %s; "
		                   "`closeguard top` shows all that are watched",
		                   (int)pid, cg_recorders_dir());
	return CG_EXIT_FAILED;
}

static int show(struct cg_top_options *options)
{
	static struct cg_top_watch watch;
	watch.pid = options->pid;
	options->watch = &watch;
	if (cg_top_watch_refresh(&watch, cg_clock_ns(CLOCK_MONOTONIC)) < 0) {
		cg_common_complain("top", "%s", watch.trouble);
		return CG_EXIT_FAILED;
	}
	if (watch.pid && !watch.recorders.count)
		return refuse_unwatched(watch.pid);
	int code = options->batch || !has_screen() ? cg_top_batch_run(options) : cg_top_screen_run(options);
	if (!cg_top_names_end()) {
		fflush(stdout);
		_exit(code);
	}
	cg_top_watch_free(&watch);
	return code;
}

int cg_top_main(int argc, char **argv)
{
	struct cg_top_options options;
	setlocale(LC_CTYPE, "");
	cg_top_text_begin();
	int code = cg_top_options_parse(argc, argv, &options);
	return code >= 0 ? code : show(&options);
}
