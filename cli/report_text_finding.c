/*
 * report_text_finding.c: a merged finding as a paragraph.
 */
#include <string.h>

#include "report_source.h"
#include "report_text.h"
#include "report_text_place.h"
#include "report_view.h"

/* As many as a person looks at; JSON has more. */
enum { SOCKETS_IN_TEXT = 4, PROCESSES_IN_TEXT = 8 };

void cg_report_text_process(struct cg_buf *out, const json_t *process, bool with_host)
{
	cg_text_plain(out, cg_report_text_of(process, "app"));
	cg_buf_fmt(out, "[%lld]", (long long)json_integer_value(json_object_get(process, "pid")));
	if (with_host) {
		cg_buf_str(out, " on ");
		cg_text_plain(out, cg_report_text_of(process, "host"));
	}
}

/* How many differ in a member; a list that was cut short has at least so many. */
static unsigned hosts_of(const json_t *processes)
{
	unsigned hosts = 0;
	for (size_t i = 0; i < json_array_size(processes); i++) {
		const char *host = cg_report_text_of(json_array_get(processes, i), "host");
		size_t j = 0;
		while (j < i && strcmp(cg_report_text_of(json_array_get(processes, j), "host"), host) != 0)
			j++;
		hosts += j == i;
	}
	return hosts;
}

static bool one_app(const json_t *processes)
{
	const char *app = cg_report_text_of(json_array_get(processes, 0), "app");
	for (size_t i = 1; i < json_array_size(processes); i++)
		if (strcmp(cg_report_text_of(json_array_get(processes, i), "app"), app) != 0)
			return false;
	return true;
}

static void add_headline(struct cg_buf *out, const struct cg_report_view *view, const json_t *finding, const char *word,
                         bool everywhere)
{
	const json_t *processes = json_object_get(finding, "processes");
	size_t count = json_array_size(processes);
	unsigned hosts = count > 1 ? hosts_of(processes) : 1;
	cg_buf_str(out, "closeguard: ");
	if (count == 1)
		cg_report_text_process(out, json_array_get(processes, 0), !everywhere);
	else if (one_app(processes))
		cg_text_plain(out, cg_report_text_of(json_array_get(processes, 0), "app"));
	else
		cg_buf_str(out, "several programs");
	cg_buf_str(out, ": ");
	if (word)
		cg_buf_str(out, word);
	if (view->finding.kind == CG_KIND_NONE) {
		cg_buf_fmt(out, "%u of ", view->finding.count);
		cg_text_plain(out, cg_report_text_of(finding, "kind"));
	} else {
		cg_report_headline(out, &view->report, &view->finding, false);
	}
	if (count > 1)
		cg_buf_fmt(out, ", in %zu processes on %u host%s", count, hosts, hosts == 1 ? "" : "s");
	cg_buf_char(out, '\n');
}

static void add_processes(struct cg_buf *out, const json_t *finding)
{
	const json_t *processes = json_object_get(finding, "processes");
	size_t count = json_array_size(processes);
	for (size_t i = 0; count > 1 && i < count && i < PROCESSES_IN_TEXT; i++) {
		const json_t *process = json_array_get(processes, i);
		cg_buf_str(out, i ? ", " : "  in ");
		cg_report_text_process(out, process, true);
		cg_buf_fmt(out, " %lld", (long long)cg_report_number_of(process, "count"));
	}
	if (count > PROCESSES_IN_TEXT)
		cg_buf_fmt(out, " and %zu more", count - PROCESSES_IN_TEXT);
	if (count > 1)
		cg_buf_char(out, '\n');
}

static void add_text(struct cg_buf *out, const char *before, const char *text)
{
	if (!*text)
		return;
	cg_buf_str(out, before);
	cg_text_plain(out, text);
}

static void add_number(struct cg_buf *out, const char *before, const json_t *socket, const char *name)
{
	const json_t *number = json_object_get(socket, name);
	if (json_is_integer(number))
		cg_buf_fmt(out, "%s%lld", before, (long long)json_integer_value(number));
}

/* Which side called, as far as the way it was opened tells. */
static const char *arrow(const json_t *finding)
{
	const char *call = cg_report_text_of(json_object_get(finding, "opened"), "call");
	if (strncmp(call, "accept", 6) == 0 || strcmp(cg_report_text_of(finding, "cause"), "never_accepted") == 0)
		return " <- ";
	bool calls = strcmp(call, "socket") == 0 || strcmp(call, "connect") == 0;
	return calls || json_is_object(json_object_get(finding, "connected")) ? " -> " : " -- ";
}

