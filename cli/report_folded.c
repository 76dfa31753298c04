/*
 * report_folded.c: writes folded stacks.
 */
#include "report_folded.h"

#include <string.h>

#include "fmt.h"
#include "report_text_place.h"
#include "report_view.h"

enum { LINE = 64 << 10 };

/* ';' separates frames. */
static void add_frame(struct cg_buf *line, const json_t *frame)
{
	const char *function = cg_report_text_of(frame, "function");
	cg_buf_char(line, ';');
	size_t start = line->len;
	cg_text_plain(line, *function ? function : cg_report_text_of(frame, "module"));
	if (!*function)
		cg_buf_fmt(line, "+%s", cg_report_text_of(frame, "offset"));
	for (size_t i = start; i < line->len; i++)
		if (line->data[i] == ';')
			line->data[i] = ':';
}

/* Adds to the lines, which are members of an object: a stack may be of several findings. */
static void add(json_t *lines, const char *app, const json_t *stack, json_int_t count)
{
	char text[LINE];
	struct cg_buf line;
	cg_buf_init(&line, text, sizeof text);
	cg_text_plain(&line, app);
	for (char *c = text; *c; c++)
		*c = *c == ';' ? ':' : *c;
	for (size_t i = json_array_size(stack); i > 0; i--)
		add_frame(&line, json_array_get(stack, i - 1));
	if (!json_array_size(stack))
		cg_buf_str(&line, ";[unknown]");
	json_object_set_new(lines, text, json_integer(json_integer_value(json_object_get(lines, text)) + count));
}

static void add_finding(json_t *lines, const json_t *finding, const char *place)
{
	const json_t *stack = json_object_get(json_object_get(finding, place), "stack");
	const json_t *processes = json_object_get(finding, "processes");
	json_int_t rest = cg_report_number_of(finding, "count");
	for (size_t i = json_array_size(processes); i > 0 && rest; i--) {
		const json_t *process = json_array_get(processes, i - 1);
		/* Those that the list has no room for count as the first one's. */
		json_int_t count = i == 1 ? rest : cg_report_number_of(process, "count");
		if (count)
			add(lines, cg_report_text_of(process, "app"), stack, count);
		rest -= count < rest ? count : rest;
	}
}

void cg_report_folded_write(FILE *out, const json_t *document, const char *place)
{
	const json_t *findings = json_object_get(document, "findings");
	json_t *lines = json_object(), *count;
	const char *line;
	for (size_t i = 0; i < json_array_size(findings); i++)
		add_finding(lines, json_array_get(findings, i), place);
	json_object_foreach(lines, line, count)
	{
		fprintf(out, "%s %lld\n", line, (long long)json_integer_value(count));
	}
	json_decref(lines);
}
