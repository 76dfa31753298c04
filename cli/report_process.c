/*
 * report_process.c: tells how the process of a recording is.
 */
#include "report_process.h"

#include <string.h>

#include "report_text_place.h"

struct state {
	const char *name; /* in JSON */
	const char *text;
	uint64_t since_ns; /* 0: unknown */
};

static struct state state_of(const struct cg_recording *recording)
{
	const struct cg_header *h = &recording->header;
	switch ((enum cg_process_state)h->state) {
	case CG_STATE_LIVE:
		if (recording->elsewhere)
			return (struct state){"unknown", "on another host, running at its last word", 0};
		if (recording->alive)
			return (struct state){"running", "running", 0};
		return (struct state){"killed", "gone without an exit of its own: killed or crashed", 0};
	case CG_STATE_EXITED:
		return (struct state){"exited", "exited", h->state_ns};
	case CG_STATE_EXECED:
		return (struct state){"execed", "became another program", h->state_ns};
	case CG_STATE_SEALED:
		if (recording->alive || recording->elsewhere)
			return (struct state){"sealed", "in a sandbox, which ended its record", h->state_ns};
		return (struct state){"sealed", "ended, in a sandbox, which ended its record", h->state_ns};
	default:
		return (struct state){"unknown", "in a state that its recorder does not tell", 0};
	}
}

uint64_t cg_report_realtime(const struct cg_recording *recording, uint64_t ns)
{
	const struct cg_header *h = &recording->header;
	return h->start_realtime_ns + (ns > h->start_ns ? ns - h->start_ns : 0);
}

void cg_report_process_text(struct cg_buf *out, const struct cg_recording *recording)
{
	struct state state = state_of(recording);
	cg_buf_fmt(out, "  %-16s %s", "process", state.text);
	if (state.since_ns) {
		cg_buf_str(out, " at ");
		cg_buf_rfc3339(out, cg_report_realtime(recording, state.since_ns));
	}
	if (recording->header.last_sweep_ns) {
		cg_buf_str(out, "; ages are as of its last sweep, ");
		cg_buf_rfc3339(out, cg_report_realtime(recording, recording->as_of_ns));
	} else {
		cg_buf_str(out, "; no sweep had looked at it yet");
	}
	cg_buf_fmt(out, "\n  %-16s ", "recorder");
	cg_text_plain(out, recording->path);
	cg_buf_char(out, '\n');
}

/* A time or null. */
static void add_time(struct cg_buf *out, const char *name, uint64_t realtime_ns, bool known)
{
	cg_buf_fmt(out, ",\"%s\":%s", name, known ? "\"" : "null");
	if (!known)
		return;
	cg_buf_rfc3339(out, realtime_ns);
	cg_buf_char(out, '"');
}

void cg_report_process_json(struct cg_buf *out, const struct cg_recording *recording)
{
	static const char end[] = "}\n";
	struct state state = state_of(recording);
	if (out->len < sizeof end || strcmp(out->data + out->len - strlen(end), end) != 0)
		return;
	out->len -= strlen(end);
	cg_buf_fmt(out, ",\"process\":{\"state\":\"%s\"", state.name);
	add_time(out, "state_time", cg_report_realtime(recording, state.since_ns), state.since_ns);
	add_time(out, "last_sweep", cg_report_realtime(recording, recording->as_of_ns),
	         recording->header.last_sweep_ns);
	cg_buf_str(out, ",\"exe\":");
	cg_buf_json_string(out, recording->header.exe);
	cg_buf_str(out, ",\"recorder\":");
	cg_buf_json_string(out, recording->path);
	cg_buf_fmt(out, "}%s", end);
}
