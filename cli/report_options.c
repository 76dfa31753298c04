/*
 * report_options.c: the command line of a report.
 */
#include "report_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "fmt.h"
#include "recorders.h"

static const char *const formats[] = {"text", "json", "folded", "html"};
static const char *const places[] = {"opened", "eof", "last_use"};
static const char *const colours[] = {"auto", "always", "never"};

static void print_help(void)
{
	static const struct {
		const char *option, *what;
	} table[] = {
	    {"--format text|json|folded|html", "text is the default; json: one object; folded: stacks for\n"
	                                       "                                  flame graph tools and speedscope; "
	                                       "html: one page that needs nothing else"},
	    {"-o, --output FILE", "instead of standard output; FILE is there whole or not at all"},
	    {"--diff OLD",
	     "what is new, grown, gone or shrunk since OLD: a saved JSON report, a log\n"
	     "                                  or a recorder; exits with 1 if a leak is new or has grown"},
	    {"--source", "three lines of source around each place, where the file is at hand, or\n"
	                 "                                  where =FOLDER says, if that follows; html "
	                 "always has them"},
	    {"--stack opened|eof|last_use", "for folded; opened is the default"},
	    {"--color auto|always|never", "auto, the default: on a terminal, without NO_COLOR"},
	    {"--width N", "columns of text; the default is the terminal's"},
	    {"--exit-zero", "exits with 0 also where a leak was found"},
	    {"-h, --help", "this text"},
	};
	printf("usage: closeguard report [OPTION]... [PID | RECORDER | LOG | REPORT]...\n\n"
	       "Merges what closeguard knows of processes, living or dead, on any number of hosts: findings are the "
	       "same where\nkind, cause and stacks are, by build-id and offset. PID is looked for in\n%s; without "
	       "arguments, all there are told. A LOG is what\nCLOSEGUARD_FORMAT=json writes, a REPORT a saved "
	       "--format json. Files may be compressed with gzip; \"-\" is\nstandard input.\n\n",
	       cg_recorders_dir());
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		printf("  %-30s  %s\n", table[i].option, table[i].what);
	printf("\nIt exits with 0 where no leak was told, 1 where one was, be it closed by now or not (with --diff: "
	       "where one is new or has\ngrown), 2 for wrong usage and 3 where something cannot be read; the "
	       "reason is one line.\n");
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
		cg_common_complain("report", "--width: '%s' is not understood; it takes a number from 20 to 10000",
		                   word);
		return false;
	}
	*ret = (unsigned)n;
	return true;
}

/* Takes one option; false where its value is wrong. */
static bool set_option(int option, struct cg_report_options *options)
{
	int chosen = 0;
	switch (option) {
	case 'f':
		chosen = choose("format", optarg, formats, 4);
		options->format = chosen < 0 ? CG_REPORT_TEXT : (enum cg_report_format)chosen;
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
	case 'z':
		options->exit_zero = true;
		break;
	case 'S':
		options->source = true;
		options->folder = optarg;
		break;
	case 'o':
		options->output = optarg;
		break;
	default:
		options->old = optarg;
	}
	return chosen >= 0;
}

int cg_report_options(int argc, char **argv, struct cg_report_options *ret)
{
	static const struct option table[] = {
	    {"color", required_argument, NULL, 'c'},  {"diff", required_argument, NULL, 'd'},
	    {"exit-zero", no_argument, NULL, 'z'},    {"format", required_argument, NULL, 'f'},
	    {"help", no_argument, NULL, 'h'},         {"output", required_argument, NULL, 'o'},
	    {"source", optional_argument, NULL, 'S'}, {"stack", required_argument, NULL, 's'},
	    {"width", required_argument, NULL, 'w'},  {NULL, 0, NULL, 0}};
	struct cg_report_options options = {.place = "opened"};
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
	if (options.old && options.format == CG_REPORT_FOLDED) {
		cg_common_complain("report", "--diff has no folded stacks; it takes --format text, json or html");
		return CG_EXIT_USAGE;
	}
	options.first = optind;
	*ret = options;
	return -1;
}
