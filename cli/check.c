/*
 * check.c: `closeguard check`, which says what policy files mean, or what is wrong with them.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "cli.h"

enum { KEPT = 200 }; /* lines of each kind; a file with more errors is mended in turns */

static const char usage[] = "usage: closeguard check [--app NAME] [--explain FACTS] FILE...\n";

struct question {
	const char *app, *facts; /* NULL where not asked */
};

static void print_help(void)
{
	fputs(usage, stdout);
	printf(
	    "\nReads policy files as the library does and says in plain words what they match and do. Errors are one "
	    "line each,\nfile:line: key: what is wrong, what is allowed; all of a file are told.\n\n"
	    "  %-18s %s\n  %-18s %s\n  %-18s %s\n\n"
	    "FACTS tell of a connection what is known: role=accepted|connected, local=ADDRESS:PORT, "
	    "peer=ADDRESS:PORT,\nsite=FUNCTION (may be repeated), separated by blanks; IPv6 as [ADDRESS]:PORT.\n\n"
	    "  closeguard check --explain \"role=accepted local=10.0.0.1:8443 peer=192.0.2.7:51000\" nginx.cfg\n\n"
	    "It exits with 0 where all files are valid (and for the program), 1 where one is not, 2 for wrong usage "
	    "and 3\nwhere a file cannot be read.\n",
	    "--app NAME", "is the file for the program of this name?", "--explain FACTS",
	    "which rule would apply to a connection, and what would it do?", "-h, --help", "this text");
}

static void print_notes(const char *prefix, char (*lines)[CG_POLICY_LINE], unsigned count, const char *file)
{
	for (unsigned i = 0; i < count && i < KEPT; i++)
		fprintf(stderr, "%s%s\n", prefix, cg_common_plain(lines[i]));
	if (count > KEPT)
		fprintf(stderr, "%s%s: and %u more\n", prefix, cg_common_plain(file), count - KEPT);
}

/* Returns an exit code. */
static int check(const char *file, const struct question *question)
{
	static struct cg_policy policy;
	static char errors[KEPT][CG_POLICY_LINE], warnings[KEPT][CG_POLICY_LINE];
	unsigned warned = 0;
	if (access(file, R_OK) < 0) {
		cg_common_complain("check", "%s: %s", file, strerror(errno));
		return CG_EXIT_FAILED;
	}
	int count = cg_policy_load(file, question->app, &policy, errors, KEPT, warnings, KEPT, &warned);
	print_notes("", errors, (unsigned)count, file);
	print_notes("warning: ", warnings, warned, file);
	if (count)
		return CG_EXIT_NO;
	if (question->app && !policy.applies) {
		printf("%s: valid, but not for %s: app is \"%s\"\n", cg_common_plain(file),
		       cg_common_plain(question->app), cg_common_plain(policy.app));
		return CG_EXIT_NO;
	}
	if (question->facts)
		return cg_check_explain(file, &policy, question->facts);
	cg_check_print(file, &policy);
	return CG_EXIT_DONE;
}

static int check_all(int count, char **files, const struct question *question)
{
	int worst = CG_EXIT_DONE;
	for (int i = 0; i < count; i++) {
		int code = check(files[i], question);
		fflush(stdout); /* so that the next file's errors stand behind it */
		if (code == CG_EXIT_USAGE)
			return code; /* the facts are at fault, for every file */
		worst = code > worst ? code : worst;
	}
	if (fflush(stdout) == EOF || ferror(stdout)) {
		cg_common_complain("check", "the answer could not be written: %s", strerror(errno));
		return CG_EXIT_FAILED;
	}
	return worst;
}

int cg_check_main(int argc, char **argv)
{
	static const struct option table[] = {{"app", required_argument, NULL, 'a'},
	                                      {"explain", required_argument, NULL, 'e'},
	                                      {"help", no_argument, NULL, 'h'},
	                                      {NULL, 0, NULL, 0}};
	struct question question = {NULL, NULL};
	optind = 0;
	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, ":h", table, NULL)) != -1;) {
		if (c == 'h') {
			print_help();
			return CG_EXIT_DONE;
		}
		if (c == 'a') {
			question.app = optarg;
		} else if (c == 'e') {
			question.facts = optarg;
		} else {
			cg_common_complain("check", "%s %s; `closeguard check --help` lists the options",
			                   argv[optind - 1],
			                   c == ':' ? "needs a value" : "is no option of check, or takes no value");
			return CG_EXIT_USAGE;
		}
	}
	if (optind == argc) {
		fputs(usage, stderr);
		return CG_EXIT_USAGE;
	}
	return check_all(argc - optind, argv + optind, &question);
}
