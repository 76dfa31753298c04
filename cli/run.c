/*
 * run.c: `closeguard run`, which starts a program with libcloseguard.so preloaded.
 *
 * The program takes this process's place: signals, the terminal, job control and the exit status are its own, and
 * nothing has to be passed on.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "options.h"
#include "preload.h"
#include "target.h"

extern char **environ;

/* An option sets the variable of the same name; the environment's value gives way. */
struct choice {
	const char *option;
	const char *variable;
	const char *argument; /* for --help; NULL: none is taken and `value` is set */
	const char *value;
	const char *meaning;
};

static const struct choice choices[] = {
    {"policy", "CLOSEGUARD_POLICY", "FILE", NULL, "the policy file"},
    {"log", "CLOSEGUARD_LOG", "TARGET", NULL, "where findings go: stderr, none, syslog or a path with %p %e %h %t"},
    {"json", "CLOSEGUARD_FORMAT", NULL, "json", "one JSON object a line instead of text"},
    {"warn-after", "CLOSEGUARD_WARN_AFTER", "D", NULL, "how long a socket may stay closable (500ms, 10s, 5m)"},
    {"stacks", "CLOSEGUARD_STACKS", "MODE", NULL, "full, fp or off"},
    {"error-exitcode", "CLOSEGUARD_EXITCODE", "N", NULL, "exit with N where findings are outstanding at a clean exit"},
};
enum { CHOICE_COUNT = sizeof(choices) / sizeof(choices[0]), OPTION_HELP = 'h' };

static const char usage[] = "usage: closeguard run [OPTION...] [--] COMMAND [ARGUMENT...]\n";

static void print_help(void)
{
	unsigned count;
	const struct cg_option_info *table = cg_options_table(&count);
	fputs(usage, stdout);
	fputs(
	    "\nRuns COMMAND with libcloseguard.so preloaded. Its process, exit status and terminal are this one's.\n"
	    "Findings go to stderr unless --log says otherwise.\n\nOptions, each of which wins over its variable:\n\n",
	    stdout);
	for (unsigned i = 0; i < CHOICE_COUNT; i++) {
		char left[48];
		cg_common_print(left, sizeof(left), "--%s%s%s", choices[i].option, choices[i].argument ? " " : "",
		                choices[i].argument ? choices[i].argument : "");
		printf("  %-22s %s\n", left, choices[i].meaning);
	}
	printf("  %-22s %s\n\nSettings, by environment variable:\n\n", "-h, --help", "this text");
	for (unsigned i = 0; i < count; i++) {
		printf("  %-22s %s\n%25s%s", table[i].variable, table[i].meaning, "", table[i].values);
		printf(table[i].standard[0] ? "; default %s\n" : "; unset by default\n", table[i].standard);
	}
	puts("\nIt exits with 2 for wrong usage and 3 where COMMAND cannot be run under closeguard; the reason is one "
	     "line.");
}

static void note_warning(const char *line, void *context)
{
	(void)line;
	*(bool *)context = true;
}

/* Does the library understand the value? Its own reader is asked. */
static int check_value(const struct choice *choice, const char *value)
{
	struct cg_options scratch;
	bool refused = false;
	unsigned count;
	char setting[PATH_MAX + 64], *environment[] = {setting, NULL};
	if (cg_common_print(setting, sizeof(setting), "%s=%s", choice->variable, value) < 0)
		refused = true;
	else
		cg_options_read(environment, &scratch, note_warning, &refused);
	if (!refused)
		return 0;
	const struct cg_option_info *table = cg_options_table(&count);
	for (unsigned i = 0; i < count; i++)
		if (strcmp(table[i].variable, choice->variable) == 0)
			cg_common_complain("run", "--%s: '%s' is not understood; it takes %s", choice->option, value,
			                   table[i].values);
	return -EINVAL;
}

/*
 * The program's children may run in another folder and have to find the same file, so names of files are made absolute.
 * Not where the folder's own name would be taken for a pattern of the log's.
 */
static int make_absolute(const char *option, const char *value, char ret[PATH_MAX])
{
	char folder[PATH_MAX];
	bool keyword = strcmp(option, "log") == 0 &&
	               (strcmp(value, "stderr") == 0 || strcmp(value, "none") == 0 || strcmp(value, "syslog") == 0);
	if (strcmp(option, "policy") == 0 && access(value, R_OK) < 0)
		return -errno;
	bool is_file = strcmp(option, "policy") == 0 || (strcmp(option, "log") == 0 && !keyword);
	if (!is_file || value[0] == '/' || !*value)
		return cg_common_print(ret, PATH_MAX, "%s", value);
	if (!getcwd(folder, sizeof(folder)))
		return -errno;
	if (strchr(folder, '%'))
		return cg_common_print(ret, PATH_MAX, "%s", value);
	return cg_common_print(ret, PATH_MAX, "%s/%s", folder, value);
}

