/*
 * main.c: the closeguard command: picks the verb.
 */
#include <stdio.h>
#include <string.h>

#include "cli.h"

static const struct cg_verb verbs[] = {
    {"check", "say what policy files mean, or what is wrong with them", cg_check_main},
    {"explain", "why a program is watched or not; what a finding means and how to mend it", cg_explain_main},
    {"report", "tell what is known of watched processes, living or dead", cg_report_main},
    {"run", "run a program under closeguard", cg_run_main},
    {"scan", "tell of the sockets of any process, watched or not", cg_scan_main},
    {"top", "show watched processes and what they forget to close, as it changes", cg_top_main},
};
enum { VERB_COUNT = sizeof(verbs) / sizeof(verbs[0]) };

static const struct cg_verb *find(const char *name)
{
	for (unsigned i = 0; i < VERB_COUNT; i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

static void print_help(FILE *out)
{
	fputs("usage: closeguard VERB [ARGUMENT...]\n\n"
	      "Finds TCP connections that a program forgot to close, and says where in the code.\n\n",
	      out);
	for (unsigned i = 0; i < VERB_COUNT; i++)
		fprintf(out, "  %-8s %s\n", verbs[i].name, verbs[i].summary);
	fputs("  help     this text; `closeguard help VERB` for one verb\n\n"
	      "Exit status: 0 done, 1 the answer is no, 2 wrong usage, 3 it could not be done; `run` passes the "
	      "program's on.\n",
	      out);
}

static int unknown(const char *name)
{
	cg_common_complain(NULL, "there is no verb '%s'; `closeguard help` lists them", name);
	return CG_EXIT_USAGE;
}

static int help(int argc, char **argv)
{
	if (argc < 2) {
		print_help(stdout);
		return CG_EXIT_DONE;
	}
	const struct cg_verb *verb = find(argv[1]);
	if (!verb)
		return unknown(argv[1]);
	char *ask[] = {argv[1], (char[]){"--help"}, NULL};
	return verb->run(2, ask);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		print_help(stderr);
		return CG_EXIT_USAGE;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		puts("closeguard " CG_CLI_VERSION);
		return CG_EXIT_DONE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0)
		return help(argc - 1, argv + 1);
	const struct cg_verb *verb = find(argv[1]);
	return verb ? verb->run(argc - 1, argv + 1) : unknown(argv[1]);
}
