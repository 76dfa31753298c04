/*
 * merge_document_site.c: the place that a merged finding is named by.
 */
#include <string.h>

#include "merge_document.h"
#include "naming.h"
#include "report_site.h"
#include "report_view.h"

static json_t *with_name(json_t *frame, const struct cg_code_name *name)
{
	json_t *named = json_copy(frame);
	json_object_set_new(named, "function", json_string(name->function));
	if (name->file)
		json_object_set_new(named, "file", json_string(name->file));
	if (name->file && name->line > 0)
		json_object_set_new(named, "line", json_integer(name->line));
	return named;
}

/* Of the functions at the address the one that was meant: the others were inlined into it, or it into them. */
static json_t *as_told(const struct cg_merge_finding *finding)
{
	const struct cg_code_name *name = &finding->site_name;
	const json_t *frames = cg_naming_frames(finding->site->at[0]);
	size_t i = 0, last = json_array_size(frames) - 1;
	if (!json_array_size(frames))
		return NULL;
	for (i = 0; name->function && i <= last; i++)
		if (strcmp(cg_report_text_of(json_array_get(frames, i), "function"), name->function) == 0)
			return json_incref(json_array_get(frames, i));
	if (name->function && !*cg_report_text_of(json_array_get(frames, last), "function"))
		return with_name(json_array_get(frames, last), name);
	for (i = 0; i < last; i++) {
		struct cg_frame frame;
		cg_report_frame(json_array_get(frames, i), &frame);
		if (!cg_site_passed_over(NULL, &frame))
			break;
	}
	return json_incref(json_array_get(frames, i));
}

/* Where nothing was told, by the rule. The frame that it gives is one of the document's. */
static json_t *by_rule(const json_t *json)
{
	struct cg_report_view view;
	uint32_t generation;
	cg_report_view(json, &view);
	uint64_t ip = cg_site_choose(&view.report, &view.finding, 0, &generation);
	const json_t *stack = ip ? cg_report_view_stack(&view, &ip) : NULL;
	json_t *frame = json_array_get(stack, ip);
	for (size_t i = ip; frame; i++) {
		struct cg_frame one;
		json_t *next = json_array_get(stack, i);
		cg_report_frame(next, &one);
		if (!next || !cg_site_passed_over(NULL, &one))
			return json_incref(next ? next : frame);
		if (!one.inlined)
			break;
	}
	return json_incref(frame);
}

json_t *cg_document_site(const struct cg_merge_finding *finding, const json_t *json)
{
	json_t *frame = finding->site && finding->site->depth ? as_told(finding) : by_rule(json);
	return frame ? frame : json_null();
}
