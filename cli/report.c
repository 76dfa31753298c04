/*
 * report.c: `closeguard report`, which merges what any number of processes said and prints it.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "fmt.h"
#include "progress.h"
#include "recorders.h"
#include "report_diff.h"
#include "report_folded.h"
#include "report_html.h"
#include "report_output.h"
#include "report_sources.h"
#include "report_text.h"

enum format { TEXT, JSON, FOLDED, HTML, FORMATS };
static const char *const formats[FORMATS] = {"text", "json", "folded", "html"};
static const char *const places[] = {"opened", "eof", "last_use"};
static const char *const colours[] = {"auto", "always", "never"};

struct options {
	enum format format;
	enum cg_colour colour;
	unsigned width;
	const char *output, *old, *place;
};

static void print_help(void)
{
	static const struct {
		const char *option, *what;
	} table[] = {
	    {"--format FORMAT", "text (default), json (one object), folded (stacks for flame graph tools and\n"
	                        "                         speedscope) or html (one page that needs nothing else)"},
	    {"-o, --output FILE", "instead of standard output; FILE is there whole or not at all"},
	    {"--diff OLD", "what is new, grown, gone or shrunk since OLD: a saved JSON report, a log or a\n"
	                   "                         recorder; exits with 1 if a leak (verdict leak) is new or has grown"},
	    {"--stack PLACE", "for folded: opened (default), eof or last_use"},
	    {"--color WHEN", "auto (default: on a terminal, without NO_COLOR), always or never"},
	    {"--width N", "columns of text; the default is the terminal's"},
	    {"-h, --help", "this text"},
	};
	printf("usage: closeguard report [OPTION]... [PID | RECORDER | LOG | REPORT]...\n\n"
	       "Merges what closeguard knows of processes, living or dead, on any number of hosts: findings are the "
	       "same where\nkind, cause and stacks are, by build-id and offset. PID is looked for in\n%s; without "
	       "arguments, all there are told. A LOG is what\nCLOSEGUARD_FORMAT=json writes, a REPORT a saved "
	       "--format json. Files may be compressed with gzip; \"-\" is\nstandard input.\n\n",
	       cg_recorders_dir());
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		printf("  %-22s %s\n", table[i].option, table[i].what);
	printf("\nIt exits with 0 where no leak is outstanding, 1 where one is (with --diff: where one is new or has "
	       "grown), 2 for\nwrong usage and 3 where something cannot be read; the reason is one line.\n");
}

/* The index of a word in a list; -1, and one line, where it is not in it. */
static int choose(const char *option, const char *word, const char *const *list, size_t count)
{
	char text[256];
	struct cg_buf all;
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i], word) == 0)
			return (int)i;
	cg_buf_init(&all, text, sizeof text);
	for (size_t i = 0; i < count; i++)
		cg_buf_fmt(&all, "%s%s", i == 0 ? "" : i + 1 == count ? " or " : ", ", list[i]);
	cg_common_complain("report", "--%s: '%s' is not understood; it takes %s", option, word, text);
	return -1;
}

static bool set_width(const char *word, unsigned *ret)
{
	char *end;
	errno = 0;
	unsigned long n = strtoul(word, &end, 10);
	if (*word < '0' || *word > '9' || *end || errno || n < 20 || n > 10000) {
		cg_common_complain("report", "--width: '%s' is not understood; it takes a number from 20 to 10000", word);
		return false;
	}
	*ret = (unsigned)n;
	return true;
}

/* Takes one option; false where its value is wrong. */
static bool set_option(int option, struct options *options)
{
	int chosen = 0;
	switch (option) {
	case 'f':
		chosen = choose("format", optarg, formats, FORMATS);
		options->format = chosen < 0 ? TEXT : (enum format)chosen;
		break;
	case 'c':
		chosen = choose("color", optarg, colours, 3);
		options->colour = chosen < 0 ? CG_COLOUR_AUTO : (enum cg_colour)chosen;
		break;
	case 's':
		chosen = choose("stack", optarg, places, 3);
		options->place = chosen < 0 ? NULL : places[chosen];
		break;
	case 'w':
		return set_width(optarg, &options->width);
	case 'o':
		options->output = optarg;
		break;
	default:
		options->old = optarg;
	}
	return chosen >= 0;
}

