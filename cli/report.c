/*
 * report.c: `closeguard report`, which tells from recorders what the log of their processes would have told.
 *
 * A process is not asked and not touched: it may be stopped, deadlocked or dead.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "clock.h"
#include "naming.h"
#include "procfs.h"
#include "recorders.h"
#include "recording.h"
#include "report.h"
#include "report_process.h"
#include "retelling.h"
#include "symbol.h"

enum { ROOM = 1 << 20 }; /* for the largest group; each is written by itself */

static const char usage[] = "usage: closeguard report [--format text|json] [PID | RECORDER]...\n";

static void print_help(void)
{
	fputs(usage, stdout);
	printf("\nTells what closeguard knows of watched processes, living or dead, from the files that they keep it "
	       "in.\nPID is looked for in %s; without arguments, all there are told, the newest first.\n\n"
	       "  %-22s %s\n  %-22s %s\n\n"
	       "It exits with 0 where nothing is outstanding, 1 where a leak is, 2 for wrong usage and 3 where a "
	       "recorder\ncannot be read; the reason is one line.\n",
	       cg_recorders_dir(), "--format text|json",
	       "a paragraph for each finding, or one JSON object for each process", "-h, --help", "this text");
}

/* One process's output. */
struct output {
	struct cg_buf text;
	struct cg_report report;
	bool json;
};

static void flush(struct output *out)
{
	fwrite(out->text.data, 1, out->text.len, stdout);
	cg_buf_init(&out->text, out->text.data, out->text.size);
}

static void warn(struct output *out, const char *text)
{
	if (out->json)
		cg_json_warning(&out->text, &out->report, text);
	else
		cg_text_warning(&out->text, &out->report, text);
	flush(out);
}

/* Returns how many leaked sockets are among them. */
static uint64_t tell_groups(struct output *out, const struct cg_retelling *retelling)
{
	struct cg_finding finding;
	uint64_t leaked = 0;
	for (unsigned i = 0; i < retelling->count; i++) {
		cg_retelling_make(retelling, i, &finding);
		if (out->json)
			cg_json_summary_group(&out->text, &out->report, &finding, i == 0);
		else
			cg_text_summary_group(&out->text, &out->report, &finding, i == 0);
		flush(out);
		leaked += finding.verdict == CG_VERDICT_LEAK ? finding.count : 0;
	}
	return leaked;
}

/* Returns whether by the header more is leaked than could be told. */
static bool tell_troubles(struct output *out, const struct cg_recording *recording, uint64_t leaked)
{
	static bool names_told;
	char troubles[CG_RECORDING_TROUBLES][CG_RECORDING_WHY];
	unsigned n = cg_recording_troubles(recording, troubles);
	bool untold = n && recording->header.count.leaked_now > leaked;
	for (unsigned i = 0; i < n; i++)
		warn(out, troubles[i]);
	if (untold &&
	    cg_common_print(troubles[0], sizeof troubles[0],
	                    "%s: by its header, %" PRIu64 " sockets are leaked, and %" PRIu64 " could be told",
	                    recording->path, (uint64_t)recording->header.count.leaked_now, leaked) == 0)
		warn(out, troubles[0]);
	if (cg_symbol_trouble() && !names_told)
		warn(out, cg_symbol_trouble());
	names_told |= cg_symbol_trouble() != NULL;
	return untold;
}

/* Returns whether a leak is outstanding. */
static bool tell(struct output *out, struct cg_recording *recording)
{
	static struct cg_retelling retelling;
	struct cg_summary summary;
	cg_naming_begin();
	cg_retelling_begin(recording, &retelling);
	cg_retelling_ask_kernel(&retelling);
	cg_retelling_summary(&retelling, &summary);
	if (out->json) {
		cg_json_summary_begin(&out->text, &out->report, &summary);
	} else {
		cg_text_summary_begin(&out->text, &out->report, &summary);
		cg_report_process_text(&out->text, recording);
	}
	flush(out);
	uint64_t leaked = tell_groups(out, &retelling);
	if (out->json) {
		cg_json_summary_end(&out->text, &out->report, &summary);
		cg_report_process_json(&out->text, recording);
	} else {
		cg_text_summary_end(&out->text, &out->report, &summary);
	}
	flush(out);
	return tell_troubles(out, recording, leaked) || leaked;
}

