/*
 * top_detail.c: tells one finding in lines.
 */
#include "top_detail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "calls.h"
#include "report.h"
#include "retelling.h"
#include "top_names.h"
#include "top_same.h"
#include "top_site.h"

enum { TEXT_BYTES = 1024, FUNCTION_MOST = 48, WORKERS_SHOWN = 512 };

/* What belongs to the finding at hand. */
struct detail {
	struct cg_recording *recording;
	struct cg_top_lines *lines;
};

static void add_frame(struct cg_top_lines *lines, unsigned number, const struct cg_frame *frame)
{
	char name[256], place[256], text[TEXT_BYTES];
	struct cg_buf function, location, out;
	unsigned room = lines->width - 6, wide = room * 2 / 5 < FUNCTION_MOST ? room * 2 / 5 : FUNCTION_MOST;
	cg_buf_init(&function, name, sizeof name);
	cg_buf_init(&location, place, sizeof place);
	cg_buf_init(&out, text, sizeof text);
	cg_top_site_frame_text(frame, true, &function, &location);
	if (frame->inlined && room > 90)
		cg_buf_str(&location, " (inlined)");
	cg_buf_fmt(&out, "  #%-2u ", number);
	cg_top_text_fit(&out, *name ? name : "?", wide, CG_TOP_LEFT);
	cg_buf_char(&out, ' ');
	cg_top_text_fit(&out, place, room - wide - 1, CG_TOP_TAIL);
	cg_top_lines_add(lines, CG_TOP_PLAIN, "%s", text);
}

static void add_stack(const struct detail *detail, const struct cg_place *place)
{
	struct cg_frame frames[CG_FRAMES_PER_IP];
	unsigned number = 0;
	for (unsigned i = 0; i < place->depth; i++) {
		const struct cg_module *module =
		    cg_recording_module(detail->recording, place->ip[i], place->generation);
		unsigned n = cg_top_names_get(module, place->ip[i], frames, CG_FRAMES_PER_IP);
		for (unsigned j = 0; j < n; j++)
			add_frame(detail->lines, number++, &frames[j]);
	}
	if (place->stack_flags & CG_STACK_TRUNCATED)
		cg_top_lines_add(detail->lines, CG_TOP_DIM, "  ... truncated");
}

static void add_place(const struct detail *detail, const char *what, const struct cg_place *place)
{
	static const char *const ways[CG_CALL_COUNT] = {
	    [CG_CALL_NONE] = "an unknown call",
	    [CG_CALL_inherited] = "inheritance from another process",
	    [CG_CALL_received] = "a message over a unix socket",
	    [CG_CALL_adopted] = "a call that was not seen",
	    [CG_CALL_peek] = "a read with MSG_PEEK",
	};
	char text[TEXT_BYTES];
	struct cg_buf out;
	if (!place->known)
		return;
	const char *way = ways[cg_call_known(place->call) ? place->call : CG_CALL_NONE];
	cg_buf_init(&out, text, sizeof text);
	cg_buf_fmt(&out, "%s %s%s", what, way ? way : cg_call_name(place->call), way ? "" : "()");
	if (place->age_ns) {
		cg_buf_str(&out, ", ");
		cg_buf_age(&out, place->age_ns);
		cg_buf_str(&out, " ago");
	}
	if (*place->thread)
		cg_buf_fmt(&out, ", thread \"%s\"", place->thread);
	cg_top_lines_add(detail->lines, CG_TOP_PLAIN, "%s", "");
	cg_top_lines_add(detail->lines, CG_TOP_HEAD, "%s", text);
	add_stack(detail, place);
}

static void add_places(const struct detail *detail, const struct cg_finding *finding)
{
	add_place(detail, "CALLED HERE:", &finding->here);
	add_place(detail, "CLOSED by", &finding->closed);
	add_place(detail, "EOF SEEN by", &finding->eof);
	add_place(detail, "OPENED by", &finding->opened);
	add_place(detail, "CONNECTED by", &finding->connected);
	add_place(detail, "SHUT DOWN by", &finding->shut);
	add_place(detail, "LAST USED by", &finding->last_use);
}

static void add_socket(struct cg_top_lines *lines, const struct cg_socket_view *socket)
{
	char local[64], peer[64], age[32], unread[16] = "-", fd[16] = "-";
	struct cg_buf out;
	cg_buf_init(&out, age, sizeof age);
	cg_buf_age(&out, socket->age_ns);
	if (socket->fd >= 0)
		snprintf(fd, sizeof fd, "%d", socket->fd);
	if (socket->has_unread)
		snprintf(unread, sizeof unread, "%u", socket->unread_bytes);
	cg_addr_text(&socket->tcp.local, local);
	cg_addr_text(&socket->tcp.peer, peer);
	cg_top_lines_add(lines, CG_TOP_PLAIN, "%6s %-10s %8s %7s  %-21s %s", fd,
	                 socket->tcp.state ? cg_tcp_state_text(socket->tcp.state) : "-", age, unread,
	                 *local ? local : "-", *peer ? peer : "-");
}

