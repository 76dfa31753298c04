/* report_text.c: findings for a person, one paragraph each. */
#include "calls.h"
#include "report.h"
#include "report_text_place.h"

enum { SOCKETS_IN_TEXT = 4 }; /* enough to look one up with ss; JSON has more */

/* Half a line at the end of a full buffer is taken back, so that the next text starts on a line of its own. */
static void end_on_line(struct cg_buf *out, size_t start)
{
	if (!out->truncated)
		return;
	while (out->len > start && out->data[out->len - 1] != '\n')
		out->len--;
	out->data[out->len] = '\0';
}

/* Which side called, as far as the way it was opened tells. */
static const char *arrow(const struct cg_finding *finding)
{
	unsigned call = finding->opened.known ? finding->opened.call : CG_CALL_NONE;
	if (call == CG_CALL_accept || call == CG_CALL_accept4 || finding->cause == CG_CAUSE_NEVER_ACCEPTED)
		return "<-";
	return call == CG_CALL_socket || call == CG_CALL_connect || finding->connected.known ? "->" : "--";
}

static void add_holders(struct cg_buf *out, const struct cg_socket_view *socket)
{
	unsigned shown = socket->holders < CG_HOLDERS_SHOWN ? socket->holders : CG_HOLDERS_SHOWN;
	for (unsigned i = 0; i < shown; i++) {
		cg_buf_fmt(out, "%s %d", i ? "," : "  also held by pid", (int)socket->shared_with[i]);
		if (!*socket->commands[i])
			continue;
		cg_buf_str(out, " (");
		cg_text_plain(out, socket->commands[i]);
		cg_buf_char(out, ')');
	}
	if (socket->holders > shown)
		cg_buf_fmt(out, " and %u more", socket->holders - shown);
	if (socket->holders_unknown)
		cg_buf_str(out, "  other holders unknown");
}

static void add_socket(struct cg_buf *out, const struct cg_finding *finding, const struct cg_socket_view *socket)
{
	char local[64], peer[64];
	if (socket->fd >= 0)
		cg_buf_fmt(out, "  fd %d", socket->fd);
	else
		cg_buf_str(out, "  no fd");
	if (socket->tcp.local.family || socket->tcp.peer.family)
		cg_buf_fmt(out, "  %s %s %s", cg_addr_text(&socket->tcp.local, local), arrow(finding),
		           cg_addr_text(&socket->tcp.peer, peer));
	if (socket->tcp.state)
		cg_buf_fmt(out, "  %s", cg_tcp_state_text(socket->tcp.state));
	cg_buf_char(out, ' ');
	cg_buf_age(out, socket->age_ns);
	cg_buf_fmt(out, " (%s)", cg_age_source_name(socket->age_source));
	if (socket->has_unread)
		cg_buf_fmt(out, "  unread %u", socket->unread_bytes);
	if (socket->has_unsent && socket->unsent_bytes)
		cg_buf_fmt(out, "  unsent %u", socket->unsent_bytes);
	if (socket->tcp.inode)
		cg_buf_fmt(out, "  inode %lu", socket->tcp.inode);
	if (socket->polled_by >= 0)
		cg_buf_fmt(out, "  polled by fd %d", socket->polled_by);
	else if (socket->polled_by == -1 && finding->cause == CG_CAUSE_FIN_UNREAD)
		cg_buf_str(out, "  not polled");
	add_holders(out, socket);
	cg_buf_char(out, '\n');
}

static void add_sockets(struct cg_buf *out, const struct cg_finding *finding)
{
	unsigned shown = finding->socket_count < SOCKETS_IN_TEXT ? finding->socket_count : SOCKETS_IN_TEXT;
	for (unsigned i = 0; i < shown; i++)
		add_socket(out, finding, &finding->sockets[i]);
	if (shown && finding->count > shown)
		cg_buf_fmt(out, "  ... and %u more\n", finding->count - shown);
}

