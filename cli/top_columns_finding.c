/*
 * top_columns_finding.c: the columns of the table of findings.
 */
#include <string.h>

#include "top_columns.h"
#include "top_same.h"
#include "top_site.h"

enum { SITE_BYTES = 256 };

static enum cg_top_tone tone_of(const struct cg_top_finding *finding)
{
	static const enum cg_top_tone tones[] = {
	    [CG_VERDICT_LEAK] = CG_TOP_BAD, [CG_VERDICT_LATE] = CG_TOP_WARN, [CG_VERDICT_INFO] = CG_TOP_PLAIN};
	return tones[cg_top_same_worst(finding)->kept.verdict];
}

static int verdict_order(const void *a, const void *b)
{
	unsigned one = cg_top_same_worst(a)->kept.verdict, other = cg_top_same_worst(b)->kept.verdict;
	return (one > other) - (one < other);
}

static enum cg_top_tone count_cell(const void *row, struct cg_buf *out, unsigned width)
{
	const struct cg_top_finding *finding = row;
	(void)width;
	cg_top_text_count(out, cg_top_same_count(finding));
	return tone_of(finding);
}

/* Of what still runs leaks come first, then what was late, then the rest; then the same of what is over. */
static int count_order(const void *a, const void *b)
{
	const struct cg_top_finding *one = a, *other = b;
	bool left = cg_top_state_is_there(one->process->state), right = cg_top_state_is_there(other->process->state);
	if (left != right)
		return left ? -1 : 1;
	int order = verdict_order(a, b);
	uint64_t count = cg_top_same_count(one), other_count = cg_top_same_count(other);
	return order ? order : (count < other_count) - (count > other_count);
}

static enum cg_top_tone growth_cell(const void *row, struct cg_buf *out, unsigned width)
{
	double per_minute = 0;
	bool known = cg_top_same_growth(row, &per_minute);
	(void)width;
	cg_top_text_growth(out, known, per_minute);
	return known && per_minute >= 0.05 ? tone_of(row) : CG_TOP_PLAIN;
}

static int growth_order(const void *a, const void *b)
{
	double left, right;
	(void)cg_top_same_growth(a, &left);
	(void)cg_top_same_growth(b, &right);
	return (left < right) - (left > right);
}

static enum cg_top_tone age_cell(const void *row, struct cg_buf *out, unsigned width)
{
	(void)width;
	cg_buf_age(out, cg_top_same_age(row) / 1000000000u * 1000000000u);
	return CG_TOP_PLAIN;
}

static int age_order(const void *a, const void *b)
{
	uint64_t one = cg_top_same_age(a), other = cg_top_same_age(b);
	return (one < other) - (one > other);
}

static enum cg_top_tone verdict_cell(const void *row, struct cg_buf *out, unsigned width)
{
	static const char *const names[] = {
	    [CG_VERDICT_LEAK] = "LEAK", [CG_VERDICT_LATE] = "LATE", [CG_VERDICT_INFO] = "info"};
	const struct cg_top_finding *finding = row;
	(void)width;
	cg_buf_str(out, names[cg_top_same_worst(finding)->kept.verdict]);
	return tone_of(finding);
}

static enum cg_top_tone sure_cell(const void *row, struct cg_buf *out, unsigned width)
{
	unsigned confidence = cg_top_same_worst(row)->kept.confidence;
	(void)width;
	cg_buf_fmt(out, "%u%%", (confidence < 1000 ? confidence : 1000) / 10);
	return CG_TOP_PLAIN;
}

static int sure_order(const void *a, const void *b)
{
	unsigned one = cg_top_same_worst(a)->kept.confidence, other = cg_top_same_worst(b)->kept.confidence;
	return (one < other) - (one > other);
}

static enum cg_top_tone kind_cell(const void *row, struct cg_buf *out, unsigned width)
{
	(void)width;
	cg_buf_str(out, cg_kind_name((enum cg_kind)((const struct cg_top_finding *)row)->kept.kind));
	return CG_TOP_PLAIN;
}

