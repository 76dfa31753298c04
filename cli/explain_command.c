/*
 * explain_command.c: would a command be watched under `closeguard run`?
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "explain.h"
#include "target.h"

/* There is nothing to be judged, as against something that cannot be watched. */
static bool is_absence(int error)
{
	return error == -ENOENT || error == -ENOTDIR || error == -EISDIR || error == -EACCES || error == -ELOOP ||
	       error == -ENAMETOOLONG;
}

static void judge_environment(struct cg_verdict *verdict)
{
	const char *on = getenv("CLOSEGUARD");
	if (on && strcmp(on, "off") == 0) {
		cg_verdict_lower(
		    verdict, CG_ANSWER_NO,
		    "CLOSEGUARD=off is set in this environment: every wrapper would be a plain pass-through");
		cg_verdict_say(verdict, CG_REMARK_ADVICE, "unset CLOSEGUARD");
	}
}

static void judge_library(const struct cg_target *target, struct cg_verdict *verdict)
{
	static char library[PATH_MAX], why[CG_WHY_MAX];
	if (cg_common_find_library(library) < 0) {
		cg_verdict_lower(verdict, CG_ANSWER_NO,
		                 "libcloseguard.so is neither beside this command nor in ../lib; build it with `make`");
		return;
	}
	cg_verdict_say(verdict, CG_REMARK_FACT, "library %s", library);
	if (cg_target_match(target, library, why) < 0)
		cg_verdict_lower(verdict, CG_ANSWER_NO, "%s", why);
}

static void judge_target(const struct cg_target *target, struct cg_verdict *verdict)
{
	if (strcmp(target->path, target->program) != 0)
		cg_verdict_say(verdict, CG_REMARK_FACT, "%s is a script; what counts is its interpreter, %s",
		               target->path, target->program);
	else
		cg_verdict_say(verdict, CG_REMARK_FACT, "program %s", target->program);
	if (target->unreadable)
		cg_verdict_lower(verdict, CG_ANSWER_PARTLY,
		                 "%s may be executed but not read, so whether it is static is not known",
		                 target->program);
	if (target->elf.go) {
		cg_verdict_lower(
		    verdict, CG_ANSWER_PARTLY,
		    "it is a Go program: Go calls the kernel without libc, so no call is seen, and sockets "
		    "are found by the sweep only, without stacks");
		cg_verdict_say(verdict, CG_REMARK_ADVICE, "closeguard scan PID tells as much, without a preload");
	}
	if (target->sanitizer[0])
		cg_verdict_say(verdict, CG_REMARK_FACT,
		               "it is linked with %s, which `closeguard run` puts before the library",
		               target->sanitizer);
}

int cg_explain_command(int argc, char **argv, struct cg_verdict *ret)
{
	static struct cg_target target;
	static char why[CG_WHY_MAX];
	(void)argc;
	*ret = (struct cg_verdict){.subject = argv[0]};
	int error = cg_target_find(argv[0], &target, why);
	if (error && is_absence(error)) {
		cg_common_complain("explain", "%s", why);
		return error;
	}
	cg_explain_wrapper(argv[0], ret);
	if (error) {
		cg_verdict_lower(ret, CG_ANSWER_NO, "%s", why);
		cg_verdict_say(ret, CG_REMARK_ADVICE, "closeguard scan PID, once it runs: its sockets, without stacks");
		return 0;
	}
	judge_target(&target, ret);
	judge_library(&target, ret);
	judge_environment(ret);
	cg_explain_runtime(target.program, ret);
	if (ret->answer != CG_ANSWER_NO)
		cg_verdict_say(ret, CG_REMARK_ADVICE, "closeguard run %s", argv[0]);
	return 0;
}
