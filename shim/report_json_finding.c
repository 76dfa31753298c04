/* report_json_finding.c: a finding as members of a JSON object. */
#include "calls.h"
#include "report_id.h"
#include "report_json_finding.h"
#include "report_site.h"
#include "report_stack.h"

/*
 * Key writers put a comma before every key; an object starts with a key of its own. Names in the code are constants and
 * need no escaping; whatever comes from outside goes through cg_buf_json_string.
 */
static void key(struct cg_buf *out, const char *name)
{
	cg_buf_fmt(out, ",\"%s\":", name);
}

void cg_json_string(struct cg_buf *out, const char *name, const char *text)
{
	key(out, name);
	cg_buf_json_string(out, text);
}

static void add_string_if_any(struct cg_buf *out, const char *name, const char *text)
{
	if (*text)
		cg_json_string(out, name, text);
}

static void add_string_or_null(struct cg_buf *out, const char *name, const char *text)
{
	key(out, name);
	if (*text)
		cg_buf_json_string(out, text);
	else
		cg_buf_str(out, "null");
}

static void add_number(struct cg_buf *out, const char *name, uint64_t n)
{
	cg_buf_fmt(out, ",\"%s\":%lu", name, n);
}

static void add_number_if(struct cg_buf *out, const char *name, uint64_t n, bool known)
{
	key(out, name);
	if (known)
		cg_buf_fmt(out, "%lu", n);
	else
		cg_buf_str(out, "null");
}

static void add_seconds(struct cg_buf *out, const char *name, uint64_t ns)
{
	key(out, name);
	cg_buf_seconds(out, ns);
}

/* 0: unknown */
static void add_seconds_or_null(struct cg_buf *out, const char *name, uint64_t ns)
{
	if (ns)
		add_seconds(out, name, ns);
	else
		cg_buf_fmt(out, ",\"%s\":null", name);
}

static void add_frame(struct cg_buf *out, const struct cg_frame *frame)
{
	cg_buf_str(out, "{\"module\":");
	cg_buf_json_string(out, frame->module);
	add_string_or_null(out, "build_id", frame->build_id);
	cg_buf_fmt(out, ",\"offset\":\"0x%llx\"", (unsigned long long)frame->offset);
	if (frame->frames > 1) {
		add_number(out, "frames", frame->frames);
		cg_buf_char(out, '}');
		return;
	}
	add_string_if_any(out, "function", frame->function);
	add_string_if_any(out, "file", frame->file);
	if (frame->line)
		add_number(out, "line", frame->line);
	if (frame->inlined)
		cg_buf_str(out, ",\"inlined\":true");
	cg_buf_char(out, '}');
}

static void add_stack(struct cg_buf *out, const struct cg_report *report, const struct cg_place *place, unsigned most)
{
	struct cg_stack_walk walk;
	struct cg_frame frame;
	unsigned lines = 0;
	cg_stack_walk_begin(&walk, report, place, report->whole || report->depth);
	walk.starts = true;
	key(out, "stack");
	cg_buf_char(out, '[');
	for (; lines < most && cg_stack_walk_next(&walk, &frame); lines++) {
		if (lines)
			cg_buf_char(out, ',');
		add_frame(out, &frame);
	}
	cg_buf_char(out, ']');
	if ((lines == most && cg_stack_walk_left(&walk)) || place->stack_flags & CG_STACK_TRUNCATED)
		cg_buf_str(out, ",\"truncated\":true");
	if (place->depth)
		cg_buf_fmt(out, ",\"stack_id\":\"%016llx\"", (unsigned long long)cg_stack_id(report, place));
}

void cg_json_place(struct cg_buf *out, const struct cg_report *report, const char *name, const struct cg_place *place,
                   const struct cg_json_detail *detail)
{
	key(out, name);
	if (!place->known) {
		cg_buf_str(out, "null");
		return;
	}
	cg_buf_str(out, "{\"call\":");
	cg_buf_json_string(out, cg_call_name(place->call));
	add_string_or_null(out, "thread", place->thread);
	add_seconds_or_null(out, "age_s", place->age_ns);
	add_stack(out, report, place, detail->lines);
	cg_buf_char(out, '}');
}

static void add_place_if_known(struct cg_buf *out, const struct cg_report *report, const char *name,
                               const struct cg_place *place, const struct cg_json_detail *detail)
{
	if (place->known)
		cg_json_place(out, report, name, place, detail);
}