/* Puts the choice into the environment that the program will get. Returns an exit code. */
static int choose(const struct choice *choice, const char *argument)
{
	char value[PATH_MAX];
	int error = make_absolute(choice->option, choice->argument ? argument : choice->value, value);
	if (error) {
		cg_common_complain("run", "--%s %s: %s", choice->option, argument, strerror(-error));
		return CG_EXIT_FAILED;
	}
	if (check_value(choice, value) < 0)
		return CG_EXIT_USAGE;
	if (setenv(choice->variable, value, 1) < 0) {
		cg_common_complain("run", "%s", strerror(errno));
		return CG_EXIT_FAILED;
	}
	return CG_EXIT_DONE;
}

/* Reads the options. Returns an exit code, and in *ret_help whether the help was asked for; optind is where COMMAND is.
 */
static int read_options(int argc, char **argv, bool *ret_help)
{
	struct option table[CHOICE_COUNT + 2] = {0};
	for (int i = 0; i < CHOICE_COUNT; i++)
		table[i] = (struct option){choices[i].option, choices[i].argument ? required_argument : no_argument,
		                           NULL, CHAR_MAX + 1 + i};
	table[CHOICE_COUNT] = (struct option){"help", no_argument, NULL, OPTION_HELP};
	optind = 0;
	opterr = 0;
	/* '+': the first word that is no option is COMMAND, and what follows is its own. ':' tells a missing argument.
	 */
	for (int c; (c = getopt_long(argc, argv, "+:h", table, NULL)) != -1;) {
		if (c == OPTION_HELP) {
			*ret_help = true;
			return CG_EXIT_DONE;
		}
		if (c == '?' || c == ':') {
			cg_common_complain("run", "%s %s; `closeguard run --help` lists the options", argv[optind - 1],
			                   c == ':' ? "needs a value" : "is no option of run, or takes no value");
			return CG_EXIT_USAGE;
		}
		int code = choose(&choices[c - CHAR_MAX - 1], optarg);
		if (code != CG_EXIT_DONE)
			return code;
	}
	return CG_EXIT_DONE;
}

/* Finds the library and sets LD_PRELOAD. */
static int preload(const struct cg_target *target)
{
	char library[PATH_MAX], why[CG_WHY_MAX];
	if (cg_common_find_library(library) < 0) {
		cg_common_complain(
		    "run", "libcloseguard.so is neither beside this command nor in ../lib; build it with `make`");
		return CG_EXIT_FAILED;
	}
	if (strpbrk(library, " :")) {
		cg_common_complain("run", "%s: LD_PRELOAD cannot express a path with a space or a colon; move it",
		                   library);
		return CG_EXIT_FAILED;
	}
	if (cg_target_match(target, library, why) < 0) {
		cg_common_complain("run", "%s", why);
		return CG_EXIT_FAILED;
	}
	char *value = cg_preload_value(library, target->sanitizer, getenv("LD_PRELOAD"));
	int error = value ? setenv("LD_PRELOAD", value, 1) : -1;
	free(value);
	if (error)
		cg_common_complain("run", "%s", strerror(ENOMEM));
	return error ? CG_EXIT_FAILED : CG_EXIT_DONE;
}

/* Never returns where it succeeds. A script without #! is handed to the shell, as execvp does. */
static int start(const struct cg_target *target, int argc, char **argv)
{
	if (!target->by_shell) {
		execve(target->path, argv, environ);
	} else {
		char **shell = calloc((size_t)argc + 2, sizeof(*shell));
		if (shell) {
			shell[0] = (char[]){"sh"};
			shell[1] = (char *)target->path;
			memcpy(shell + 2, argv + 1, (size_t)argc * sizeof(*shell));
			execve(target->program, shell, environ);
		}
		free(shell);
	}
	cg_common_complain("run", "%s could not be started: %s", target->path, strerror(errno));
	return CG_EXIT_FAILED;
}

int cg_run_main(int argc, char **argv)
{
	static struct cg_target target;
	char why[CG_WHY_MAX];
	bool help = false;
	int code = read_options(argc, argv, &help);
	if (help)
		print_help();
	if (code != CG_EXIT_DONE || help)
		return code;
	if (optind >= argc) {
		fputs(usage, stderr);
		return CG_EXIT_USAGE;
	}
	if (cg_target_find(argv[optind], &target, why) < 0) {
		cg_common_complain("run", "%s", why);
		return CG_EXIT_FAILED;
	}
	if (target.unreadable)
		cg_common_complain("run", "%s may not be read, so whether it can be watched is not known", target.path);
	code = preload(&target);
	return code == CG_EXIT_DONE ? start(&target, argc - optind, argv + optind) : code;
}
