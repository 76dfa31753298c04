/* report_headline.c: one line that tells a person what was found. */
#include "calls.h"
#include "report.h"
#include "report_site.h"

static const char *const labels[] = {
    [CG_VERDICT_LEAK] = "LEAK",
    [CG_VERDICT_LATE] = "LATE",
    [CG_VERDICT_INFO] = "INFO",
};

/* What is counted: one of them, several of them. */
struct noun {
	const char *one, *many;
};

static const struct noun nouns[CG_KIND_COUNT] = {
    [CG_KIND_NONE] = {"socket", "sockets"},
    [CG_KIND_CLOSE_WAIT] = {"socket in CLOSE_WAIT", "sockets in CLOSE_WAIT"},
    [CG_KIND_DEAD_SOCKET] = {"dead socket", "dead sockets"},
    [CG_KIND_FIN_WAIT1] = {"socket in FIN_WAIT1", "sockets in FIN_WAIT1"},
    [CG_KIND_FIN_WAIT2] = {"socket in FIN_WAIT2", "sockets in FIN_WAIT2"},
    [CG_KIND_RESET_ON_CLOSE] = {"reset on close", "resets on close"},
    [CG_KIND_DOUBLE_CLOSE] = {"double close", "double closes"},
    [CG_KIND_USE_AFTER_CLOSE] = {"use after close", "uses after close"},
};

static struct noun noun_of(const struct cg_finding *finding)
{
	if (finding->cause == CG_CAUSE_LATE_CLOSE)
		return (struct noun){"late close", "late closes"};
	if (finding->cause == CG_CAUSE_NEVER_ACCEPTED)
		return (struct noun){"connection in CLOSE_WAIT", "connections in CLOSE_WAIT"};
	return nouns[finding->kind < CG_KIND_COUNT ? finding->kind : CG_KIND_NONE];
}

/* Things that happened and are over have a last time; sockets that are still there have an age. */
static bool is_event(const struct cg_finding *finding)
{
	return finding->cause == CG_CAUSE_LATE_CLOSE || finding->kind == CG_KIND_RESET_ON_CLOSE ||
	       finding->kind == CG_KIND_DOUBLE_CLOSE || finding->kind == CG_KIND_USE_AFTER_CLOSE;
}

static void add_eof_ignored(struct cg_buf *out, const struct cg_finding *finding, const char *they_were)
{
	if (finding->eof.known)
		cg_buf_fmt(out, "%s() returned 0 and %s not closed", cg_call_name(finding->eof.call), they_were);
	else
		cg_buf_fmt(out, "the end was read and %s not closed", they_were);
}

static const char *shared_clause(const struct cg_finding *finding)
{
	if (finding->closed.known)
		return "closed here, but a dup, a child or another process keeps the connection";
	return "inherited and never used here, but held open";
}

static void add_cause(struct cg_buf *out, const struct cg_finding *finding, const char *they_were)
{
	switch (finding->cause) {
	case CG_CAUSE_EOF_IGNORED:
		add_eof_ignored(out, finding, they_were);
		break;
	case CG_CAUSE_DATA_UNREAD:
		cg_buf_str(out, "the peer has closed, data waits in front of its FIN, and nobody reads");
		break;
	case CG_CAUSE_FIN_UNREAD:
		cg_buf_str(out, "the peer has closed and nobody has looked");
		break;
	case CG_CAUSE_SHARED:
		cg_buf_str(out, shared_clause(finding));
		break;
	case CG_CAUSE_NEVER_ACCEPTED:
		cg_buf_fmt(out, "the peer has closed and %s never accepted", they_were);
		break;
	case CG_CAUSE_HALF_CLOSE:
		cg_buf_str(out, "the peer has closed its side and ours is still in use");
		break;
	case CG_CAUSE_LATE_CLOSE:
		cg_buf_str(out, "closed, but long after the end was read");
		break;
	case CG_CAUSE_UNREAD_DATA:
		cg_buf_str(out, "unread data turned the close into a reset");
		break;
	case CG_CAUSE_LINGER_ZERO:
		cg_buf_str(out, "SO_LINGER 0 turned the close into a reset");
		break;
	default:
		cg_buf_fmt(out, "%s not closed", they_were);
	}
}

static void add_clause(struct cg_buf *out, const struct cg_finding *finding)
{
	const char *they_were = finding->count == 1 ? "it was" : "they were";
	switch (finding->kind) {
	case CG_KIND_DEAD_SOCKET:
		if (finding->cause == CG_CAUSE_CONNECT_FAILED)
			cg_buf_fmt(out, "connect() failed and %s not closed", they_were);
		else
			cg_buf_fmt(out, "the connection is gone and %s not closed", they_were);
		break;
	case CG_KIND_FIN_WAIT1:
		cg_buf_str(out, "the peer does not acknowledge the end");
		break;
	case CG_KIND_FIN_WAIT2:
		cg_buf_str(out, "shut down, and the peer does not close its side");
		break;
	case CG_KIND_DOUBLE_CLOSE:
		cg_buf_str(out, "the descriptor had been closed already");
		break;
	case CG_KIND_USE_AFTER_CLOSE:
		cg_buf_str(out, "the descriptor had been closed");
		break;
	default:
		add_cause(out, finding, they_were);
	}
}

static void add_exhaustion(struct cg_buf *out, const struct cg_finding *finding)
{
	cg_buf_str(out, finding->forecast_ns ? "file descriptors are running out" : "out of file descriptors");
	if (finding->fd_limit)
		cg_buf_fmt(out, ", %u of %u open", finding->open_fds, finding->fd_limit);
	if (finding->forecast_ns) {
		cg_buf_str(out, ": none left in ");
		cg_buf_age(out, finding->forecast_ns);
		cg_buf_str(out, " at the present rate");
	}
}

static void add_count_and_age(struct cg_buf *out, const struct cg_finding *finding, bool again)
{
	struct noun noun = noun_of(finding);
	cg_buf_fmt(out, "%s%u %s%s, ", again ? "again: " : "", finding->count,
	           finding->count == 1 ? noun.one : noun.many, again ? " (doubled)" : "");
	if (is_event(finding))
		cg_buf_str(out, finding->count == 1 ? "" : "the first ");
	else
		cg_buf_str(out, finding->count == 1 ? "for " : "oldest ");
	cg_buf_age(out, finding->oldest_age_ns);
	cg_buf_str(out, is_event(finding) ? " ago: " : ": ");
}

void cg_report_add_site(struct cg_buf *out, const struct cg_report *report, const struct cg_finding *finding)
{
	struct cg_frame frame;
	if (!cg_report_site(report, finding, &frame))
		return;
	cg_buf_str(out, " at ");
	cg_site_text(out, &frame);
}

void cg_report_headline(struct cg_buf *out, const struct cg_report *report, const struct cg_finding *finding,
                        bool again)
{
	cg_buf_fmt(out, "%s ", finding->verdict <= CG_VERDICT_INFO ? labels[finding->verdict] : "INFO");
	if (finding->kind == CG_KIND_FD_EXHAUSTION) {
		add_exhaustion(out, finding);
	} else {
		add_count_and_age(out, finding, again);
		add_clause(out, finding);
	}
	unsigned sure = finding->confidence < 1000 ? finding->confidence : 1000;
	const char *name = finding->cause ? cg_cause_name(finding->cause) : cg_kind_name(finding->kind);
	cg_buf_fmt(out, " (%s, confidence %u.%02u)", name, sure / 1000, sure % 1000 / 10);
	cg_report_add_site(out, report, finding);
}
