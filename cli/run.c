/*
 * run.c: `closeguard run`, which starts a program with libcloseguard.so preloaded.
 *
 * The program takes this process's place: signals, the terminal, job control and the exit status are its own, and
 * nothing has to be passed on. The library tells its summary when the program ends by itself; witness.c does for one
 * that a signal ends.
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
#include "options_table.h"
#include "preload.h"
#include "run_log.h"
#include "supervise.h"
#include "target.h"
#include "witness.h"

extern char **environ;

enum {
	ROW_ERROR_EXITCODE,
	ROW_JSON,
	ROW_LOG,
	ROW_NO_SUMMARY,
	ROW_POLICY,
	ROW_STACKS,
	ROW_SUPERVISE,
	ROW_WARN_AFTER,
	ROW_COUNT
};

static const struct cg_option_row rows[ROW_COUNT] = {
    [ROW_ERROR_EXITCODE] = {"error-exitcode", "N", "exit with N where findings are outstanding at a clean exit"},
    [ROW_JSON] = {"json", NULL, "one JSON object a line instead of text"},
    [ROW_LOG] = {"log", "TARGET", "where findings go: stderr, none, syslog or a path with %p %e %h %t"},
    [ROW_NO_SUMMARY] = {"no-summary", NULL, "leave nobody behind to tell what a program killed by a signal left open"},
    [ROW_POLICY] = {"policy", "FILE", "the policy file"},
    [ROW_STACKS] = {"stacks", "MODE", "full, fp or off"},
    [ROW_SUPERVISE] = {"supervise", NULL,
                       "stay as COMMAND's parent: --error-exitcode holds for SIGTERM, SIGINT, SIGHUP"},
    [ROW_WARN_AFTER] = {"warn-after", "D", "how long a socket may stay closable (500ms, 10s, 5m)"},
};

static const struct cg_options_table options = {
    .verb = "run",
    .usage = "usage: closeguard run [OPTION...] [--] COMMAND [ARGUMENT...]\n",
    .rows = rows,
    .count = ROW_COUNT,
    .command_follows = true,
};

/* An option sets a variable of the library's; the environment's value gives way. */
static const char *const variables[ROW_COUNT] = {
    [ROW_ERROR_EXITCODE] = "CLOSEGUARD_EXITCODE",
    [ROW_JSON] = "CLOSEGUARD_FORMAT",
    [ROW_LOG] = "CLOSEGUARD_LOG",
    [ROW_POLICY] = "CLOSEGUARD_POLICY",
    [ROW_STACKS] = "CLOSEGUARD_STACKS",
    [ROW_WARN_AFTER] = "CLOSEGUARD_WARN_AFTER",
};

/* What is no setting of the library's. */
struct choices {
	bool summary, supervise;
};

static void print_help(void)
{
	unsigned count;
	const struct cg_option_info *table = cg_options_table(&count);
	fputs(options.usage, stdout);
	fputs("\nRuns COMMAND with libcloseguard.so preloaded. Its process, exit status and terminal are this one's.\n"
	      "Findings go to stderr unless --log says otherwise, and so does a summary at the end.\n\n"
	      "Options, each of which wins over its variable:\n\n",
	      stdout);
	cg_options_table_print(&options);
	fputs("\nSettings, by environment variable:\n\n", stdout);
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
static int check_value(unsigned row, const char *value)
{
	struct cg_options scratch;
	bool refused = false;
	unsigned count;
	char setting[PATH_MAX + 64], *environment[] = {setting, NULL};
	if (cg_common_print(setting, sizeof(setting), "%s=%s", variables[row], value) < 0)
		refused = true;
	else
		cg_options_read(environment, &scratch, note_warning, &refused);
	if (!refused)
		return CG_EXIT_DONE;
	const struct cg_option_info *table = cg_options_table(&count);
	for (unsigned i = 0; i < count; i++)
		if (strcmp(table[i].variable, variables[row]) == 0)
			cg_options_table_refuse(&options, row, value, table[i].values);
	return CG_EXIT_USAGE;
}

/*
 * The program's children may run in another folder and have to find the same file, so names of files are made absolute.
 * Not where the folder's own name would be taken for a pattern of the log's.
 */
static int make_absolute(unsigned row, const char *value, char ret[PATH_MAX])
{
	char folder[PATH_MAX];
	bool keyword = strcmp(value, "stderr") == 0 || strcmp(value, "none") == 0 || strcmp(value, "syslog") == 0;
	if (row == ROW_POLICY && access(value, R_OK) < 0)
		return -errno;
	bool is_file = row == ROW_POLICY || (row == ROW_LOG && !keyword);
	if (!is_file || value[0] == '/' || !*value)
		return cg_common_print(ret, PATH_MAX, "%s", value);
	if (!getcwd(folder, sizeof(folder)))
		return -errno;
	if (strchr(folder, '%'))
		return cg_common_print(ret, PATH_MAX, "%s", value);
	return cg_common_print(ret, PATH_MAX, "%s/%s", folder, value);
}

/* Puts the choice into the environment that the program will get. Returns enum cg_cli_exit. */
static int choose(unsigned row, const char *argument, void *context)
{
	char value[PATH_MAX], why[CG_WHY_MAX];
	struct choices *choices = context;
	choices->summary &= row != ROW_NO_SUMMARY;
	choices->supervise |= row == ROW_SUPERVISE;
	if (row == ROW_NO_SUMMARY || row == ROW_SUPERVISE)
		return CG_EXIT_DONE;
	const char *given = row == ROW_JSON ? "json" : argument;
	int error = make_absolute(row, given, value);
	if (error) {
		cg_common_complain("run", "--%s %s: %s", rows[row].name, given, strerror(-error));
		return CG_EXIT_FAILED;
	}
	int code = check_value(row, value);
	if (code == CG_EXIT_DONE && row == ROW_LOG && value[0] == '/' && cg_run_log_check(value, why) < 0) {
		cg_common_complain("run", "--log %s", why);
		code = CG_EXIT_FAILED;
	}
	if (code == CG_EXIT_DONE && setenv(variables[row], value, 1) < 0) {
		cg_common_complain("run", "%s", strerror(errno));
		code = CG_EXIT_FAILED;
	}
	return code;
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

/* By option or by the environment, as the library takes it. */
static int exitcode(void)
{
	struct cg_options read;
	bool ignored;
	cg_options_read(environ, &read, note_warning, &ignored);
	return read.exitcode;
}

int cg_run_main(int argc, char **argv)
{
	static struct cg_target target;
	char why[CG_WHY_MAX];
	struct choices choices = {.summary = true};
	bool help = false;
	int code = cg_options_table_read(&options, argc, argv, choose, &choices, &help);
	if (help)
		print_help();
	if (code != CG_EXIT_DONE || help)
		return code;
	if (optind >= argc) {
		fputs(options.usage, stderr);
		return CG_EXIT_USAGE;
	}
	if (cg_target_find(argv[optind], &target, why) < 0) {
		cg_common_complain("run", "%s", why);
		return CG_EXIT_FAILED;
	}
	if (target.unreadable)
		cg_common_complain("run", "%s may not be read, so whether it can be watched is not known", target.path);
	code = preload(&target);
	if (code != CG_EXIT_DONE)
		return code;
	if (choices.supervise && (code = cg_supervise(exitcode())) >= 0)
		return code;
	if (choices.summary)
		cg_witness_leave();
	return start(&target, argc - optind, argv + optind);
}