static void add_sockets(struct cg_top_lines *lines, const struct cg_finding *finding)
{
	if (!finding->socket_count)
		return;
	cg_top_lines_add(lines, CG_TOP_PLAIN, "%s", "");
	cg_top_lines_add(lines, CG_TOP_HEAD, "SOCKETS, the oldest first, %u of %u", finding->socket_count,
	                 finding->count);
	cg_top_lines_add(lines, CG_TOP_DIM, "%6s %-10s %8s %7s  %-21s %s", "FD", "STATE", "AGE", "UNREAD", "LOCAL",
	                 "PEER");
	for (unsigned i = 0; i < finding->socket_count; i++)
		add_socket(lines, &finding->sockets[i]);
}

static void add_numbers(struct cg_top_lines *lines, const struct cg_top_finding *row, const struct cg_finding *finding)
{
	char text[TEXT_BYTES];
	struct cg_buf out;
	double per_minute = 0;
	bool known = cg_top_same_growth(row, &per_minute);
	const struct cg_history *history = &finding->history;
	cg_buf_init(&out, text, sizeof text);
	cg_buf_str(&out, "growth: ");
	cg_top_text_growth(&out, known, per_minute);
	cg_buf_str(&out, " a minute");
	if (finding->has_history)
		cg_buf_fmt(&out, "; opened at this place: %lu, of these closed %lu, in time %lu, late %lu, never %lu",
		           history->opened, history->closed, history->closed_in_time, history->closed_late,
		           history->never_closed);
	cg_top_lines_wrap(lines, CG_TOP_PLAIN, 8, text);
	if (finding->peer_count) {
		cg_buf_init(&out, text, sizeof text);
		cg_report_peers(&out, finding);
		text[strcspn(text, "\n")] = '\0';
		cg_top_lines_wrap(lines, CG_TOP_PLAIN, 9, text + 2);
	}
	if (*finding->label)
		cg_top_lines_add(lines, CG_TOP_PLAIN, "label: %s", finding->label);
	if (finding->error)
		cg_top_lines_add(lines, CG_TOP_PLAIN, "it failed with %s",
		                 *cg_error_name(finding->error) ? cg_error_name(finding->error) : "another error");
}

static unsigned resolve(void *context, uint64_t ip, uint32_t generation, struct cg_frame *frames, unsigned max)
{
	return cg_top_names_get(cg_recording_module(context, ip, generation), ip, frames, max);
}

static void add_head(const struct detail *detail, const struct cg_top_finding *row, const struct cg_finding *finding)
{
	static const enum cg_top_tone tones[] = {
	    [CG_VERDICT_LEAK] = CG_TOP_BAD, [CG_VERDICT_LATE] = CG_TOP_WARN, [CG_VERDICT_INFO] = CG_TOP_PLAIN};
	const struct cg_report report = {.resolve = resolve, .resolve_context = detail->recording};
	struct cg_top_lines *lines = detail->lines;
	char text[TEXT_BYTES];
	struct cg_buf out;
	cg_buf_init(&out, text, sizeof text);
	cg_report_headline(&out, &report, finding, false);
	cg_top_lines_wrap(lines, tones[finding->verdict], 5, text);
	if (finding->advice && *finding->advice) {
		cg_buf_init(&out, text, sizeof text);
		cg_buf_fmt(&out, "do: %s", finding->advice);
		cg_top_lines_wrap(lines, CG_TOP_GOOD, 4, text);
	}
	add_numbers(lines, row, finding);
}

static bool is_same(const struct cg_kept_finding *a, const struct cg_kept_finding *b)
{
	return a->kind == b->kind && a->cause == b->cause && a->open_stack == b->open_stack &&
	       a->eof_stack == b->eof_stack && a->last_use == b->last_use;
}

static int by_count(const void *a, const void *b)
{
	const struct cg_top_finding *one = *(const struct cg_top_finding *const *)a;
	const struct cg_top_finding *other = *(const struct cg_top_finding *const *)b;
	return (one->kept.count < other->kept.count) - (one->kept.count > other->kept.count);
}

