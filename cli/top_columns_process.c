/*
 * top_columns_process.c: the columns of the table of processes.
 */
#include <string.h>

#include "top_columns.h"

static int by_number(uint64_t a, uint64_t b)
{
	return (a < b) - (a > b);
}

static int by_growth(const struct cg_top_rate *a, const struct cg_top_rate *b)
{
	double one = 0, other = 0;
	(void)cg_top_rate_per_minute(a, &one);
	(void)cg_top_rate_per_minute(b, &other);
	return (one < other) - (one > other);
}

static enum cg_top_tone growth(const struct cg_top_rate *rate, struct cg_buf *out)
{
	double per_minute = 0;
	bool known = cg_top_rate_per_minute(rate, &per_minute);
	cg_top_text_growth(out, known, per_minute);
	return known && per_minute >= 0.05 ? CG_TOP_BAD : CG_TOP_PLAIN;
}

static enum cg_top_tone pid_cell(const void *row, struct cg_buf *out, unsigned width)
{
	(void)width;
	cg_buf_fmt(out, "%d", ((const struct cg_top_process *)row)->header.pid);
	return CG_TOP_PLAIN;
}

static int pid_order(const void *a, const void *b)
{
	const struct cg_top_process *one = a, *other = b;
	return (one->header.pid > other->header.pid) - (one->header.pid < other->header.pid);
}

static enum cg_top_tone app_cell(const void *row, struct cg_buf *out, unsigned width)
{
	(void)width;
	cg_buf_str(out, ((const struct cg_top_process *)row)->header.app);
	return CG_TOP_PLAIN;
}

static int app_order(const void *a, const void *b)
{
	const struct cg_top_process *one = a, *other = b;
	return strcmp(one->header.app, other->header.app);
}

static enum cg_top_tone user_cell(const void *row, struct cg_buf *out, unsigned width)
{
	(void)width;
	cg_buf_str(out, ((const struct cg_top_process *)row)->user);
	return CG_TOP_PLAIN;
}

static int user_order(const void *a, const void *b)
{
	const struct cg_top_process *one = a, *other = b;
	return strcmp(one->user, other->user);
}

static enum cg_top_tone host_cell(const void *row, struct cg_buf *out, unsigned width)
{
	(void)width;
	cg_buf_str(out, ((const struct cg_top_process *)row)->header.host);
	return CG_TOP_PLAIN;
}

static int host_order(const void *a, const void *b)
{
	const struct cg_top_process *one = a, *other = b;
	return strcmp(one->header.host, other->header.host);
}

static enum cg_top_tone state_cell(const void *row, struct cg_buf *out, unsigned width)
{
	const struct cg_top_process *process = row;
	(void)width;
	cg_buf_str(out, cg_top_state_name(process->state));
	if (process->state == CG_TOP_LIVE)
		return CG_TOP_GOOD;
	return process->state == CG_TOP_KILLED    ? CG_TOP_BAD
	       : process->state == CG_TOP_STOPPED ? CG_TOP_WARN
	                                          : CG_TOP_DIM;
}

static int state_order(const void *a, const void *b)
{
	const struct cg_top_process *one = a, *other = b;
	return (one->state > other->state) - (one->state < other->state);
}

static enum cg_top_tone open_cell(const void *row, struct cg_buf *out, unsigned width)
{
	(void)width;
	cg_top_text_count(out, ((const struct cg_top_process *)row)->header.open_now);
	return CG_TOP_PLAIN;
}

static int open_order(const void *a, const void *b)
{
	const struct cg_top_process *one = a, *other = b;
	return by_number(one->header.open_now, other->header.open_now);
}

static enum cg_top_tone leaked_cell(const void *row, struct cg_buf *out, unsigned width)
{
	uint64_t leaked = cg_top_model_leaked(row);
	(void)width;
	cg_top_text_count(out, leaked);
	return leaked ? CG_TOP_BAD : CG_TOP_PLAIN;
}

/* What still runs can be mended, so it comes before what is over. */
static int leaked_order(const void *a, const void *b)
{
	const struct cg_top_process *one = a, *other = b;
	bool left = cg_top_state_is_there(one->state), right = cg_top_state_is_there(other->state);
	if (left != right)
		return left ? -1 : 1;
	return by_number(cg_top_model_leaked(one), cg_top_model_leaked(other));
}

