/*
 * report.c: `closeguard report`, which merges what any number of processes said and prints it.
 */
#include <errno.h>
#include <locale.h>
#include <string.h>

#include "cli.h"
#include "json_text.h"
#include "naming.h"
#include "progress.h"
#include "report_diff.h"
#include "report_folded.h"
#include "report_html.h"
#include "report_options.h"
#include "report_output.h"
#include "report_source.h"
#include "report_sources.h"
#include "report_text.h"
#include "report_view.h"

static int print(FILE *out, const struct cg_report_options *options, const json_t *document)
{
	struct cg_paper paper = cg_paper_of(out, options->colour, options->width);
	struct cg_paper aside = cg_paper_of(stderr, options->colour, options->width);
	int error = 0;
	if (options->format == CG_REPORT_HTML) {
		error = cg_report_html_write(out, document);
	} else if (options->format == CG_REPORT_JSON) {
		errno = 0;
		if (cg_json_write(document, out, JSON_REAL_PRECISION(12)) < 0)
			error = errno ? -errno : -EIO;
	} else if (options->format == CG_REPORT_FOLDED) {
		cg_report_folded_write(out, document, options->place);
	} else if (options->old) {
		cg_report_diff_write(&paper, document);
	} else {
		cg_report_text_write(&paper, document);
	}
	/* Where nobody is going to read them otherwise. */
	if (options->format == CG_REPORT_FOLDED || (options->output && options->format != CG_REPORT_TEXT))
		cg_report_text_warnings(&aside, document);
	return error;
}

static int write_out(const struct cg_report_options *options, const json_t *document)
{
	struct cg_output output;
	const char *name = options->output ? options->output : "the report";
	cg_progress_end();
	int error = cg_output_open(options->output, &output);
	if (!error) {
		error = print(output.file, options, document);
		if (error)
			cg_output_abandon(&output);
		else
			error = cg_output_finish(&output);
	}
	if (error)
		cg_common_complain("report", "%s could not be written: %s", name, strerror(-error));
	return error ? CG_EXIT_FAILED : CG_EXIT_DONE;
}

/* A new document, NULL where nothing could be read; ret_code is the worst that happened. */
static json_t *gather(int count, char **arguments, int *ret_code, bool *ret_failed)
{
	struct cg_merge merge;
	json_t *document = NULL;
	int code = CG_EXIT_DONE;
	if (cg_merge_begin(&merge) < 0)
		return NULL;
	if (!count)
		code = cg_report_all(&merge, "report");
	for (int i = 0; i < count && code != CG_EXIT_USAGE; i++) {
		int one = cg_report_named(&merge, "report", arguments[i]);
		code = one == CG_EXIT_USAGE || one > code ? one : code;
	}
	cg_progress_show("naming functions");
	cg_naming_begin();
	if (code != CG_EXIT_USAGE && (merge.source_count || !code))
		document = cg_merge_document(&merge);
	if (document && cg_naming_trouble())
		json_array_append_new(merge.warnings, cg_json_text(cg_naming_trouble()));
	*ret_failed |= merge.failed;
	cg_merge_end(&merge);
	*ret_code = code > *ret_code ? code : *ret_code;
	return document;
}

static int report(int count, char **arguments, const struct cg_report_options *options)
{
	bool failed = false, ignored = false, worse = false;
	int code = CG_EXIT_DONE;
	char *old_name = (char *)options->old;
	json_t *old = options->old ? gather(1, &old_name, &code, &ignored) : NULL;
	if (options->old && !old)
		return code ? code : CG_EXIT_FAILED;
	json_t *document = gather(count, arguments, &code, &failed);
	if (document && (options->source || options->format == CG_REPORT_HTML))
		cg_report_source_add(document, options->folder);
	if (document && old)
		worse = cg_report_diff(document, old, options->old);
	else if (document)
		worse = cg_report_has_open_leak(document) || cg_report_told_leaks(document) || failed;
	bool empty =
	    !document || (!json_array_size(json_object_get(document, "sources")) && options->format == CG_REPORT_TEXT);
	if (!empty || (document && old)) {
		int written = write_out(options, document);
		code = written > code ? written : code;
	}
	cg_progress_end();
	json_decref(document);
	json_decref(old);
	return code == CG_EXIT_DONE && worse && !options->exit_zero ? CG_EXIT_NO : code;
}

int cg_report_main(int argc, char **argv)
{
	struct cg_report_options options;
	setlocale(LC_CTYPE, "");
	int code = cg_report_options(argc, argv, &options);
	return code >= 0 ? code : report(argc - options.first, argv + options.first, &options);
}
