/*
 * progress.c: the progress line.
 */
#include "progress.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

static const uint64_t patience_ns = 500000000u, between_ns = 200000000u;

static struct {
	bool asked, terminal, shown;
	uint64_t due_ns;
} state;

static void ask(void)
{
	const char *terminal = getenv("TERM");
	state.asked = true;
	state.terminal = isatty(STDERR_FILENO) && terminal && strcmp(terminal, "dumb") != 0;
	state.due_ns = cg_clock_ns(CLOCK_MONOTONIC) + patience_ns;
}

/* A line that wraps could not be taken back. */
static int width(void)
{
	struct winsize size;
	return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1 : 79;
}

void cg_progress_show(const char *format, ...)
{
	char text[256];
	va_list args;
	if (!state.asked)
		ask();
	if (!state.terminal)
		return;
	uint64_t now = cg_clock_ns(CLOCK_MONOTONIC);
	if (now < state.due_ns)
		return;
	state.due_ns = now + between_ns;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	for (char *c = text; *c; c++)
		*c = (unsigned char)*c < ' ' || (unsigned char)*c >= 0x7f ? '?' : *c;
	fprintf(stderr, "\r\033[K%.*s", width(), text);
	fflush(stderr);
	state.shown = true;
}

void cg_progress_end(void)
{
	if (state.shown) {
		fputs("\r\033[K", stderr);
		fflush(stderr);
	}
	state.shown = false;
}