static enum cg_top_tone growth_cell(const void *row, struct cg_buf *out, unsigned width)
{
	(void)width;
	return growth(&((const struct cg_top_process *)row)->leaks, out);
}

static int growth_order(const void *a, const void *b)
{
	const struct cg_top_process *one = a, *other = b;
	return by_growth(&one->leaks, &other->leaks);
}

static enum cg_top_tone late_cell(const void *row, struct cg_buf *out, unsigned width)
{
	const struct cg_top_process *process = row;
	(void)width;
	cg_top_text_count(out, process->header.count.late_closes);
	return process->header.count.late_closes ? CG_TOP_WARN : CG_TOP_PLAIN;
}

static int late_order(const void *a, const void *b)
{
	const struct cg_top_process *one = a, *other = b;
	return by_number(one->header.count.late_closes, other->header.count.late_closes);
}

static enum cg_top_tone closes_cell(const void *row, struct cg_buf *out, unsigned width)
{
	double per_minute = 0;
	(void)width;
	if (cg_top_rate_per_minute(&((const struct cg_top_process *)row)->closes, &per_minute))
		cg_top_text_count(out, (uint64_t)(per_minute + 0.5));
	else
		cg_buf_char(out, '-');
	return CG_TOP_PLAIN;
}

static int closes_order(const void *a, const void *b)
{
	const struct cg_top_process *one = a, *other = b;
	return by_growth(&one->closes, &other->closes);
}

#define DELAY(name, thousandths)                                                                                       \
	static enum cg_top_tone name##_cell(const void *row, struct cg_buf *out, unsigned width)                       \
	{                                                                                                              \
		const struct cg_top_process *process = row;                                                            \
		(void)width;                                                                                           \
		cg_top_text_delay(out, cg_top_model_percentile(process->delays, thousandths));                         \
		return CG_TOP_PLAIN;                                                                                   \
	}                                                                                                              \
                                                                                                                       \
	static int name##_order(const void *a, const void *b)                                                          \
	{                                                                                                              \
		const struct cg_top_process *one = a, *other = b;                                                      \
		int left = cg_top_model_percentile(one->delays, thousandths);                                          \
		int right = cg_top_model_percentile(other->delays, thousandths);                                       \
		return (left < right) - (left > right);                                                                \
	}
DELAY(p50, 500)
DELAY(p90, 900)
DELAY(p99, 990)

static enum cg_top_tone program_cell(const void *row, struct cg_buf *out, unsigned width)
{
	cg_top_text_fit(out, ((const struct cg_top_process *)row)->header.exe, width, CG_TOP_TAIL);
	return CG_TOP_DIM;
}

static const struct cg_top_column columns[] = {
    {"PID", 7, true, 0, 0, 1, pid_cell, pid_order},          {"APP", 11, false, 1, 24, 4, app_cell, app_order},
    {"USER", 6, false, 1, 12, 11, user_cell, user_order},    {"HOST", 10, false, 1, 20, 13, host_cell, host_order},
    {"STATE", 7, false, 0, 0, 3, state_cell, state_order},   {"OPEN", 5, true, 0, 0, 5, open_cell, open_order},
    {"LEAKED", 6, true, 0, 0, 2, leaked_cell, leaked_order}, {"+/MIN", 6, true, 0, 0, 12, growth_cell, growth_order},
    {"LATE", 5, true, 0, 0, 10, late_cell, late_order},      {"CLOSE/M", 7, true, 0, 0, 6, closes_cell, closes_order},
    {"P50", 5, true, 0, 0, 8, p50_cell, p50_order},          {"P90", 5, true, 0, 0, 9, p90_cell, p90_order},
    {"P99", 5, true, 0, 0, 7, p99_cell, p99_order},          {"PROGRAM", 20, false, 3, 100, 14, program_cell, NULL},
};

enum { COUNT = sizeof columns / sizeof columns[0], LEAKED = 6 };

const struct cg_top_table cg_top_process_table = {columns, COUNT, LEAKED};
