/*
 * target.h: which file the kernel will load for a command, and whether a library can be preloaded into it.
 */
#ifndef CG_TARGET_H
#define CG_TARGET_H

#include <limits.h>
#include <stdbool.h>

#include "elf.h"

enum { CG_WHY_MAX = 3 * PATH_MAX };

struct cg_target {
	char path[PATH_MAX];    /* what to execute */
	char program[PATH_MAX]; /* the ELF file that gets loaded: path itself, or the interpreter of the script */
	bool by_shell;          /* neither ELF nor #!: /bin/sh is to be given the path, as execvp does */
	bool unreadable;        /* may be executed but not read: nothing below is known */
	struct cg_elf elf;
	char sanitizer[CG_ELF_NAME_MAX]; /* the libasan or libtsan that program is linked with, or "" */
};

/*
 * Finds `command` as a shell would (in PATH unless it has a slash), follows #! lines, and judges the program at the end
 * of them. Returns 0, or -errno with the reason and what to do instead in why[CG_WHY_MAX], one line without newline.
 */
int cg_target_find(const char *command, struct cg_target *ret, char *why);

/* Can a library of `library`'s kind be loaded into the target? Returns and explains as above. */
int cg_target_match(const struct cg_target *target, const char *library, char *why);

/* Is this the file name of a sanitizer's runtime, one that has to be loaded first? */
bool cg_target_is_sanitizer(const char *name);

#endif
