/*
 * top_batch.c: one line for all, one for each process, one for each finding; words and name=value, the site last.
 */
#include "top_batch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli.h"
#include "clock.h"
#include "top_names.h"
#include "top_same.h"
#include "top_site.h"

/* A script waits once for the names of what is new; what has none by then is shown by module and offset. */
enum { NAMES_MS = 10000, LINE_BYTES = 2048 };

/* A name that comes from a recorder stays one word. */
static void add_word(struct cg_buf *out, const char *name, const char *text)
{
	size_t start;
	cg_buf_fmt(out, " %s=", name);
	start = out->len;
	cg_top_text_fit(out, *text ? text : "-", cg_top_text_width(*text ? text : "-"), CG_TOP_LEFT);
	for (size_t i = start; i < out->len; i++)
		if (out->data[i] == ' ')
			out->data[i] = '_';
}

static void add_growth(struct cg_buf *out, const char *name, const struct cg_top_rate *rate)
{
	double per_minute = 0;
	bool known = cg_top_rate_per_minute(rate, &per_minute);
	cg_buf_fmt(out, " %s=", name);
	cg_top_text_growth(out, known, per_minute);
}

static void add_site(struct cg_buf *out, const char *name, const struct cg_top_site *site)
{
	char function_text[256], location_text[256];
	struct cg_buf function, location;
	cg_buf_init(&function, function_text, sizeof function_text);
	cg_buf_init(&location, location_text, sizeof location_text);
	cg_top_site_text(site, &function, &location);
	cg_buf_fmt(out, " %s=\"%s%s%s\"", name, function_text, *function_text ? " " : "",
	           *location_text ? location_text : "-");
}

static void print_totals(const struct cg_top_model *model)
{
	char line[LINE_BYTES];
	struct cg_buf out;
	struct cg_top_totals totals;
	cg_top_model_totals(model, &totals);
	cg_buf_init(&out, line, sizeof line);
	cg_buf_str(&out, "top time=");
	cg_buf_rfc3339(&out, cg_clock_realtime());
	cg_buf_fmt(&out, " processes=%u stopped=%u dead=%u findings=%u leaked=%lu leaked_per_min=", totals.processes,
	           totals.stopped, totals.dead, totals.findings, totals.leaked);
	cg_top_text_growth(&out, totals.has_growth, totals.growth);
	puts(line);
}

static void print_process(const struct cg_top_process *process)
{
	static const struct {
		const char *name;
		unsigned thousandths;
	} delays[] = {{"p50", 500}, {"p90", 900}, {"p99", 990}};
	char line[LINE_BYTES];
	struct cg_buf out;
	const struct cg_header *h = &process->header;
	double closes = 0;
	cg_buf_init(&out, line, sizeof line);
	cg_buf_fmt(&out, "process pid=%d", h->pid);
	add_word(&out, "app", h->app);
	add_word(&out, "user", process->user);
	add_word(&out, "host", h->host);
	cg_buf_fmt(&out, " state=%s open=%u leaked=%lu", cg_top_state_name(process->state), h->open_now,
	           cg_top_model_leaked(process));
	add_growth(&out, "leaked_per_min", &process->leaks);
	cg_buf_fmt(&out, " late=%lu closed=%lu closes_per_min=", h->count.late_closes, h->count.closed);
	if (cg_top_rate_per_minute(&process->closes, &closes))
		cg_buf_fmt(&out, "%lu", (uint64_t)(closes + 0.5));
	else
		cg_buf_char(&out, '-');
	for (unsigned i = 0; i < sizeof delays / sizeof delays[0]; i++) {
		cg_buf_fmt(&out, " %s=", delays[i].name);
		cg_top_text_delay(&out, cg_top_model_percentile(process->delays, delays[i].thousandths));
	}
	puts(line);
}

