/*
 * top_terminal.c: ncurses begun and ended, signals, and what a crash leaves of the terminal.
 */
#include "top_terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <ncurses.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

/* Sequences of keys take a while over ssh; a person who presses Esc does not wait longer than that. */
enum { ESCAPE_MS = 50 };

enum { PAIR_BAD = 1, PAIR_WARN, PAIR_GOOD };

static int waker[2] = {-1, -1};
static volatile sig_atomic_t ending;
static SCREEN *screen;
static bool coloured;

/* For a signal handler, in which neither ncurses nor terminfo may be asked. */
static struct termios before;
static char restoring[256];
static size_t restoring_length;

void cg_top_terminal_wake(void *context)
{
	int saved_errno = errno;
	(void)context;
	while (write(waker[1], "", 1) < 0 && errno == EINTR)
		;
	errno = saved_errno;
}

int cg_top_terminal_ending(void)
{
	return ending;
}

static void on_end(int number)
{
	ending = number;
	cg_top_terminal_wake(NULL);
}

static void on_crash(int number)
{
	ssize_t written = write(STDOUT_FILENO, restoring, restoring_length);
	(void)written;
	tcsetattr(STDIN_FILENO, TCSANOW, &before);
	signal(number, SIG_DFL);
	raise(number);
}

/* Whoever has said what becomes of a signal, a sanitizer or nohup, goes first. */
static void catch_signal(int number, void (*handler)(int))
{
	struct sigaction old, action = {.sa_handler = handler};
	sigemptyset(&action.sa_mask);
	if (sigaction(number, NULL, &old) == 0 && old.sa_handler == SIG_DFL)
		sigaction(number, &action, NULL);
}

static void catch_signals(void)
{
	static const int ends[] = {SIGHUP, SIGINT, SIGTERM};
	static const int crashes[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGQUIT, SIGSEGV};
	for (unsigned i = 0; i < sizeof ends / sizeof ends[0]; i++)
		catch_signal(ends[i], on_end);
	for (unsigned i = 0; i < sizeof crashes / sizeof crashes[0]; i++)
		catch_signal(crashes[i], on_crash);
}

static void prepare_restoring(void)
{
	static const char *const names[] = {"sgr0", "rmkx", "cnorm", "rmcup"};
	restoring_length = 0;
	for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
		const char *text = tigetstr((char *)(uintptr_t)names[i]);
		/* A padding "$<5>" is for terminals of the last century, and writing it as it is would show it. */
		size_t length = text && text != (const char *)-1 ? strcspn(text, "$") : 0;
		if (restoring_length + length <= sizeof restoring)
			memcpy(restoring + restoring_length, text ? text : "", length);
		restoring_length += restoring_length + length <= sizeof restoring ? length : 0;
	}
}

static void begin_colours(void)
{
	const char *refused = getenv("NO_COLOR");
	coloured = !(refused && *refused) && has_colors() && start_color() == OK && use_default_colors() == OK;
	if (!coloured)
		return;
	init_pair(PAIR_BAD, COLOR_RED, -1);
	init_pair(PAIR_WARN, COLOR_YELLOW, -1);
	init_pair(PAIR_GOOD, COLOR_GREEN, -1);
}

static bool can_move(void)
{
	const char *move = tigetstr((char *)(uintptr_t) "cup");
	return move && move != (const char *)-1;
}

int cg_top_terminal_begin(void)
{
	int error;
	if (setupterm(NULL, STDOUT_FILENO, &error) != OK || !can_move() || tcgetattr(STDIN_FILENO, &before) < 0)
		return -ENOTTY;
	if (pipe2(waker, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	prepare_restoring();
	del_curterm(cur_term); /* newterm makes its own */
	catch_signals();
	screen = newterm(NULL, stdout, stdin);
	if (!screen)
		return -ENOTTY;
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(ESCAPE_MS);
	curs_set(0);
	begin_colours();
	return 0;
}

void cg_top_terminal_end(void)
{
	endwin();
	delscreen(screen);
	screen = NULL;
}

void cg_top_terminal_wait(unsigned milliseconds)
{
	char drained[64];
	struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = waker[0], .events = POLLIN}};
	if (poll(fds, 2, (int)milliseconds) <= 0)
		return;
	while (fds[1].revents && read(waker[0], drained, sizeof drained) > 0)
		;
	if ((fds[0].revents & (POLLHUP | POLLERR | POLLNVAL)) && !ending)
		ending = SIGHUP;
}

int cg_top_terminal_attributes(enum cg_top_tone which)
{
	static const int plain[] = {[CG_TOP_PLAIN] = A_NORMAL, [CG_TOP_BAD] = A_BOLD,   [CG_TOP_WARN] = A_BOLD,
	                            [CG_TOP_GOOD] = A_NORMAL,  [CG_TOP_DIM] = A_NORMAL, [CG_TOP_HEAD] = A_BOLD};
	if (coloured && which == CG_TOP_BAD)
		return (int)(COLOR_PAIR(PAIR_BAD) | A_BOLD);
	if (coloured && which == CG_TOP_WARN)
		return (int)COLOR_PAIR(PAIR_WARN);
	if (coloured && which == CG_TOP_GOOD)
		return (int)COLOR_PAIR(PAIR_GOOD);
	return plain[which];
}