static int report_file(const struct cg_recorder *recorder, bool json)
{
	static char room[ROOM];
	static struct cg_recording recording;
	struct output out = {.json = json};
	char why[CG_RECORDING_WHY];
	int error = cg_recording_open(recorder->path, &recording, why);
	if (error == -ENOENT && recorder->searched)
		return CG_EXIT_DONE; /* its process has just ended with nothing to say */
	if (error) {
		cg_common_complain("report", "%s", why);
		return CG_EXIT_FAILED;
	}
	cg_buf_init(&out.text, room, sizeof room);
	out.report = (struct cg_report){.app = recording.header.app,
	                                .host = recording.header.host,
	                                .pid = recording.header.pid,
	                                .realtime_ns = cg_report_realtime(&recording, recording.as_of_ns),
	                                .warn_after_ns = recording.header.warn_after_ns,
	                                .resolve = cg_naming_resolve,
	                                .resolve_context = &recording};
	bool leak = tell(&out, &recording);
	cg_recording_close(&recording);
	return leak ? CG_EXIT_NO : CG_EXIT_DONE;
}

/* A number is a pid; a file of that name can be given as ./4711. Returns an exit code. */
static int find(const char *argument, struct cg_recorders *recorders)
{
	size_t before = recorders->count;
	if (!isdigit((unsigned char)argument[0]) || argument[strspn(argument, "0123456789")])
		return cg_recorders_add(recorders, argument) < 0 ? CG_EXIT_FAILED : CG_EXIT_DONE;
	uintmax_t pid = strtoumax(argument, NULL, 10);
	if (pid == 0 || pid > INT_MAX) {
		cg_common_complain("report", "%s is no process id; a file of that name is ./%s", argument, argument);
		return CG_EXIT_USAGE;
	}
	int error = cg_recorders_find_process((pid_t)pid, recorders);
	if (error)
		cg_common_complain("report", "%s: %s", cg_recorders_dir(), strerror(-error));
	else if (recorders->count == before)
		cg_common_complain("report",
		                   "%s has no recorder of %s %s; one is kept from the first TCP socket on, and after "
		                   "the process's end where it had something to say",
		                   cg_recorders_dir(), cg_proc_alive((pid_t)pid, 0) ? "the process" : "a process",
		                   argument);
	return error || recorders->count == before ? CG_EXIT_FAILED : CG_EXIT_DONE;
}

static int find_all(struct cg_recorders *recorders)
{
	int error = cg_recorders_find(cg_recorders_dir(), 0, recorders);
	if (error)
		cg_common_complain("report", "%s: %s", cg_recorders_dir(), strerror(-error));
	else if (!recorders->count)
		cg_common_complain("report", "%s has no recorder: no watched process runs or had anything to say",
		                   cg_recorders_dir());
	return error ? CG_EXIT_FAILED : CG_EXIT_DONE;
}

/* What could not be done matters more than a leak, and that more than none. */
static int worse(int one, int other)
{
	return one > other ? one : other;
}

static int report(int count, char **arguments, bool json)
{
	struct cg_recorders recorders = {0};
	int code = count ? CG_EXIT_DONE : find_all(&recorders);
	for (int i = 0; i < count; i++) {
		int found = find(arguments[i], &recorders);
		if (found == CG_EXIT_USAGE) {
			cg_recorders_free(&recorders);
			return found;
		}
		code = worse(code, found);
	}
	for (size_t i = 0; i < recorders.count; i++)
		code = worse(code, report_file(&recorders.list[i], json));
	cg_recorders_free(&recorders);
	if (fflush(stdout) == EOF || ferror(stdout)) {
		cg_common_complain("report", "the report could not be written: %s", strerror(errno));
		code = CG_EXIT_FAILED;
	}
	return code;
}

int cg_report_main(int argc, char **argv)
{
	static const struct option table[] = {
	    {"format", required_argument, NULL, 'f'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	bool json = false;
	optind = 0;
	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, ":h", table, NULL)) != -1;) {
		if (c == 'h') {
			print_help();
			return CG_EXIT_DONE;
		}
		if (c == 'f' && (strcmp(optarg, "json") == 0 || strcmp(optarg, "text") == 0)) {
			json = optarg[0] == 'j';
			continue;
		}
		if (c == 'f')
			cg_common_complain("report", "--format: '%s' is not understood; it takes text or json", optarg);
		else
			cg_common_complain("report", "%s %s; `closeguard report --help` lists the options",
			                   argv[optind - 1],
			                   c == ':' ? "needs a value" : "is no option of report, or takes no value");
		return CG_EXIT_USAGE;
	}
	return report(argc - optind, argv + optind, json);
}