static void add_worker(struct cg_top_lines *lines, const struct cg_top_finding *one)
{
	char grown[32], age[32];
	struct cg_buf out;
	double per_minute = 0;
	bool known = cg_top_rate_per_minute(&one->rate, &per_minute);
	cg_buf_init(&out, grown, sizeof grown);
	cg_top_text_growth(&out, known, per_minute);
	cg_buf_init(&out, age, sizeof age);
	cg_buf_age(&out, one->age_ns / 1000000000u * 1000000000u);
	cg_top_lines_add(lines, CG_TOP_PLAIN, "%8d %7u %7s %8s  %-7s %s", one->process->header.pid, one->kept.count,
	                 grown, age, cg_top_state_name(one->process->state), one->process->header.host);
}

/* The processes behind a row of several. */
static void add_workers(struct cg_top_lines *lines, const struct cg_top_finding *row)
{
	const struct cg_top_finding *list[WORKERS_SHOWN];
	unsigned count = 0;
	if (!row->next_same)
		return;
	for (const struct cg_top_finding *one = row; one && count < WORKERS_SHOWN; one = one->next_same)
		list[count++] = one;
	qsort(list, count, sizeof(const struct cg_top_finding *), by_count);
	cg_top_lines_add(lines, CG_TOP_PLAIN, "%s", "");
	cg_top_lines_add(lines, CG_TOP_HEAD, "PROCESSES that have it, %u; what follows is of %d",
	                 cg_top_same_processes(row), cg_top_same_worst(row)->process->header.pid);
	cg_top_lines_add(lines, CG_TOP_DIM, "%8s %7s %7s %8s  %-7s %s", "PID", "COUNT", "+/MIN", "AGE", "STATE",
	                 "HOST");
	for (unsigned i = 0; i < count; i++)
		add_worker(lines, list[i]);
}

static bool fill(const struct cg_top_finding *row, struct cg_recording *recording, struct cg_top_lines *lines)
{
	static struct cg_retelling retelling; /* too large for a stack */
	static struct cg_finding finding;
	const struct detail detail = {recording, lines};
	unsigned i = 0;
	cg_retelling_begin(recording, &retelling);
	while (i < retelling.count && !is_same(&retelling.findings[i].kept, &cg_top_same_worst(row)->kept))
		i++;
	if (i == retelling.count)
		return false;
	cg_retelling_ask_kernel(&retelling);
	cg_retelling_make(&retelling, i, &finding);
	uint64_t oldest_ns = finding.oldest_age_ns;
	if (row->next_same) {
		finding.count = (uint32_t)cg_top_same_count(row);
		finding.oldest_age_ns = cg_top_same_age(row) > oldest_ns ? cg_top_same_age(row) : oldest_ns;
	}
	cg_top_lines_clear(lines, lines->width);
	add_head(&detail, row, &finding);
	add_workers(lines, row);
	add_places(&detail, &finding);
	add_sockets(lines, &finding);
	return true;
}

bool cg_top_detail_fill(const struct cg_top_finding *finding, struct cg_top_lines *lines)
{
	struct cg_recording recording;
	char why[CG_RECORDING_WHY];
	if (cg_recording_open(cg_top_same_worst(finding)->process->path, &recording, why) < 0)
		return false;
	bool filled = fill(finding, &recording, lines);
	cg_recording_close(&recording);
	return filled;
}

static void add_time(struct cg_buf *out, uint64_t realtime_ns)
{
	char text[32];
	time_t at = (time_t)(realtime_ns / 1000000000u);
	struct tm local;
	if (localtime_r(&at, &local) && strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local))
		cg_buf_str(out, text);
}

void cg_top_detail_process(const struct cg_top_process *process, struct cg_top_lines *lines)
{
	const struct cg_header *h = &process->header;
	char text[TEXT_BYTES];
	struct cg_buf out;
	cg_buf_init(&out, text, sizeof text);
	cg_buf_str(&out, "since ");
	add_time(&out, h->start_realtime_ns);
	cg_buf_str(&out, ", last looked at ");
	add_time(&out, h->start_realtime_ns + (h->last_sweep_ns > h->start_ns ? h->last_sweep_ns - h->start_ns : 0));
	cg_buf_fmt(&out, "; host %s", h->host);
	cg_top_lines_add(lines, CG_TOP_DIM, "%s", text);
	cg_top_lines_add(lines, CG_TOP_DIM, "opened %lu, closed %lu, late %lu; double closes %lu, uses after close %lu",
	                 h->count.opened, h->count.closed, h->count.late_closes, h->count.double_closes,
	                 h->count.uses_after_close);
	cg_top_lines_add(lines, CG_TOP_DIM, "program %s", h->exe);
	cg_top_lines_add(lines, CG_TOP_DIM, "recorder %s", process->path);
}
