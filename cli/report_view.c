/*
 * report_view.c: turns a finding's JSON back into a struct.
 */
#include "report_view.h"

#include <stdlib.h>
#include <string.h>

#include "calls.h"

/* An address is told by which stack it is in, from 1 on, and where it begins there. */
enum { STACK_SHIFT = 16 };

const char *cg_report_text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

json_int_t cg_report_number_of(const json_t *object, const char *name)
{
	json_int_t number = json_integer_value(json_object_get(object, name));
	return number > 0 ? number : 0;
}

uint64_t cg_report_ns_of(const json_t *object, const char *name)
{
	double seconds = json_number_value(json_object_get(object, name));
	return seconds > 0 && seconds < 1e9 ? (uint64_t)(seconds * 1e9) : 0;
}

bool cg_report_is_open_leak(const json_t *finding)
{
	return cg_report_number_of(finding, "count") > 0 &&
	       strcmp(cg_report_text_of(finding, "verdict"), "leak") == 0 && !*cg_report_text_of(finding, "suppressed");
}

bool cg_report_told_leaks(const json_t *document)
{
	return cg_report_number_of(document, "leaks_told") > 0;
}

bool cg_report_has_open_leak(const json_t *document)
{
	json_t *finding;
	size_t i;
	json_array_foreach(json_object_get(document, "findings"), i, finding)
	{
		if (cg_report_is_open_leak(finding))
			return true;
	}
	return false;
}

static void copy(char *to, size_t size, const char *from)
{
	size_t length = strnlen(from, size - 1);
	memcpy(to, from, length);
	to[length] = '\0';
}

void cg_report_frame(const json_t *json, struct cg_frame *frame)
{
	memset(frame, 0, sizeof *frame);
	copy(frame->module, sizeof frame->module, cg_report_text_of(json, "module"));
	copy(frame->build_id, sizeof frame->build_id, cg_report_text_of(json, "build_id"));
	copy(frame->function, sizeof frame->function, cg_report_text_of(json, "function"));
	copy(frame->file, sizeof frame->file, cg_report_text_of(json, "file"));
	frame->offset = strtoull(cg_report_text_of(json, "offset"), NULL, 16);
	frame->line = (unsigned)cg_report_number_of(json, "line");
	frame->frames = (unsigned)cg_report_number_of(json, "frames");
	frame->inlined = json_is_true(json_object_get(json, "inlined"));
}

const json_t *cg_report_view_stack(const struct cg_report_view *view, uint64_t *address)
{
	const json_t *stack = view->stacks[*address >> STACK_SHIFT];
	*address &= (1 << STACK_SHIFT) - 1;
	return stack;
}

static unsigned resolve(void *context, uint64_t ip, uint32_t generation, struct cg_frame *frames, unsigned max)
{
	const struct cg_report_view *view = context;
	const json_t *stack = cg_report_view_stack(view, &ip);
	size_t at = ip;
	unsigned n = 0;
	(void)generation;
	if (json_is_object(stack)) {
		cg_report_frame(stack, &frames[0]);
		return 1;
	}
	while (n < max && at < json_array_size(stack)) {
		cg_report_frame(json_array_get(stack, at++), &frames[n]);
		if (!frames[n++].inlined)
			break;
	}
	return n;
}

static unsigned call_of(const char *name)
{
	for (unsigned i = 0; i < CG_CALL_COUNT; i++)
		if (strcmp(cg_call_name(i), name) == 0)
			return i;
	return CG_CALL_NONE;
}

static void set_place(struct cg_report_view *view, unsigned number, const json_t *json, struct cg_place *place)
{
	const json_t *stack = json_object_get(json, "stack");
	size_t count = json_array_size(stack);
	bool begins = true;
	*place = (struct cg_place){.known = json_is_object(json)};
	if (!place->known)
		return;
	view->stacks[number] = stack;
	place->call = call_of(cg_report_text_of(json, "call"));
	copy(place->thread, sizeof place->thread, cg_report_text_of(json, "thread"));
	place->age_ns = cg_report_ns_of(json, "age_s");
	for (size_t i = 0; i < count && i < 1 << STACK_SHIFT && place->depth < CG_MAX_DEPTH; i++) {
		if (begins)
			place->ip[place->depth++] = (uint64_t)number << STACK_SHIFT | i;
		begins = !json_is_true(json_object_get(json_array_get(stack, i), "inlined"));
	}
	if (json_is_true(json_object_get(json, "truncated")))
		place->stack_flags |= CG_STACK_TRUNCATED;
}