static enum cg_top_tone cause_cell(const void *row, struct cg_buf *out, unsigned width)
{
	(void)width;
	cg_buf_str(out, cg_top_columns_cause(&((const struct cg_top_finding *)row)->kept));
	return CG_TOP_PLAIN;
}

static int cause_order(const void *a, const void *b)
{
	const struct cg_top_finding *one = a, *other = b;
	return strcmp(cg_top_columns_cause(&one->kept), cg_top_columns_cause(&other->kept));
}

static enum cg_top_tone pid_cell(const void *row, struct cg_buf *out, unsigned width)
{
	unsigned processes = cg_top_same_processes(row);
	(void)width;
	if (processes > 1)
		cg_buf_fmt(out, "%u pids", processes);
	else
		cg_buf_fmt(out, "%d", ((const struct cg_top_finding *)row)->process->header.pid);
	return CG_TOP_PLAIN;
}

static int pid_order(const void *a, const void *b)
{
	const struct cg_top_finding *one = a, *other = b;
	int left = one->process->header.pid, right = other->process->header.pid;
	return (left > right) - (left < right);
}

static enum cg_top_tone app_cell(const void *row, struct cg_buf *out, unsigned width)
{
	(void)width;
	cg_buf_str(out, ((const struct cg_top_finding *)row)->process->header.app);
	return CG_TOP_PLAIN;
}

static int app_order(const void *a, const void *b)
{
	const struct cg_top_finding *one = a, *other = b;
	int order = strcmp(one->process->header.app, other->process->header.app);
	return order ? order : pid_order(a, b);
}

static enum cg_top_tone site_text(const struct cg_top_site *site, const struct cg_top_finding *finding,
                                  struct cg_buf *out, unsigned width)
{
	char name[SITE_BYTES], place[SITE_BYTES];
	struct cg_buf function, location;
	cg_buf_init(&function, name, sizeof name);
	cg_buf_init(&location, place, sizeof place);
	cg_top_site_text(site, &function, &location);
	if (site->known)
		cg_top_text_site(out, name, place, width);
	else
		cg_buf_str(out, finding->kept.origin == CG_ORIGIN_UNSEEN ? "(opened unseen)" : "-");
	return site->known ? CG_TOP_PLAIN : CG_TOP_DIM;
}

/* The model is the reader's own; the places in it are only a memory of what the recorder says. */
static const struct cg_top_finding *located(const void *row)
{
	struct cg_top_finding *finding = (struct cg_top_finding *)(uintptr_t)row;
	cg_top_site_locate(finding);
	return finding;
}

static enum cg_top_tone site_cell(const void *row, struct cg_buf *out, unsigned width)
{
	const struct cg_top_finding *finding = located(row);
	return site_text(&finding->site, finding, out, width);
}

static enum cg_top_tone opened_cell(const void *row, struct cg_buf *out, unsigned width)
{
	const struct cg_top_finding *finding = located(row);
	return site_text(&finding->opened, finding, out, width);
}

static const struct cg_top_column columns[] = {
    {"COUNT", 5, true, 0, 0, 1, count_cell, count_order},   {"+/MIN", 6, true, 0, 0, 4, growth_cell, growth_order},
    {"AGE", 6, true, 0, 0, 5, age_cell, age_order},         {"IS", 4, false, 0, 0, 7, verdict_cell, verdict_order},
    {"SURE", 4, true, 0, 0, 8, sure_cell, sure_order},      {"KIND", 15, false, 0, 0, 11, kind_cell, NULL},
    {"CAUSE", 15, false, 0, 0, 2, cause_cell, cause_order}, {"PID", 7, true, 0, 0, 6, pid_cell, pid_order},
    {"APP", 14, false, 1, 28, 10, app_cell, app_order},     {"SITE", 17, false, 2, 70, 3, site_cell, NULL},
    {"OPENED", 20, false, 2, 60, 9, opened_cell, NULL},
};

enum { COUNT = sizeof columns / sizeof columns[0] };

const struct cg_top_table cg_top_finding_table = {columns, COUNT, 0};