static bool has_open_leak(const json_t *document)
{
	json_t *finding;
	size_t i;
	json_array_foreach(json_object_get(document, "findings"), i, finding)
	{
		const char *verdict = json_string_value(json_object_get(finding, "verdict"));
		if (json_integer_value(json_object_get(finding, "count")) > 0 && verdict && strcmp(verdict, "leak") == 0)
			return true;
	}
	return false;
}

static int print(FILE *out, const struct options *options, const json_t *document)
{
	struct cg_paper paper = cg_paper_of(out, options->colour, options->width);
	struct cg_paper aside = cg_paper_of(stderr, options->colour, options->width);
	int error = 0;
	if (options->format == HTML) {
		error = cg_report_html_write(out, document);
	} else if (options->format == JSON) {
		error = json_dumpf(document, out, JSON_COMPACT | JSON_REAL_PRECISION(12)) < 0 ? -EIO : 0;
		putc('\n', out);
	} else if (options->format == FOLDED) {
		cg_report_folded_write(out, document, options->place);
	} else if (options->old) {
		cg_report_diff_write(&paper, document);
	} else {
		cg_report_text_write(&paper, document);
	}
	/* Where nobody is going to read them otherwise. */
	if (options->format == FOLDED || (options->output && options->format != TEXT))
		cg_report_text_warnings(&aside, document);
	return error;
}

static int write_out(const struct options *options, const json_t *document)
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
	if (code != CG_EXIT_USAGE && (merge.source_count || !code))
		document = cg_merge_document(&merge);
	*ret_failed |= merge.failed;
	cg_merge_end(&merge);
	*ret_code = code > *ret_code ? code : *ret_code;
	return document;
}

static int report(int count, char **arguments, const struct options *options)
{
	bool failed = false, ignored = false, worse = false;
	int code = CG_EXIT_DONE;
	char *old_name = (char *)options->old;
	json_t *old = options->old ? gather(1, &old_name, &code, &ignored) : NULL;
	if (options->old && !old)
		return code ? code : CG_EXIT_FAILED;
	json_t *document = gather(count, arguments, &code, &failed);
	if (document && old)
		worse = cg_report_diff(document, old, options->old);
	else if (document)
		worse = has_open_leak(document) || failed;
	bool empty = !document || (!json_array_size(json_object_get(document, "sources")) && options->format == TEXT);
	if (!empty || (document && old)) {
		int written = write_out(options, document);
		code = written > code ? written : code;
	}
	cg_progress_end();
	json_decref(document);
	json_decref(old);
	return code == CG_EXIT_DONE && worse ? CG_EXIT_NO : code;
}

int cg_report_main(int argc, char **argv)
{
	static const struct option table[] = {
	    {"color", required_argument, NULL, 'c'},  {"diff", required_argument, NULL, 'd'},
	    {"format", required_argument, NULL, 'f'}, {"help", no_argument, NULL, 'h'},
	    {"output", required_argument, NULL, 'o'}, {"stack", required_argument, NULL, 's'},
	    {"width", required_argument, NULL, 'w'},  {NULL, 0, NULL, 0}};
	struct options options = {.place = "opened"};
	setlocale(LC_CTYPE, "");
	optind = 0;
	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, ":ho:", table, NULL)) != -1;) {
		if (c == 'h') {
			print_help();
			return CG_EXIT_DONE;
		}
		if (c == ':' || c == '?') {
			cg_common_complain("report", "%s %s; `closeguard report --help` lists the options",
			                   argv[optind - 1],
			                   c == ':' ? "needs a value" : "is no option of report, or takes no value");
			return CG_EXIT_USAGE;
		}
		if (!set_option(c, &options))
			return CG_EXIT_USAGE;
	}
	if (options.old && options.format == FOLDED) {
		cg_common_complain("report", "--diff has no folded stacks; it takes --format text, json or html");
		return CG_EXIT_USAGE;
	}
	return report(argc - optind, argv + optind, &options);
}