static void add_site(struct cg_buf *out, const struct cg_report *report, const struct cg_finding *finding)
{
	struct cg_frame frame;
	key(out, "site");
	if (cg_report_site(report, finding, &frame))
		add_frame(out, &frame);
	else
		cg_buf_str(out, "null");
}

static void add_address(struct cg_buf *out, const char *name, const struct cg_addr *addr)
{
	char text[64];
	add_string_or_null(out, name, cg_addr_text(addr, text));
}

/* In the order of shared_with. */
static void add_commands(struct cg_buf *out, const struct cg_socket_view *socket, unsigned shown)
{
	if (!shown)
		return;
	key(out, "shared_with_commands");
	for (unsigned i = 0; i < shown; i++) {
		cg_buf_char(out, i ? ',' : '[');
		cg_buf_json_string(out, socket->commands[i]);
	}
	cg_buf_char(out, ']');
}

static void add_holders(struct cg_buf *out, const struct cg_socket_view *socket)
{
	unsigned shown = socket->holders < CG_HOLDERS_SHOWN ? socket->holders : CG_HOLDERS_SHOWN;
	key(out, "shared_with");
	if (socket->holders_unknown) {
		cg_buf_str(out, "\"unknown\"");
		return;
	}
	cg_buf_char(out, '[');
	for (unsigned i = 0; i < shown; i++)
		cg_buf_fmt(out, "%s%d", i ? "," : "", (int)socket->shared_with[i]);
	cg_buf_char(out, ']');
	add_commands(out, socket, shown);
	if (socket->holders > shown)
		add_number(out, "holders", socket->holders);
}

static void add_polled_by(struct cg_buf *out, int polled_by)
{
	key(out, "polled_by");
	if (polled_by >= 0)
		cg_buf_fmt(out, "%d", polled_by);
	else
		cg_buf_str(out, polled_by == -1 ? "null" : "\"unknown\"");
}

static void add_socket(struct cg_buf *out, const struct cg_socket_view *socket, const char *label)
{
	cg_buf_str(out, "{\"fd\":");
	if (socket->fd >= 0)
		cg_buf_fmt(out, "%d", socket->fd);
	else
		cg_buf_str(out, "null");
	add_string_or_null(out, "state", socket->tcp.state ? cg_tcp_state_text(socket->tcp.state) : "");
	add_address(out, "local", &socket->tcp.local);
	add_address(out, "peer", &socket->tcp.peer);
	add_seconds(out, "age_s", socket->age_ns);
	add_seconds_or_null(out, "age_max_s", socket->age_max_ns);
	cg_json_string(out, "age_source", cg_age_source_name(socket->age_source));
	add_number_if(out, "unread_bytes", socket->unread_bytes, socket->has_unread);
	add_number_if(out, "unsent_bytes", socket->unsent_bytes, socket->has_unsent);
	add_number_if(out, "inode", socket->tcp.inode, socket->tcp.inode != 0);
	add_polled_by(out, socket->polled_by);
	add_holders(out, socket);
	add_string_if_any(out, "label", label);
	cg_buf_char(out, '}');
}

static void add_sockets(struct cg_buf *out, const struct cg_finding *finding, unsigned most)
{
	unsigned shown = finding->socket_count < most ? finding->socket_count : most;
	key(out, "sockets");
	cg_buf_char(out, '[');
	for (unsigned i = 0; i < shown; i++) {
		if (i)
			cg_buf_char(out, ',');
		add_socket(out, &finding->sockets[i], finding->label);
	}
	cg_buf_char(out, ']');
}

static void add_peers(struct cg_buf *out, const struct cg_finding *finding)
{
	char text[64];
	key(out, "peers");
	for (unsigned i = 0; i < finding->peer_count; i++) {
		cg_buf_str(out, i ? ",{\"peer\":" : "[{\"peer\":");
		cg_buf_json_string(out, cg_report_peer(&finding->peers[i], text));
		cg_buf_fmt(out, ",\"count\":%u}", finding->peers[i].count);
	}
	cg_buf_str(out, finding->peer_count ? "]" : "[]");
}