static void add_holders(struct cg_buf *out, const json_t *socket)
{
	const json_t *holders = json_object_get(socket, "shared_with");
	const json_t *commands = json_object_get(socket, "shared_with_commands");
	for (size_t i = 0; i < json_array_size(holders); i++) {
		const char *command = json_string_value(json_array_get(commands, i));
		cg_buf_fmt(out, "%s %lld", i ? "," : "  also held by pid",
		           (long long)json_integer_value(json_array_get(holders, i)));
		if (!command || !*command)
			continue;
		add_text(out, " (", command);
		cg_buf_char(out, ')');
	}
	if (json_is_string(holders))
		cg_buf_str(out, "  other holders unknown");
}

static void add_socket(struct cg_buf *out, const json_t *finding, const json_t *socket, bool with_process)
{
	cg_buf_str(out, json_is_integer(json_object_get(socket, "fd")) ? "  fd" : "  no fd");
	add_number(out, " ", socket, "fd");
	if (with_process) {
		cg_buf_fmt(out, " of %lld on ", (long long)cg_report_number_of(socket, "pid"));
		cg_text_plain(out, cg_report_text_of(socket, "host"));
	}
	add_text(out, "  ", cg_report_text_of(socket, "local"));
	add_text(out, arrow(finding), cg_report_text_of(socket, "peer"));
	add_text(out, "  ", cg_report_text_of(socket, "state"));
	cg_buf_char(out, ' ');
	cg_buf_age(out, cg_report_ns_of(socket, "age_s"));
	add_text(out, " (", cg_report_text_of(socket, "age_source"));
	cg_buf_char(out, ')');
	add_number(out, "  unread ", socket, "unread_bytes");
	if (cg_report_number_of(socket, "unsent_bytes"))
		add_number(out, "  unsent ", socket, "unsent_bytes");
	add_number(out, "  inode ", socket, "inode");
	add_number(out, "  polled by fd ", socket, "polled_by");
	add_holders(out, socket);
	cg_buf_char(out, '\n');
}

static void add_peers(struct cg_buf *out, const json_t *finding)
{
	const json_t *peers = json_object_get(finding, "peers");
	for (size_t i = 0; i < json_array_size(peers); i++) {
		const json_t *peer = json_array_get(peers, i);
		add_text(out, i ? ", " : "  peers: ", cg_report_text_of(peer, "peer"));
		cg_buf_fmt(out, " \xc3\x97 %lld", (long long)cg_report_number_of(peer, "count"));
	}
	if (json_array_size(peers))
		cg_buf_char(out, '\n');
}

static void add_sockets(struct cg_buf *out, const json_t *finding)
{
	const json_t *sockets = json_object_get(finding, "sockets");
	size_t shown = json_array_size(sockets) < SOCKETS_IN_TEXT ? json_array_size(sockets) : SOCKETS_IN_TEXT;
	bool with_process = json_array_size(json_object_get(finding, "processes")) > 1;
	json_int_t count = cg_report_number_of(finding, "count");
	for (size_t i = 0; i < shown; i++)
		add_socket(out, finding, json_array_get(sockets, i), with_process);
	if (shown && count > (json_int_t)shown)
		cg_buf_fmt(out, "  ... and %lld more\n", (long long)(count - (json_int_t)shown));
}

static void add_line(struct cg_buf *out, const char *before, const char *text)
{
	add_text(out, before, text);
	if (*text)
		cg_buf_char(out, '\n');
}

void cg_report_text_finding(struct cg_buf *out, const json_t *finding, const char *word, bool everywhere)
{
	static struct cg_report_view view;
	cg_report_view(finding, &view);
	const struct cg_finding *f = &view.finding;
	add_headline(out, &view, finding, word, everywhere);
	add_processes(out, finding);
	add_line(out, "  label: ", cg_report_text_of(finding, "label"));
	cg_report_source_text(out, finding);
	cg_text_place(out, &view.report, "called here:", &f->here);
	add_line(out, "  it failed with ", cg_report_text_of(finding, "errno"));
	cg_text_place(out, &view.report, "closed by", &f->closed);
	cg_text_opened(out, &view.report, &f->opened);
	bool failed = f->cause == CG_CAUSE_CONNECT_FAILED;
	cg_text_place(out, &view.report, failed ? "failed to connect:" : "connected by", &f->connected);
	cg_text_place(out, &view.report, "shut down by", &f->shut);
	cg_text_place(out, &view.report, "EOF seen by", &f->eof);
	cg_text_place(out, &view.report, "last used by", &f->last_use);
	cg_text_open_places(out, &view.report, f);
	cg_text_history(out, f);
	add_peers(out, finding);
	add_sockets(out, finding);
	add_line(out, "  suppressed: ", cg_report_text_of(finding, "suppressed"));
	add_line(out, "  do: ", f->advice);
	add_line(out, "  a rule for it: ", cg_report_text_of(finding, "suggested_rule"));
}
