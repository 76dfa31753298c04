/*
 * options_table.h: one table of a verb's options, from which they are read and from which --help tells them.
 */
#ifndef CG_OPTIONS_TABLE_H
#define CG_OPTIONS_TABLE_H

#include <stdbool.h>

struct cg_option_row {
	const char *name;     /* without its dashes */
	const char *argument; /* what it takes, for --help; NULL: nothing */
	const char *meaning;
};

struct cg_options_table {
	const char *verb;
	const char *usage; /* one line, with its newline */
	const struct cg_option_row *rows;
	unsigned count;
	bool command_follows; /* the first word that is no option ends them: what follows is another program's */
};

/* Told each option that was given, by its row; `argument` is NULL where none is taken. Returns enum cg_cli_exit. */
typedef int cg_options_take(unsigned row, const char *argument, void *context);

/*
 * Reads the options by getopt_long; -h and --help are in every table. Returns enum cg_cli_exit: the first of `take`
 * that is not CG_EXIT_DONE, or CG_EXIT_USAGE with one line on stderr. optind is where the other words begin. *ret_help:
 * the help was asked for, and what came behind was not read.
 */
int cg_options_table_read(const struct cg_options_table *table, int argc, char **argv, cg_options_take *take,
                          void *context, bool *ret_help);

/* A line on stdout for each option. */
void cg_options_table_print(const struct cg_options_table *table);

/* One line on stderr that tells what an option's value may be; returns CG_EXIT_USAGE. */
int cg_options_table_refuse(const struct cg_options_table *table, unsigned row, const char *value, const char *takes);

#endif