static void add_history(struct cg_buf *out, const struct cg_history *history)
{
	cg_buf_fmt(out, ",\"history\":{\"opened\":%lu", history->opened);
	add_number(out, "closed", history->closed);
	add_number(out, "closed_in_time", history->closed_in_time);
	add_number(out, "closed_late", history->closed_late);
	add_number(out, "never_closed", history->never_closed);
	key(out, "delays_ms"); /* counts: under 1, 2, 4 … ms, and above */
	for (unsigned i = 0; i < CG_DELAY_BUCKETS; i++)
		cg_buf_fmt(out, "%c%lu", i ? ',' : '[', history->delays[i]);
	cg_buf_str(out, "]}");
}

static void add_error(struct cg_buf *out, int error)
{
	const char *name = cg_error_name(error);
	if (*name)
		cg_json_string(out, "errno", name);
	else if (error)
		cg_buf_fmt(out, ",\"errno\":%d", error);
}

static void add_growth(struct cg_buf *out, int64_t tenths)
{
	uint64_t size = (uint64_t)(tenths < 0 ? -tenths : tenths);
	cg_buf_fmt(out, ",\"growth_per_min\":%s%lu.%lu", tenths < 0 ? "-" : "", size / 10, size % 10);
}

static void add_open_places(struct cg_buf *out, const struct cg_report *report, const struct cg_finding *finding)
{
	for (unsigned i = 0; i < finding->open_place_count; i++) {
		struct cg_frame frame;
		cg_buf_fmt(out, "%s{\"open\":%llu,\"site\":", i ? "," : ",\"open_places\":[",
		           (unsigned long long)finding->open_places[i].open);
		if (cg_site_of(report, &finding->open_places[i].place, &frame))
			add_frame(out, &frame);
		else
			cg_buf_str(out, "null");
		cg_buf_char(out, '}');
	}
	if (finding->open_place_count)
		cg_buf_char(out, ']');
}

/* What only some kinds of findings have. */
static void add_extras(struct cg_buf *out, const struct cg_report *report, const struct cg_finding *finding, bool again)
{
	if (finding->has_history)
		add_history(out, &finding->history);
	if (again)
		cg_buf_str(out, ",\"again\":true");
	add_error(out, finding->error);
	if (finding->fd_limit) {
		add_number(out, "open_fds", finding->open_fds);
		add_number(out, "fd_limit", finding->fd_limit);
	}
	add_open_places(out, report, finding);
	if (finding->forecast_ns)
		add_seconds(out, "forecast_s", finding->forecast_ns);
	if (finding->has_growth)
		add_growth(out, finding->growth);
	if (finding->names_pending)
		cg_json_string(out, "names", "pending");
	add_string_if_any(out, "label", finding->label);
	add_string_if_any(out, "suppressed", finding->suppressed);
	add_string_if_any(out, "suggested_rule", finding->suggested_rule);
}

void cg_json_members(struct cg_buf *out, const struct cg_report *report, const struct cg_finding *finding, bool again,
                     const struct cg_json_detail *detail)
{
	unsigned sure = finding->confidence < 1000 ? finding->confidence : 1000;
	char id[CG_ID_SIZE];
	cg_buf_fmt(out, "\"kind\":\"%s\"", cg_kind_name(finding->kind));
	add_string_or_null(out, "id", cg_report_id(report, finding, id) ? id : "");
	add_string_or_null(out, "cause", cg_cause_name(finding->cause));
	cg_json_string(out, "verdict", cg_verdict_name(finding->verdict));
	cg_buf_fmt(out, ",\"confidence\":%u.%03u", sure / 1000, sure % 1000);
	add_number(out, "count", finding->count);
	add_seconds(out, "oldest_age_s", finding->oldest_age_ns);
	cg_json_string(out, "advice", finding->advice ? finding->advice : "");
	cg_json_string(out, "origin", cg_origin_name(finding->origin));
	add_site(out, report, finding);
	cg_json_place(out, report, "opened", &finding->opened, detail);
	cg_json_place(out, report, "eof", &finding->eof, detail);
	cg_json_place(out, report, "last_use", &finding->last_use, detail);
	add_place_if_known(out, report, "connected", &finding->connected, detail);
	add_place_if_known(out, report, "shut", &finding->shut, detail);
	add_place_if_known(out, report, "closed", &finding->closed, detail);
	add_place_if_known(out, report, "here", &finding->here, detail);
	add_peers(out, finding);
	add_sockets(out, finding, detail->sockets);
	add_extras(out, report, finding, again);
}
