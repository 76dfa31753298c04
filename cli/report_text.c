/*
 * report_text.c: the parts of a report for a person, in their order.
 */
#include "report_text.h"

#include <string.h>

#include "report_answer.h"
#include "report_text_place.h"
#include "report_view.h"

/* More lines than these nobody reads; JSON has all. */
enum { SOURCES_IN_TEXT = 64, RESOLVED_IN_TEXT = 20, ACTIONS_IN_TEXT = 20 };

static char room[CG_REPORT_ROOM];

static struct cg_buf begin(void)
{
	struct cg_buf out;
	cg_buf_init(&out, room, sizeof room);
	return out;
}

static bool is_open(const json_t *finding)
{
	return strcmp(cg_report_text_of(finding, "status"), "open") == 0;
}

static bool same(const json_t *one, const json_t *other)
{
	return json_equal(json_object_get(one, "pid"), json_object_get(other, "pid")) &&
	       json_equal(json_object_get(one, "host"), json_object_get(other, "host")) &&
	       json_equal(json_object_get(one, "app"), json_object_get(other, "app"));
}

/* How many open findings a source's process is part of. */
static unsigned findings_of(const json_t *document, const json_t *source)
{
	const json_t *findings = json_object_get(document, "findings");
	unsigned n = 0;
	for (size_t i = 0; i < json_array_size(findings); i++) {
		const json_t *finding = json_array_get(findings, i), *list = json_object_get(finding, "processes");
		for (size_t j = 0; is_open(finding) && j < json_array_size(list); j++)
			n += same(json_array_get(list, j), source);
	}
	return n;
}

static void write_source_line(const struct cg_paper *paper, const json_t *document, const json_t *source)
{
	const char *kind = cg_report_text_of(source, "kind");
	unsigned n = findings_of(document, source);
	struct cg_buf out = begin();
	cg_buf_str(&out, "closeguard: ");
	cg_report_text_process(&out, source, false);
	cg_buf_fmt(&out, ": summary (%s): ", strcmp(kind, "process") == 0 ? "recorder" : kind);
	if (n)
		cg_buf_fmt(&out, "%u finding%s outstanding; ", n, n == 1 ? "" : "s");
	else
		cg_buf_str(&out, "nothing outstanding; ");
	cg_text_plain(&out, cg_report_text_of(source, "state"));
	cg_buf_str(&out, ", on ");
	cg_text_plain(&out, cg_report_text_of(source, "host"));
	cg_buf_str(&out, ", ");
	cg_text_plain(&out, cg_report_text_of(source, "path"));
	cg_buf_char(&out, '\n');
	cg_paper_write(paper, out.data);
}

static void write_sources(const struct cg_paper *paper, const json_t *document)
{
	const json_t *sources = json_object_get(document, "sources");
	size_t count = json_array_size(sources);
	if (count == 1) {
		struct cg_buf out = begin();
		cg_report_text_source(&out, json_array_get(sources, 0),
		                      findings_of(document, json_array_get(sources, 0)));
		cg_paper_write(paper, out.data);
		return;
	}
	for (size_t i = 0; i < count && i < SOURCES_IN_TEXT; i++)
		write_source_line(paper, document, json_array_get(sources, i));
	if (count > SOURCES_IN_TEXT) {
		struct cg_buf out = begin();
		cg_buf_fmt(&out, "closeguard: ... and %zu more processes\n", count - SOURCES_IN_TEXT);
		cg_paper_write(paper, out.data);
	}
}

static void write_resolved(const struct cg_paper *paper, const json_t *finding)
{
	const json_t *first = json_array_get(json_object_get(finding, "processes"), 0);
	struct cg_report_view view;
	struct cg_buf out = begin();
	cg_report_view(finding, &view);
	cg_buf_str(&out, "closeguard: ");
	cg_report_text_process(&out, first, true);
	cg_buf_fmt(&out, ": RESOLVED none left of %lld (", (long long)cg_report_number_of(finding, "total"));
	cg_text_plain(&out, cg_report_text_of(finding, "kind"));
	if (*cg_report_text_of(finding, "cause")) {
		cg_buf_str(&out, ", ");
		cg_text_plain(&out, cg_report_text_of(finding, "cause"));
	}
	cg_buf_str(&out, ")\n");
	cg_text_opened(&out, &view.report, &view.finding.opened);
	cg_paper_write(paper, out.data);
}

static void write_findings(const struct cg_paper *paper, const json_t *document)
{
	const json_t *findings = json_object_get(document, "findings");
	bool everywhere = json_array_size(json_object_get(document, "sources")) == 1;
	size_t resolved = 0;
	for (size_t i = 0; i < json_array_size(findings); i++) {
		const json_t *finding = json_array_get(findings, i);
		if (is_open(finding)) {
			struct cg_buf out = begin();
			cg_report_text_finding(&out, finding, NULL, everywhere);
			cg_paper_write(paper, out.data);
		} else if (resolved++ < RESOLVED_IN_TEXT) {
			write_resolved(paper, finding);
		}
	}
	if (resolved > RESOLVED_IN_TEXT) {
		struct cg_buf out = begin();
		cg_buf_fmt(&out, "closeguard: ... and %zu more findings of which none is left\n",
		           resolved - RESOLVED_IN_TEXT);
		cg_paper_write(paper, out.data);
	}
}

/* Why the exit status is 1 where none of the leaks is left. */
static void write_leaks_told(const struct cg_paper *paper, const json_t *document)
{
	json_int_t told = cg_report_number_of(document, "leaks_told");
	struct cg_buf out = begin();
	if (!cg_report_told_leaks(document) || cg_report_has_open_leak(document))
		return;
	cg_buf_fmt(&out, "closeguard: %lld socket%s told as leaked and %s not outstanding any more\n", (long long)told,
	           told == 1 ? " was" : "s were", told == 1 ? "is" : "are");
	cg_paper_write(paper, out.data);
}

static void write_actions(const struct cg_paper *paper, const json_t *document)
{
	const json_t *actions = json_object_get(document, "actions");
	for (size_t i = 0; i < json_array_size(actions) && i < ACTIONS_IN_TEXT; i++) {
		const json_t *action = json_array_get(actions, i);
		struct cg_buf out = begin();
		cg_buf_fmt(&out, "closeguard: policy: %lld times ", (long long)cg_report_number_of(action, "count"));
		cg_text_plain(&out, cg_report_text_of(action, "action"));
		cg_buf_str(&out, " by rule \"");
		cg_text_plain(&out, cg_report_text_of(action, "rule"));
		cg_buf_str(&out, "\": ");
		cg_text_plain(&out, cg_report_text_of(action, "result"));
		cg_buf_str(&out, json_is_true(json_object_get(action, "dry_run")) ? " (dry run)\n" : "\n");
		cg_paper_write(paper, out.data);
	}
}

void cg_report_text_warnings(const struct cg_paper *paper, const json_t *document)
{
	const json_t *warnings = json_object_get(document, "warnings");
	for (size_t i = 0; i < json_array_size(warnings); i++) {
		struct cg_buf out = begin();
		cg_buf_str(&out, "closeguard: warning: ");
		cg_text_plain(&out, json_string_value(json_array_get(warnings, i)));
		cg_buf_char(&out, '\n');
		cg_paper_write(paper, out.data);
	}
}

void cg_report_text_write(const struct cg_paper *paper, const json_t *document)
{
	cg_report_answer_write(paper, document);
	write_sources(paper, document);
	write_findings(paper, document);
	write_leaks_told(paper, document);
	write_actions(paper, document);
	cg_report_text_warnings(paper, document);
}