static void print_finding(const struct cg_top_finding *row)
{
	char line[LINE_BYTES];
	struct cg_buf out;
	const struct cg_top_finding *finding = cg_top_same_worst(row);
	const struct cg_kept_finding *kept = &finding->kept;
	const char *cause = cg_cause_name((enum cg_cause)kept->cause);
	unsigned sure = kept->confidence < 1000 ? kept->confidence : 1000;
	double per_minute;
	cg_buf_init(&out, line, sizeof line);
	cg_buf_fmt(&out, "finding pid=%d", finding->process->header.pid);
	add_word(&out, "app", finding->process->header.app);
	cg_buf_fmt(&out, " processes=%u verdict=%s confidence=%u.%02u kind=%s cause=%s count=%lu",
	           cg_top_same_processes(row), cg_verdict_name((enum cg_verdict)kept->verdict), sure / 1000,
	           sure % 1000 / 10, cg_kind_name((enum cg_kind)kept->kind), *cause ? cause : "-",
	           cg_top_same_count(row));
	cg_buf_str(&out, " per_min=");
	bool known = cg_top_same_growth(row, &per_minute);
	cg_top_text_growth(&out, known, per_minute);
	cg_buf_str(&out, " age=");
	cg_buf_age(&out, cg_top_same_age(row));
	add_site(&out, "site", &finding->site);
	add_site(&out, "opened", &finding->opened);
	puts(line);
}

/* Asking for a place is what has it named. */
static void name_sites(const struct cg_top_rows *findings)
{
	char text[64];
	struct cg_buf nowhere;
	for (unsigned i = 0; i < findings->count; i++) {
		struct cg_top_finding *finding = (struct cg_top_finding *)(uintptr_t)findings->list[i];
		cg_top_site_locate(finding);
		cg_buf_init(&nowhere, text, sizeof text);
		cg_top_site_text(&finding->site, &nowhere, &nowhere);
		cg_top_site_text(&finding->opened, &nowhere, &nowhere);
	}
	cg_top_names_wait(NAMES_MS);
}

static int print_all(const struct cg_top_options *options)
{
	static struct cg_top_rows processes, findings;
	const struct cg_top_model *model = &options->watch->model;
	if (cg_top_rows_processes(model, &options->processes, &options->filter, &processes) < 0 ||
	    cg_top_rows_findings(model, &options->findings, &options->filter, &findings) < 0) {
		cg_common_complain("top", "%s", strerror(ENOMEM));
		return CG_EXIT_FAILED;
	}
	name_sites(&findings);
	print_totals(model);
	for (unsigned i = 0; i < processes.count; i++)
		print_process(processes.list[i]);
	for (unsigned i = 0; i < findings.count; i++)
		print_finding(findings.list[i]);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return CG_EXIT_DONE;
	cg_common_complain("top", "the lines could not be written: %s", strerror(errno));
	return CG_EXIT_FAILED;
}

/* Told once, when it is new. */
static void tell(const char *trouble, char told[CG_RECORDING_WHY])
{
	if (*trouble && strcmp(told, trouble) != 0)
		cg_common_complain("top", "%s", trouble);
	memcpy(told, trouble, CG_RECORDING_WHY);
}

/* A recorder that cannot be read makes a difference to the exit code; what others have put there does not. */
static bool tell_trouble(const struct cg_top_watch *watch)
{
	static char trouble[CG_RECORDING_WHY], foreign[CG_RECORDING_WHY];
	tell(watch->trouble, trouble);
	tell(watch->foreign, foreign);
	return watch->trouble[0] != '\0';
}

static void nothing(void *context)
{
	(void)context;
}

int cg_top_batch_run(const struct cg_top_options *options)
{
	struct cg_top_watch *watch = options->watch;
	struct timespec interval = {(time_t)(options->interval_ns / 1000000000u),
	                            (long)(options->interval_ns % 1000000000u)};
	bool trouble = false;
	(void)cg_top_names_begin(nothing, NULL);
	for (unsigned long i = 0;; i++) {
		trouble = tell_trouble(watch);
		int code = print_all(options);
		if (code != CG_EXIT_DONE || (options->iterations && i + 1 == options->iterations))
			return trouble ? CG_EXIT_FAILED : code;
		nanosleep(&interval, NULL);
		if (cg_top_watch_refresh(watch, cg_clock_ns(CLOCK_MONOTONIC)) == -ENOMEM)
			return CG_EXIT_FAILED;
	}
}
