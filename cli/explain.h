/*
 * explain.h: the parts of `closeguard explain` that judge a program.
 */
#ifndef CG_EXPLAIN_H
#define CG_EXPLAIN_H

#include <sys/types.h>

#include "verdict.h"

/* Would the command be watched under `closeguard run`? Returns 0, or -errno after one line on stderr. */
int cg_explain_command(int argc, char **argv, struct cg_verdict *ret);

/* Is the process watched, and if not, why? Returns 0, or -errno after one line on stderr. */
int cg_explain_process(pid_t pid, struct cg_verdict *ret);

/* How well a process is watched that the library is in. */
struct cg_watched;
void cg_explain_watched(pid_t pid, const struct cg_watched *watched, struct cg_verdict *verdict);

/* What is known of the runtime that a program is by its name: how much of it a preloaded library sees. */
void cg_explain_runtime(const char *program, struct cg_verdict *verdict);

/* The same for what starts another program and drops the environment on the way: sudo, systemctl, docker, … */
void cg_explain_wrapper(const char *program, struct cg_verdict *verdict);

/*
 * The newest GLIBC_ version that a library asks for, and the version of a libc, as minor numbers of 2.x: 0 where the
 * file does not say.
 */
unsigned cg_explain_libc_wanted(const char *library);
unsigned cg_explain_libc_version(const char *libc);

#endif
