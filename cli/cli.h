/*
 * cli.h: what the verbs of the closeguard command share.
 */
#ifndef CG_CLI_H
#define CG_CLI_H

#include <stddef.h>

#include "version.h"

#define CG_CLI_VERSION CG_VERSION

/* Exit codes, the same for every verb. `run` takes the program's own, once it was started. */
enum cg_cli_exit {
	CG_EXIT_DONE = 0,
	CG_EXIT_NO = 1,     /* the answer is no: findings, differences, invalid */
	CG_EXIT_USAGE = 2,  /* wrong usage */
	CG_EXIT_FAILED = 3, /* it could not be done */
};

struct cg_verb {
	const char *name;
	const char *summary;
	int (*run)(int argc, char **argv); /* argv[0] is the verb; returns an exit code */
};

/* One file per verb: verb_NAME stands in NAME.c. */
int cg_check_main(int argc, char **argv);
int cg_explain_main(int argc, char **argv);
int cg_report_main(int argc, char **argv);
int cg_run_main(int argc, char **argv);
int cg_top_main(int argc, char **argv);
int cg_scan_main(int argc, char **argv);

/* Writes "closeguard: VERB: text", as cg_common_plain, and a newline to stderr; no verb where it is NULL. */
void cg_common_complain(const char *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * A text that may be of others' making (a name, a path, a part of a policy), as it may be shown; see cg_text_plain.
 * Until the eighth call after this one. One thread.
 */
const char *cg_common_plain(const char *text);

/* Text in a fixed buffer; returns 0, or -ENAMETOOLONG where it had to be cut. */
int cg_common_print(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

/*
 * Finds libcloseguard.so: beside the command (the build folder, a folder copied into a container) or in the lib folder
 * of its prefix. ret_path holds PATH_MAX bytes. Returns 0 or -errno.
 */
int cg_common_find_library(char *ret_path);

#endif
