/*
 * scan_line.c: the lines of `closeguard scan` for a person, a socket's first of all.
 */
#include "scan_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "report_text_place.h"

enum { SHOWN_HOLDERS = 6 };

static struct {
	bool colour;
	size_t width; /* 0: not a terminal, lines stay whole */
} terminal;

void cg_scan_line_begin(void)
{
	struct winsize size;
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	terminal.colour = false;
	terminal.width = 0;
	if (!isatty(STDOUT_FILENO))
		return;
	terminal.colour = !(no_color && *no_color) && !(term && strcmp(term, "dumb") == 0);
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		terminal.width = size.ws_col;
}

/* A line of a list is cut to the terminal's width: a list whose lines wrap cannot be read. */
void cg_scan_line_put(struct cg_buf *line, const char *colour)
{
	bool cut = terminal.width && line->len > terminal.width && line->data[0] == ' ';
	size_t n = cut ? terminal.width - 1 : line->len;
	while (cut && n && ((unsigned char)line->data[n] & 0xC0) == 0x80)
		n--;
	if (terminal.colour && colour)
		printf("\033[%sm", colour);
	fwrite(line->data, 1, n, stdout);
	if (cut)
		putchar('+');
	fputs(terminal.colour && colour ? "\033[0m\n" : "\n", stdout);
	cg_buf_init(line, line->data, line->size);
}

void cg_scan_line_label(struct cg_buf *line, const char *name)
{
	cg_buf_fmt(line, "  %-14s ", name);
}

void cg_scan_line_process(const struct cg_scan *scan, long index, struct cg_buf *line)
{
	if (index < 0) {
		cg_buf_str(line, "a process that cannot be seen");
		return;
	}
	cg_text_plain(line, scan->processes[index].name);
	cg_buf_fmt(line, "[%d]", scan->processes[index].pid);
}

void cg_scan_line_age(const struct cg_scan_socket *socket, struct cg_buf *line)
{
	const struct cg_judgement *j = &socket->judgement;
	if (!socket->has_age)
		return;
	cg_buf_char(line, ' ');
	cg_buf_age(line, j->age_ns);
	if (j->age_max_ns > j->age_ns + UINT64_C(1000000000)) {
		cg_buf_str(line, " (at most ");
		cg_buf_age(line, j->age_max_ns);
		cg_buf_char(line, ')');
	}
}

static void put_holders(const struct cg_scan *scan, const struct cg_scan_socket *socket, struct cg_buf *line)
{
	unsigned shown = 0, others = socket->owner >= 0 ? cg_scan_holders(scan, socket) - 1 : 0;
	if (!others)
		return;
	cg_buf_str(line, "  shared with");
	for (unsigned i = 0; i < socket->holds && shown < SHOWN_HOLDERS; i++) {
		unsigned process = scan->holds[socket->first_hold + i].process;
		if ((long)process == socket->owner || !cg_scan_is_first_hold(scan, socket, i))
			continue;
		cg_buf_char(line, ' ');
		cg_scan_line_process(scan, process, line);
		shown++;
	}
	if (others > shown)
		cg_buf_fmt(line, " and %u more", others - shown);
}

void cg_scan_line_socket(const struct cg_scan *scan, const struct cg_scan_socket *socket, struct cg_buf *line)
{
	char local[64], peer[64];
	const char *cause = cg_cause_name(socket->judgement.cause);
	cg_buf_str(line, "  ");
	for (unsigned i = 0; i < socket->holds; i++) {
		const struct cg_scan_hold *hold = &scan->holds[socket->first_hold + i];
		if ((long)hold->process == socket->owner)
			cg_buf_fmt(line, "fd %d ", hold->fd);
	}
	if (socket->tcp.local.family)
		cg_buf_fmt(line, " %-21s - %-21s", cg_addr_text(&socket->tcp.local, local),
		           socket->tcp.peer.family ? cg_addr_text(&socket->tcp.peer, peer) : "?");
	cg_buf_fmt(line, "  %s", cg_tcp_state_text(socket->tcp.state));
	if (socket->class == CG_SCAN_UNCONNECTED)
		cg_buf_str(line, " (dead, or not connected yet)");
	cg_scan_line_age(socket, line);
	if (socket->class == CG_SCAN_CLOSE_WAIT && socket->tcp.has_queues)
		cg_buf_fmt(line, "  unread %u", socket->tcp.rqueue ? socket->tcp.rqueue - 1 : 0);
	if (socket->tcp.has_queues && socket->tcp.wqueue)
		cg_buf_fmt(line, "  unsent %u", socket->tcp.wqueue);
	if (*cause)
		cg_buf_fmt(line, "  %s", cause);
	put_holders(scan, socket, line);
	cg_scan_line_put(line, NULL);
}
