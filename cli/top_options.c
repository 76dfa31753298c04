/*
 * top_options.c: the options of `closeguard top` and their help.
 */
#include "top_options.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"

static const uint64_t least_interval_ns = 100000000u, most_interval_ns = 3600000000000u;

static char given[16]; /* the option that is being read, "-i" or "--interval" */

static const char usage[] = "usage: closeguard top [OPTION...] [PID]\n";

static const char *const options_help[] = {
    "-b, --batch           plain lines instead of a screen; so it is where the output is no terminal, too",
    "-n, --iterations N    end after N refreshes",
    "-1, --once            the same as --batch --iterations 1",
    "-i, --interval D      time between refreshes, such as 500ms, 2s, 1m (1s)",
    "-s, --sort COLUMN     sort findings by this column at first, or processes where only they have it",
    "-f, --filter TEXT     only what shows this text",
    "-h, --help            this text",
};

static const char keys_help[] = "On the screen: arrows, j k, PgUp PgDn choose a line; Tab the other table; Enter opens "
                                "a process or a finding with\n"
                                "its stacks, Esc goes back; < > sort by another column, r the other way round; / "
                                "filters; p pauses; + - change the\n"
                                "interval; ? explains the columns; q quits.\n";

static void print_help(void)
{
	fputs(usage, stdout);
	printf(
	    "\nShows the processes that closeguard watches, or the one with this PID, and what they forgot to close, "
	    "as it\nchanges. It reads the files that they keep in %s and touches no process: one that is\nstopped, "
	    "hangs "
	    "or was killed is shown as well.\n\n",
	    cg_recorders_dir());
	for (size_t i = 0; i < sizeof options_help / sizeof options_help[0]; i++)
		printf("  %s\n", options_help[i]);
	printf("\n%s\nNO_COLOR is obeyed. It exits with 0 when it is left, 2 for wrong usage and 3 where PID is not "
	       "watched "
	       "or\nsomething cannot be read.\n",
	       keys_help);
}

/* By the name that the option was given by. */
static int complain(const char *value, const char *wanted)
{
	cg_common_complain("top", "%s: '%s' is not understood; it takes %s", given, value, wanted);
	return CG_EXIT_USAGE;
}

static int set_interval(const char *value, struct cg_top_options *ret)
{
	uint64_t ns;
	if (cg_parse_duration(value, &ns) < 0 || ns < least_interval_ns || ns > most_interval_ns)
		return complain(value, "a time from 100ms to 1h");
	ret->interval_ns = ns;
	return -1;
}

static int set_iterations(const char *value, struct cg_top_options *ret)
{
	long n;
	if (cg_parse_number(value, 1, LONG_MAX, &n) < 0)
		return complain(value, "a number from 1 on");
	ret->iterations = (unsigned long)n;
	return -1;
}

/* Those that can be sorted by, but for what `before` has too. */
static void list_columns(const struct cg_top_table *table, const struct cg_top_table *before, struct cg_buf *out)
{
	for (unsigned i = 0; i < table->count; i++)
		if (table->columns[i].order &&
		    (!before || cg_top_columns_find(before, table->columns[i].title) < 0))
			cg_buf_fmt(out, "%s%s", out->len ? ", " : "", table->columns[i].title);
}

static int set_sort(const char *value, struct cg_top_options *ret)
{
	char titles[512];
	struct cg_buf wanted;
	int finding = cg_top_columns_find(&cg_top_finding_table, value);
	int process = cg_top_columns_find(&cg_top_process_table, value);
	if (finding >= 0)
		ret->findings.sort = (unsigned)finding;
	if (process >= 0)
		ret->processes.sort = (unsigned)process;
	if (finding >= 0 || process >= 0)
		return -1;
	cg_buf_init(&wanted, titles, sizeof titles);
	list_columns(&cg_top_finding_table, NULL, &wanted);
	list_columns(&cg_top_process_table, &cg_top_finding_table, &wanted);
	return complain(value, titles);
}

static int set_filter(const char *value, struct cg_top_options *ret)
{
	if (cg_common_print(ret->filter.text, sizeof ret->filter.text, "%s", value) < 0)
		return complain(value, "a text of at most 63 bytes");
	return -1;
}

static int set_pid(int count, char **arguments, struct cg_top_options *ret)
{
	long pid;
	if (count == 0)
		return -1;
	if (cg_parse_number(arguments[0], 1, INT_MAX, &pid) < 0) {
		cg_common_complain("top", "'%s' is no process id", arguments[0]);
		return CG_EXIT_USAGE;
	}
	if (count > 1) {
		cg_common_complain("top", "'%s' is one too many: it takes one process id, or none for all",
		                   arguments[1]);
		return CG_EXIT_USAGE;
	}
	ret->pid = (pid_t)pid;
	return -1;
}

static int set(int option, struct cg_top_options *ret)
{
	switch (option) {
	case '1':
		ret->iterations = 1;
		ret->batch = true;
		return -1;
	case 'b':
		ret->batch = true;
		return -1;
	case 'f':
		return set_filter(optarg, ret);
	case 'i':
		return set_interval(optarg, ret);
	case 'n':
		return set_iterations(optarg, ret);
	case 's':
		return set_sort(optarg, ret);
	default:
		print_help();
		return CG_EXIT_DONE;
	}
}

int cg_top_options_parse(int argc, char **argv, struct cg_top_options *ret)
{
	static const struct option table[] = {{"batch", no_argument, NULL, 'b'},
	                                      {"filter", required_argument, NULL, 'f'},
	                                      {"help", no_argument, NULL, 'h'},
	                                      {"interval", required_argument, NULL, 'i'},
	                                      {"iterations", required_argument, NULL, 'n'},
	                                      {"once", no_argument, NULL, '1'},
	                                      {"sort", required_argument, NULL, 's'},
	                                      {NULL, 0, NULL, 0}};
	*ret = (struct cg_top_options){.interval_ns = 1000000000u};
	cg_top_rows_choose(&ret->processes, &cg_top_process_table);
	cg_top_rows_choose(&ret->findings, &cg_top_finding_table);
	optind = 0;
	opterr = 0;
	for (int c, code, row = -1; (c = getopt_long(argc, argv, ":1bf:hi:n:s:", table, &row)) != -1; row = -1) {
		if (c == '?' || c == ':') {
			cg_common_complain("top", "%s %s; `closeguard top --help` lists the options", argv[optind - 1],
			                   c == ':' ? "needs a value" : "is no option of top, or takes no value");
			return CG_EXIT_USAGE;
		}
		if (row < 0)
			(void)cg_common_print(given, sizeof given, "-%c", c);
		else
			(void)cg_common_print(given, sizeof given, "--%s", table[row].name);
		code = set(c, ret);
		if (code >= 0)
			return code;
	}
	return set_pid(argc - optind, argv + optind, ret);
}
