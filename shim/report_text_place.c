/* report_text_place.c: a place in the code as text: the call, its thread and its stack. */
#include "report_text_place.h"

#include <string.h>

#include "calls.h"
#include "report_site.h"
#include "report_stack.h"

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

static void add_location(struct cg_buf *out, const struct cg_frame *frame)
{
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
}

static void add_frame(struct cg_buf *out, unsigned number, const struct cg_frame *frame)
{
	cg_buf_fmt(out, "    #%u ", number);
	cg_text_plain(out, *frame->function ? frame->function : "?");
	cg_buf_str(out, "  ");
	add_location(out, frame);
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

static void add_run(struct cg_buf *out, const struct cg_frame *frame)
{
	cg_buf_fmt(out, "    %u frames of ", frame->frames);
	if (cg_frame_sort(frame) == CG_FRAME_GENERATED) {
		cg_buf_str(out, "generated code\n");
		return;
	}
	cg_buf_str(out, "the interpreter (");
	cg_text_plain(out, frame->module);
	cg_buf_str(out, ")\n");
}

static void add_stack(struct cg_buf *out, const struct cg_report *report, const struct cg_place *place)
{
	struct cg_stack_walk walk;
	struct cg_frame frame;
	unsigned most = report->depth ? report->depth : FRAMES_IN_TEXT, lines = 0, number = 0;
	cg_stack_walk_begin(&walk, report, place, report->depth != 0);
	for (; lines < most && cg_stack_walk_next(&walk, &frame); lines++) {
		if (frame.frames > 1)
			add_run(out, &frame);
		else
			add_frame(out, number++, &frame);
	}
	unsigned left = lines == most ? cg_stack_walk_left(&walk) : 0;
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

static uint64_t rest_of(uint64_t all, uint64_t part, uint64_t other_part)
{
	return all > part + other_part ? all - part - other_part : 0;
}

void cg_text_history(struct cg_buf *out, const struct cg_finding *finding)
{
	const struct cg_history *h = &finding->history;
	uint64_t first = rest_of(h->closed, h->closed_in_time, h->closed_late);
	uint64_t open = rest_of(h->opened, h->closed, h->never_closed);
	if (!finding->has_history)
		return;
	cg_buf_fmt(out, "  this place: %lu opened, %lu closed in time, %lu late, %lu never", h->opened,
	           h->closed_in_time, h->closed_late, h->never_closed);
	if (first)
		cg_buf_fmt(out, ", %lu before the peer did or in answer to it", first);
	if (open)
		cg_buf_fmt(out, ", %lu in use or not old enough", open);
	cg_buf_char(out, '\n');
}

void cg_text_open_places(struct cg_buf *out, const struct cg_report *report, const struct cg_finding *finding)
{
	for (unsigned i = 0; i < finding->open_place_count; i++) {
		struct cg_frame frame;
		cg_buf_fmt(out, "  %s%llu opened at ", i ? "               " : "held open now: ",
		           (unsigned long long)finding->open_places[i].open);
		if (cg_site_of(report, &finding->open_places[i].place, &frame))
			cg_site_text(out, &frame);
		else
			cg_buf_str(out, "an unknown place");
		cg_buf_char(out, '\n');
	}
}
