/*
 * options_table.c: hands a verb's table of options to getopt_long.
 */
#include "options_table.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

enum { HELP = 'h', FIRST_ROW = CHAR_MAX + 1 };

static struct option *long_options(const struct cg_options_table *table)
{
	struct option *rows = calloc(table->count + 2, sizeof *rows);
	if (!rows)
		return NULL;
	for (unsigned i = 0; i < table->count; i++)
		rows[i] =
		    (struct option){table->rows[i].name, table->rows[i].argument ? required_argument : no_argument,
		                    NULL, FIRST_ROW + (int)i};
	rows[table->count] = (struct option){"help", no_argument, NULL, HELP};
	return rows;
}

static int complain(const struct cg_options_table *table, const char *word, bool lacks_value)
{
	char text[64];
	cg_common_print(text, sizeof text, "is no option of %s, or takes no value", table->verb);
	cg_common_complain(table->verb, "%s %s; `closeguard %s --help` lists the options", word,
	                   lacks_value ? "needs a value" : text, table->verb);
	return CG_EXIT_USAGE;
}

static int read_rows(const struct cg_options_table *table, const struct option *rows, int argc, char **argv,
                     cg_options_take *take, void *context, bool *ret_help)
{
	/* ':' tells a missing argument from an option that is none. */
	const char *letters = table->command_follows ? "+:h" : ":h";
	optind = 0;
	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, letters, rows, NULL)) != -1;) {
		if (c == HELP) {
			*ret_help = true;
			return CG_EXIT_DONE;
		}
		if (c == '?' || c == ':')
			return complain(table, argv[optind - 1], c == ':');
		int code = take((unsigned)(c - FIRST_ROW), optarg, context);
		if (code != CG_EXIT_DONE)
			return code;
	}
	return CG_EXIT_DONE;
}

int cg_options_table_read(const struct cg_options_table *table, int argc, char **argv, cg_options_take *take,
                          void *context, bool *ret_help)
{
	struct option *rows = long_options(table);
	if (!rows) {
		cg_common_complain(table->verb, "out of memory");
		return CG_EXIT_FAILED;
	}
	int code = read_rows(table, rows, argc, argv, take, context, ret_help);
	free(rows);
	return code;
}

void cg_options_table_print(const struct cg_options_table *table)
{
	for (unsigned i = 0; i < table->count; i++) {
		const struct cg_option_row *row = &table->rows[i];
		char left[64];
		cg_common_print(left, sizeof left, "--%s%s%s", row->name, row->argument ? " " : "",
		                row->argument ? row->argument : "");
		printf("  %-22s %s\n", left, row->meaning);
	}
	printf("  %-22s %s\n", "-h, --help", "this text");
}

int cg_options_table_refuse(const struct cg_options_table *table, unsigned row, const char *value, const char *takes)
{
	cg_common_complain(table->verb, "--%s: '%s' is not understood; it takes %s", table->rows[row].name, value,
	                   takes);
	return CG_EXIT_USAGE;
}
