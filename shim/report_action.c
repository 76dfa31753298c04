/* report_action.c: what a policy did or would have done, as text and as JSON. */
#include "report_action.h"

#include <string.h>
#include <sys/socket.h>

#include "report_json_finding.h"
#include "report_text_place.h"
#include "tcpstate.h"

#define NAME(table, i) ((i) < sizeof(table) / sizeof((table)[0]) && (table)[i] ? (table)[i] : "")

static const char *name_text(unsigned kind)
{
	static const char *const names[CG_ACTION_COUNT] = {
	    [CG_ACTION_KEEPALIVE] = "keepalive",
	    [CG_ACTION_USER_TIMEOUT] = "user_timeout",
	    [CG_ACTION_LINGER] = "linger",
	    [CG_ACTION_DRAIN] = "drain",
	    [CG_ACTION_FIN_TIMEOUT] = "fin_timeout",
	    [CG_ACTION_RTO_MAX] = "rto_max",
	    [CG_ACTION_REAP] = "reap",
	    [CG_ACTION_FIN_WAIT2] = "fin_wait2",
	    [CG_ACTION_SETSOCKOPT] = "setsockopt",
	};
	return NAME(names, kind);
}

static const char *phase_text(unsigned phase)
{
	static const char *const names[] = {
	    [CG_AT_OPEN] = "open",         [CG_AT_CLOSE] = "close",           [CG_AT_EOF] = "eof",
	    [CG_AT_SHUTDOWN] = "shutdown", [CG_AT_SETSOCKOPT] = "setsockopt",
	};
	return NAME(names, phase);
}

static const char *result_text(unsigned result)
{
	static const char *const names[CG_RESULT_COUNT] = {
	    [CG_RESULT_WOULD] = "would",
	    [CG_RESULT_DONE] = "done",
	    [CG_RESULT_FAILED] = "failed",
	    [CG_RESULT_REFUSED] = "refused",
	};
	return NAME(names, result);
}

static const char *reason_text(unsigned reason)
{
	static const char *const names[CG_REASON_COUNT] = {
	    [CG_REASON_SHARED] = "shared",          [CG_REASON_UNKNOWN] = "unknown_holders",
	    [CG_REASON_APP_LINGER] = "app_lingers", [CG_REASON_BUDGET] = "budget",
	    [CG_REASON_NO_THREAD] = "no_thread",    [CG_REASON_TIME] = "time_over",
	    [CG_REASON_BYTES] = "bytes_over",       [CG_REASON_OLD_KERNEL] = "old_kernel",
	    [CG_REASON_DENIED] = "denied",          [CG_REASON_STREAM] = "stream",
	};
	return NAME(names, reason);
}

/* "" where the example has no address. */
static const char *address(const uint8_t bytes[16], uint16_t port, char text[64])
{
	static const uint8_t none[16];
	struct cg_addr addr = {.family = AF_INET6, .port = port};
	memcpy(addr.bytes, bytes, 16);
	text[0] = '\0';
	return !port && memcmp(bytes, none, 16) == 0 ? text : cg_addr_text(&addr, text);
}

static void add_error(struct cg_buf *out, int error)
{
	const char *name = cg_error_name(error);
	if (*name)
		cg_json_string(out, "errno", name);
	else if (error)
		cg_buf_fmt(out, ",\"errno\":%d", error);
}

static void add_example(struct cg_buf *out, const struct cg_report *report, const struct cg_action_view *view)
{
	static const struct cg_json_detail detail = {CG_JSON_LINES, 0};
	const struct cg_action *action = &view->action;
	char local[64], peer[64];
	if (action->fd >= 0)
		cg_buf_fmt(out, ",\"fd\":%d", action->fd);
	else
		cg_buf_str(out, ",\"fd\":null");
	if (*address(action->local, action->local_port, local))
		cg_json_string(out, "local", local);
	if (*address(action->peer, action->peer_port, peer))
		cg_json_string(out, "peer", peer);
	cg_json_place(out, report, action->kind == CG_ACTION_SETSOCKOPT ? "here" : "opened", &view->place, &detail);
}