/* A stack of one frame. */
static void set_site(struct cg_report_view *view, const json_t *json)
{
	enum { SITE = 8 };
	if (!json_is_object(json))
		return;
	view->stacks[SITE] = json;
	view->finding.site_ip = SITE << STACK_SHIFT;
}

/* Each of one frame. */
static void set_open_places(struct cg_report_view *view, const json_t *json)
{
	enum { FIRST = 9 };
	struct cg_finding *finding = &view->finding;
	for (size_t i = 0; i < json_array_size(json) && i < CG_OPEN_PLACES; i++) {
		struct cg_open_place *open = &finding->open_places[finding->open_place_count++];
		const json_t *site = json_object_get(json_array_get(json, i), "site");
		open->open = (uint64_t)cg_report_number_of(json_array_get(json, i), "open");
		if (!json_is_object(site))
			continue;
		view->stacks[FIRST + i] = site;
		open->place = (struct cg_place){.known = true, .depth = 1, .ip = {(FIRST + i) << STACK_SHIFT}};
	}
}

static unsigned number_of(const char *name, const char *(*name_of)(unsigned), unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (strcmp(name_of(i), name) == 0)
			return i;
	return 0;
}

static const char *kind_name(unsigned i)
{
	return cg_kind_name((enum cg_kind)i);
}

static const char *cause_name(unsigned i)
{
	return cg_cause_name((enum cg_cause)i);
}

static const char *verdict_name(unsigned i)
{
	return cg_verdict_name((enum cg_verdict)i);
}

static void set_history(const json_t *json, struct cg_finding *finding)
{
	finding->has_history = json_is_object(json);
	finding->history = (struct cg_history){
	    .opened = (uint64_t)cg_report_number_of(json, "opened"),
	    .closed = (uint64_t)cg_report_number_of(json, "closed"),
	    .closed_in_time = (uint64_t)cg_report_number_of(json, "closed_in_time"),
	    .closed_late = (uint64_t)cg_report_number_of(json, "closed_late"),
	    .never_closed = (uint64_t)cg_report_number_of(json, "never_closed"),
	};
}

void cg_report_view(const json_t *json, struct cg_report_view *ret)
{
	struct cg_finding *finding = &ret->finding;
	double confidence = json_number_value(json_object_get(json, "confidence"));
	memset(ret, 0, sizeof *ret);
	ret->report = (struct cg_report){.app = "", .host = "", .resolve = resolve, .resolve_context = ret};
	finding->kind = (enum cg_kind)number_of(cg_report_text_of(json, "kind"), kind_name, CG_KIND_COUNT);
	finding->cause = (enum cg_cause)number_of(cg_report_text_of(json, "cause"), cause_name, CG_CAUSE_COUNT);
	finding->verdict = (enum cg_verdict)number_of(cg_report_text_of(json, "verdict"), verdict_name, 3);
	finding->confidence = confidence > 0 && confidence <= 1 ? (unsigned)(confidence * 1000 + 0.5) : 0;
	finding->count = (uint32_t)cg_report_number_of(json, "count");
	finding->oldest_age_ns = cg_report_ns_of(json, "oldest_age_s");
	finding->advice = cg_report_text_of(json, "advice");
	finding->open_fds = (uint32_t)cg_report_number_of(json, "open_fds");
	finding->fd_limit = (uint32_t)cg_report_number_of(json, "fd_limit");
	finding->forecast_ns = cg_report_ns_of(json, "forecast_s");
	set_place(ret, 1, json_object_get(json, "opened"), &finding->opened);
	set_place(ret, 2, json_object_get(json, "eof"), &finding->eof);
	set_place(ret, 3, json_object_get(json, "last_use"), &finding->last_use);
	set_place(ret, 4, json_object_get(json, "connected"), &finding->connected);
	set_place(ret, 5, json_object_get(json, "closed"), &finding->closed);
	set_place(ret, 6, json_object_get(json, "here"), &finding->here);
	set_place(ret, 7, json_object_get(json, "shut"), &finding->shut);
	set_site(ret, json_object_get(json, "site"));
	set_open_places(ret, json_object_get(json, "open_places"));
	set_history(json_object_get(json, "history"), finding);
}
