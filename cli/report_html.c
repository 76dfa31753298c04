/*
 * report_html.c: puts the merged report into the page that shows it.
 *
 * Findings repeat frames: 10,000 of them would make a page of 100 MB that no browser likes to open. So the page holds
 * every frame once, and stacks as indices: {"frames": […], "report": the document}. Everything else is as it came.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "report_html.h"
#include "report_page.h"

/* 15 digits give back any decimal number of so many, and do not turn 1.031 into 1.0309999999999999. */
static const size_t HOW = JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15);

/* The frames so far, and the index of each by its text. */
struct frames {
	json_t *list;
	json_t *index;
};

/* Returns the frame's index as a JSON number, or NULL without memory. */
static json_t *intern(struct frames *frames, json_t *frame)
{
	char *text = json_dumps(frame, HOW);
	if (!text)
		return NULL;
	json_t *at = json_incref(json_object_get(frames->index, text));
	if (!at) {
		at = json_integer((json_int_t)json_array_size(frames->list));
		if (json_object_set_nocheck(frames->index, text, at) || json_array_append(frames->list, frame)) {
			json_decref(at);
			at = NULL;
		}
	}
	free(text);
	return at;
}

static json_t *compact_stack(struct frames *frames, const json_t *stack)
{
	json_t *out = json_array();
	for (size_t i = 0; out && i < json_array_size(stack); i++) {
		if (json_array_append_new(out, intern(frames, json_array_get(stack, i)))) {
			json_decref(out);
			out = NULL;
		}
	}
	return out;
}

/* A place is any member of a finding that has a stack: opened, eof, last_use. Others are passed on as they are. */
static json_t *compact_place(struct frames *frames, json_t *place)
{
	const json_t *stack = json_object_get(place, "stack");
	if (!json_is_array(stack))
		return json_incref(place);
	json_t *out = json_copy(place);
	if (json_object_set_new(out, "stack", compact_stack(frames, stack))) {
		json_decref(out);
		out = NULL;
	}
	return out;
}

static json_t *compact_finding(struct frames *frames, json_t *finding)
{
	if (!json_is_object(finding))
		return json_incref(finding);
	json_t *out = json_object();
	const char *key;
	json_t *value;
	json_object_foreach(finding, key, value)
	{
		if (json_object_set_new_nocheck(out, key, compact_place(frames, value))) {
			json_decref(out);
			return NULL;
		}
	}
	return out;
}

static json_t *compact_findings(struct frames *frames, const json_t *findings)
{
	json_t *out = json_array();
	for (size_t i = 0; out && i < json_array_size(findings); i++) {
		if (json_array_append_new(out, compact_finding(frames, json_array_get(findings, i)))) {
			json_decref(out);
			out = NULL;
		}
	}
	return out;
}

/* An object whose findings have indices for frames; a new reference, or NULL without memory. */
static json_t *compact_object(struct frames *frames, const json_t *object)
{
	const json_t *findings = json_object_get(object, "findings");
	json_t *out = json_copy((json_t *)object); /* which only reads it */
	if (out && json_is_array(findings) &&
	    json_object_set_new(out, "findings", compact_findings(frames, findings))) {
		json_decref(out);
		out = NULL;
	}
	return out;
}

/* The document, and in it the outcome of a comparison. */
static json_t *compact(struct frames *frames, const json_t *document)
{
	json_t *out = compact_object(frames, document);
	const json_t *diff = json_object_get(document, "diff");
	if (out && json_is_object(diff) && json_object_set_new(out, "diff", compact_object(frames, diff))) {
		json_decref(out);
		out = NULL;
	}
	return out;
}

/*
 * In a script element, "</script" would end the data and "<!--" would hide that end: so no '<' comes through. In JSON
 * it can only stand in a string, where the escape means the same. DEL is the one control that jansson lets through.
 */
static int write_escaped(const char *text, size_t size, void *context)
{
	FILE *out = context;
	for (const char *end = text + size; text < end;) {
		const char *at = text;
		while (at < end && *at != '<' && *at != 0x7f)
			at++;
		size_t plain = (size_t)(at - text);
		if (fwrite(text, 1, plain, out) != plain || (at < end && fprintf(out, "\\u%04x", *at) < 0))
			return -1;
		text = at + (at < end);
	}
	return 0;
}

static int write_page(FILE *out, const json_t *data)
{
	errno = 0;
	if (fwrite(cg_report_page_head, 1, cg_report_page_head_size, out) != cg_report_page_head_size ||
	    json_dump_callback(data, write_escaped, out, HOW) ||
	    fwrite(cg_report_page_tail, 1, cg_report_page_tail_size, out) != cg_report_page_tail_size ||
	    fflush(out) == EOF)
		return errno ? -errno : -EIO;
	return 0;
}

int cg_report_html_write(FILE *out, const json_t *document)
{
	struct frames frames = {.list = json_array(), .index = json_object()};
	json_t *report = compact(&frames, document), *data = NULL;
	int error = -ENOMEM;
	/* The order is the page's: a reader that stops early has the frames. O takes no reference of its own. */
	if (report)
		data = json_pack("{sOsO}", "frames", frames.list, "report", report);
	if (data)
		error = write_page(out, data);
	json_decref(data);
	json_decref(report);
	json_decref(frames.index);
	json_decref(frames.list);
	return error;
}