void cg_json_action_members(struct cg_buf *out, const struct cg_report *report, const struct cg_action_view *view,
                            bool whole)
{
	const struct cg_action *action = &view->action;
	bool dry = action->result == CG_RESULT_WOULD;
	cg_buf_str(out, "\"rule\":");
	cg_buf_json_string(out, action->rule_name);
	cg_json_string(out, "action", name_text(action->kind));
	cg_json_string(out, "at", phase_text(action->phase));
	cg_buf_fmt(out, ",\"dry_run\":%s", dry ? "true" : "false");
	cg_json_string(out, "result", result_text(action->result));
	if (action->reason)
		cg_json_string(out, "reason", reason_text(action->reason));
	add_error(out, action->error);
	cg_buf_fmt(out, ",\"count\":%llu,\"total\":%llu,\"used_again\":%llu", (unsigned long long)view->count,
	           (unsigned long long)view->total, (unsigned long long)view->used_again);
	if (view->option)
		cg_json_string(out, "option", view->option);
	if (action->value)
		cg_buf_fmt(out, ",\"value\":%u", action->value);
	if (whole)
		add_example(out, report, view);
}

/* What happened to the connections, for each result. */
static const char *outcome(const struct cg_action *action)
{
	static const char *const reasons[CG_REASON_COUNT] = {
	    [CG_REASON_SHARED] = "refused: another descriptor or process holds the connection",
	    [CG_REASON_UNKNOWN] = "refused: who else holds the connection cannot be known here",
	    [CG_REASON_APP_LINGER] = "refused: the program has set SO_LINGER itself",
	    [CG_REASON_BUDGET] = "refused: too many are being drained already; what was there was read",
	    [CG_REASON_NO_THREAD] = "refused: no thread of ours can do it; what was there was read",
	    [CG_REASON_TIME] = "done, until the time was over",
	    [CG_REASON_BYTES] = "done, until the bytes were over",
	    [CG_REASON_OLD_KERNEL] = "skipped: this kernel has no such option",
	    [CG_REASON_DENIED] = "denied: answered with 0 and not made",
	    [CG_REASON_STREAM] = "refused: it is a stream of stdio, and writing to it would raise SIGPIPE",
	};
	if (action->result == CG_RESULT_WOULD)
		return "would be done; in observe mode nothing was";
	if (action->reason && *NAME(reasons, action->reason))
		return NAME(reasons, action->reason);
	if (action->kind == CG_ACTION_SETSOCKOPT)
		return "made, as the program asked";
	return action->result == CG_RESULT_FAILED ? "failed" : "done";
}

static void add_text_example(struct cg_buf *out, const struct cg_action *action)
{
	char local[64], peer[64];
	address(action->local, action->local_port, local);
	address(action->peer, action->peer_port, peer);
	if (!*local && !*peer && action->fd < 0)
		return;
	cg_buf_str(out, "  the last one:");
	if (action->fd >= 0)
		cg_buf_fmt(out, " fd %d", action->fd);
	if (*local || *peer)
		cg_buf_fmt(out, "  %s -- %s", local, peer);
	cg_buf_char(out, '\n');
}

void cg_text_action(struct cg_buf *out, const struct cg_report *report, const struct cg_action_view *view)
{
	const struct cg_action *action = &view->action;
	cg_text_prefix(out, report);
	cg_buf_fmt(out, "ACTION %s%s%s by rule \"", name_text(action->kind), view->option ? " " : "",
	           view->option ? view->option : "");
	cg_text_plain(out, action->rule_name);
	cg_buf_fmt(out, "\" at %s: %llu time%s: %s", phase_text(action->phase), (unsigned long long)view->count,
	           view->count == 1 ? "" : "s", outcome(action));
	if (action->error && *cg_error_name(action->error))
		cg_buf_fmt(out, " (%s)", cg_error_name(action->error));
	else if (action->error)
		cg_buf_fmt(out, " (errno %d)", action->error);
	if (view->used_again)
		cg_buf_fmt(out, "; the program used %llu of them afterwards", (unsigned long long)view->used_again);
	cg_buf_char(out, '\n');
	if (view->count == view->total && !view->used_again) /* the place is told once */
		cg_text_opened(out, report, &view->place);
	add_text_example(out, action);
}
