/* report_text_place.c: a place in the code as text: the call, its thread and its stack. */
#include "report_text_place.h"

#include <string.h>

#include "calls.h"

enum { FRAMES_IN_TEXT = 12 }; /* three stacks fit a screen; JSON has all */

void cg_text_prefix(struct cg_buf *out, const struct cg_report *report)
{
	if (report->timed) {
		cg_buf_rfc3339(out, report->realtime_ns);
		cg_buf_char(out, ' ');
	}
	cg_buf_str(out, "closeguard: ");
	cg_text_plain(out, report->app);
	cg_buf_fmt(out, "[%d]: ", report->pid);
}

static void add_frame(struct cg_buf *out, unsigned number, const struct cg_frame *frame)
{
	cg_buf_fmt(out, "    #%u ", number);
	cg_text_plain(out, *frame->function ? frame->function : "?");
	cg_buf_str(out, "  ");
	if (*frame->file) {
		cg_text_plain(out, frame->file);
		if (frame->line)
			cg_buf_fmt(out, ":%u", frame->line);
	} else {
		cg_text_plain(out, frame->module);
		cg_buf_fmt(out, "+0x%llx", (unsigned long long)frame->offset);
		/* Enough of it to tell builds apart; JSON has it whole for whoever looks up the symbols. */
		if (*frame->build_id && !*frame->function)
			cg_buf_fmt(out, " [build-id %.8s]", frame->build_id);
	}
	cg_buf_str(out, frame->inlined ? " (inlined)\n" : "\n");
}

/* What the last frame says of the rest, which is not there. */
static void add_stack_end(struct cg_buf *out, const struct cg_report *report, const struct cg_place *place)
{
	struct cg_frame frames[CG_FRAMES_PER_IP];
	unsigned n = report->resolve(report->resolve_context, place->ip[place->depth - 1], place->generation, frames,
	                             CG_FRAMES_PER_IP);
	if (n && strcmp(frames[n - 1].module, "[jit]") == 0)
		cg_buf_str(out, "    stopped at generated code\n");
	if (place->stack_flags & CG_STACK_TRUNCATED)
		cg_buf_str(out, "    truncated\n");
}

/* Below main, and below a thread's first function, every stack looks alike; JSON has it. */
static bool is_start(const struct cg_frame *frame)
{
	static const char *const names[] = {"_start",      "__libc_start_main",      "__libc_start_main_impl",
	                                    "__clone",     "__libc_start_call_main", "__clone3",
	                                    "start_thread"};
	for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(frame->function, names[i]) == 0)
			return true;
	return false;
}

static void add_stack(struct cg_buf *out, const struct cg_report *report, const struct cg_place *place)
{
	unsigned shown = 0, at = 0, left = 0;
	for (; at < place->depth && shown < FRAMES_IN_TEXT; at++) {
		struct cg_frame frames[CG_FRAMES_PER_IP];
		unsigned n = report->resolve(report->resolve_context, place->ip[at], place->generation, frames,
		                             CG_FRAMES_PER_IP);
		for (unsigned i = 0; i < n; i++) {
			if (is_start(&frames[i]))
				continue;
			if (shown < FRAMES_IN_TEXT)
				add_frame(out, shown++, &frames[i]);
			else
				left++;
		}
	}
	left += place->depth - at;
	if (left)
		cg_buf_fmt(out, "    ... %u more frame%s\n", left, left == 1 ? "" : "s");
	if (place->depth)
		add_stack_end(out, report, place);
}

static void add_when_and_stack(struct cg_buf *out, const struct cg_report *report, const struct cg_place *place)
{
	if (place->age_ns) {
		cg_buf_char(out, ' ');
		cg_buf_age(out, place->age_ns);
		cg_buf_str(out, " ago");
	}
	if (*place->thread) {
		cg_buf_str(out, " in thread \"");
		cg_text_plain(out, place->thread);
		cg_buf_char(out, '"');
	}
	cg_buf_str(out, place->depth ? ":\n" : "\n");
	add_stack(out, report, place);
}

void cg_text_place(struct cg_buf *out, const struct cg_report *report, const char *what, const struct cg_place *place)
{
	if (!place->known)
		return;
	if (place->call == CG_CALL_peek)
		cg_buf_fmt(out, "  %s a read with MSG_PEEK", what);
	else if (!cg_call_known(place->call) || place->call == CG_CALL_NONE)
		cg_buf_fmt(out, "  %s an unknown call", what);
	else
		cg_buf_fmt(out, "  %s %s()", what, cg_call_name(place->call));
	add_when_and_stack(out, report, place);
}

void cg_text_opened(struct cg_buf *out, const struct cg_report *report, const struct cg_place *place)
{
	static const char *const ways[CG_CALL_COUNT] = {
	    [CG_CALL_NONE] = "  opened",
	    [CG_CALL_inherited] = "  inherited",
	    [CG_CALL_received] = "  received over a unix socket",
	    [CG_CALL_adopted] = "  opened unseen, found by a sweep",
	};
	if (!place->known || place->call >= CG_CALL_COUNT || !ways[place->call]) {
		cg_text_place(out, report, "opened by", place);
		return;
	}
	cg_buf_str(out, ways[place->call]);
	add_when_and_stack(out, report, place);
}
