/*
 * report_diff_text.c: writes what has changed for a person.
 */
#include <string.h>

#include "report_diff.h"
#include "report_text.h"
#include "report_text_place.h"
#include "report_view.h"

static char room[CG_REPORT_ROOM];

static void write_counts(const struct cg_paper *paper, const json_t *diff)
{
	static const char *const names[] = {"new", "grown", "gone", "shrunk", "unchanged"};
	struct cg_buf out;
	cg_buf_init(&out, room, sizeof room);
	cg_buf_str(&out, "closeguard: compared with ");
	cg_text_plain(&out, cg_report_text_of(diff, "against"));
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		cg_buf_fmt(&out, "%s %lld %s", i ? "," : ":", (long long)cg_report_number_of(diff, names[i]), names[i]);
	cg_buf_char(&out, '\n');
	json_int_t unnamed = cg_report_number_of(diff, "unnamed");
	if (unnamed)
		cg_buf_fmt(&out,
		           "closeguard: %lld of the new and gone %s functions that could not be named: what cannot be "
		           "found again in another build may be the same\n",
		           (long long)unnamed, unnamed == 1 ? "has" : "have");
	cg_paper_write(paper, out.data);
}

static void write_change(const struct cg_paper *paper, const json_t *finding)
{
	const char *change = cg_report_text_of(finding, "change");
	json_int_t before = cg_report_number_of(finding, "count_before");
	bool gone = strcmp(change, "gone") == 0;
	char word[64];
	struct cg_buf out;
	cg_buf_init(&out, word, sizeof word);
	if (strcmp(change, "new") == 0)
		cg_buf_str(&out, "NEW: ");
	else
		cg_buf_fmt(&out, "%s from %lld: ",
		           gone                           ? "GONE"
		           : strcmp(change, "grown") == 0 ? "GROWN"
		                                          : "SHRUNK",
		           (long long)before);
	cg_buf_init(&out, room, sizeof room);
	json_t *shown = json_copy((json_t *)finding);
	if (gone) /* what was there, not that nothing is */
		json_object_set_new(shown, "count", json_integer(before));
	cg_report_text_finding(&out, shown, word, false);
	json_decref(shown);
	cg_paper_write(paper, out.data);
}

void cg_report_diff_write(const struct cg_paper *paper, const json_t *document)
{
	const json_t *diff = json_object_get(document, "diff"), *findings = json_object_get(diff, "findings");
	write_counts(paper, diff);
	for (size_t i = 0; i < json_array_size(findings); i++)
		write_change(paper, json_array_get(findings, i));
	cg_report_text_warnings(paper, document);
}