static void add_body(struct cg_buf *out, const struct cg_report *report, const struct cg_finding *finding)
{
	bool failed = finding->cause == CG_CAUSE_CONNECT_FAILED;
	if (*finding->label) {
		cg_buf_str(out, "  label: ");
		cg_text_plain(out, finding->label);
		cg_buf_char(out, '\n');
	}
	cg_text_place(out, report, "called here:", &finding->here);
	if (finding->error && *cg_error_name(finding->error))
		cg_buf_fmt(out, "  it failed with %s\n", cg_error_name(finding->error));
	else if (finding->error)
		cg_buf_fmt(out, "  it failed with errno %d\n", finding->error);
	cg_text_place(out, report, "closed by", &finding->closed);
	cg_text_opened(out, report, &finding->opened);
	cg_text_place(out, report, failed ? "failed to connect:" : "connected by", &finding->connected);
	cg_text_place(out, report, "shut down by", &finding->shut);
	cg_text_place(out, report, "EOF seen by", &finding->eof);
	cg_text_place(out, report, "last used by", &finding->last_use);
	cg_text_open_places(out, report, finding);
	if (finding->names_pending)
		cg_buf_str(out, "  names pending: not all were looked up yet; `closeguard report` does it\n");
	cg_text_history(out, finding);
	cg_report_peers(out, finding);
	add_sockets(out, finding);
	if (finding->advice && *finding->advice)
		cg_buf_fmt(out, "  do: %s\n", finding->advice);
	if (*finding->suppressed) {
		cg_buf_str(out, "  suppressed: ");
		cg_text_plain(out, finding->suppressed);
		cg_buf_char(out, '\n');
	}
	if (*finding->suggested_rule) {
		cg_buf_str(out, "  a rule for it: ");
		cg_text_plain(out, finding->suggested_rule);
		cg_buf_char(out, '\n');
	}
}

void cg_text_finding(struct cg_buf *out, const struct cg_report *report, const struct cg_finding *finding, bool again)
{
	size_t start = out->len;
	cg_text_prefix(out, report);
	cg_report_headline(out, report, finding, again);
	cg_buf_char(out, '\n');
	add_body(out, report, finding);
	end_on_line(out, start);
}

void cg_text_resolved(struct cg_buf *out, const struct cg_report *report, const struct cg_finding *finding)
{
	size_t start = out->len;
	cg_text_prefix(out, report);
	cg_buf_fmt(out, "RESOLVED none left of a reported group (%s%s%s)", cg_kind_name(finding->kind),
	           finding->cause ? ", " : "", cg_cause_name(finding->cause));
	cg_report_add_site(out, report, finding);
	cg_buf_char(out, '\n');
	end_on_line(out, start);
}

void cg_text_warning(struct cg_buf *out, const struct cg_report *report, const char *text)
{
	size_t start = out->len;
	cg_text_prefix(out, report);
	cg_buf_str(out, "warning: ");
	cg_text_plain(out, text);
	cg_buf_char(out, '\n');
	end_on_line(out, start);
}

static void count(struct cg_buf *out, const char *what, uint64_t n)
{
	cg_buf_fmt(out, "  %-16s %8lu\n", what, n);
}

/* What most programs never have is shown only by those that do. */
static void count_if_any(struct cg_buf *out, const char *what, uint64_t n)
{
	if (n)
		count(out, what, n);
}

void cg_text_summary_begin(struct cg_buf *out, const struct cg_report *report, const struct cg_summary *summary)
{
	size_t start = out->len;
	cg_text_prefix(out, report);
	cg_buf_fmt(out, "summary (%s): ", summary->reason);
	if (summary->groups)
		cg_buf_fmt(out, "%u finding%s outstanding\n", summary->groups, summary->groups == 1 ? "" : "s");
	else
		cg_buf_str(out, "nothing outstanding\n");
	count(out, "opened", summary->opened);
	count(out, "closed", summary->closed);
	count(out, "open now", summary->open_now);
	count(out, "EOFs seen", summary->eofs);
	count(out, "closed in time", summary->closed_in_time);
	count(out, "closed late", summary->closed_late);
	count_if_any(out, "told as leaked", summary->leaks_told);
	count_if_any(out, "double closes", summary->double_closes);
	count_if_any(out, "uses after close", summary->uses_after_close);
	count_if_any(out, "opened unseen", summary->adopted);
	count_if_any(out, "not recorded", summary->unseen_descriptors);
	count_if_any(out, "stacks lost", summary->stack_overflows);
	cg_buf_fmt(out, "  %-16s %8lu in ", "sweeps", summary->sweeps);
	cg_buf_age(out, summary->uptime_ns);
	cg_buf_str(out, ", CPU ");
	cg_buf_seconds(out, summary->sweep_cpu_ns);
	cg_buf_str(out, "s\n");
	end_on_line(out, start);
}

void cg_text_summary_group(struct cg_buf *out, const struct cg_report *report, const struct cg_finding *finding,
                           bool first)
{
	(void)first; /* paragraphs need no separator */
	cg_text_finding(out, report, finding, false);
}

void cg_text_summary_end(struct cg_buf *out, const struct cg_report *report, const struct cg_summary *summary)
{
	for (unsigned i = 0; i < summary->action_count; i++)
		cg_text_action(out, report, &summary->actions[i]);
}
