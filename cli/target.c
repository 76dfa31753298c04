/*
 * target.c: finds the program behind a command and says why it cannot be watched, where it cannot.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cli.h"
#include "sys_regular.h"
#include "target.h"

enum {
	INTERPRETERS_MAX = 5, /* the kernel's limit to scripts that are interpreted by scripts */
	FIRST_LINE_MAX = 256  /* the kernel looks no further for an interpreter's name */
};

/* The alternative for what cannot be preloaded into at all. */
#define LOOK_FROM_OUTSIDE "look at its sockets from outside: closeguard scan"

/* Writes why, and returns error, so that a refusal is one statement. */
static int refuse(char *why, int error, const char *format, const char *subject, const char *detail)
{
	(void)cg_common_print(why, CG_WHY_MAX, format, subject, detail); /* cut where names are very long */
	return error;
}

/* Is it a regular file that may be executed? 0, or -errno without explanation. */
static int check_executable(const char *path)
{
	struct stat st;
	if (stat(path, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode) || access(path, X_OK) < 0)
		return -EACCES;
	return 0;
}

/* As execvp does: the first executable one in PATH; if there is none, the first that is not executable is the trouble.
 */
static int search_path(const char *command, char ret[PATH_MAX])
{
	const char *list = getenv("PATH");
	char candidate[PATH_MAX];
	int trouble = -ENOENT;
	for (const char *at = list ? list : "/bin:/usr/bin"; at; at = *at ? at + 1 : NULL) {
		size_t n = strcspn(at, ":");
		const char *slash = n ? "/" : "";
		int error = cg_common_print(candidate, sizeof(candidate), "%.*s%s%s", (int)n, at, slash, command);
		at += n;
		if (!error)
			error = check_executable(candidate);
		if (!error) {
			memcpy(ret, candidate, sizeof(candidate));
			return 0;
		}
		if (error == -EACCES)
			trouble = -EACCES;
	}
	return trouble;
}

static int find_command(const char *command, char ret[PATH_MAX], char *why)
{
	if (!*command)
		return refuse(why, -ENOENT, "the command's name is empty%s%s", "", "");
	if (strchr(command, '/')) {
		if (cg_common_print(ret, PATH_MAX, "%s", command) < 0)
			return refuse(why, -ENAMETOOLONG, "the command's name is too long%s%s", "", "");
		return 0;
	}
	int error = search_path(command, ret);
	if (error == -EACCES)
		return refuse(why, error, "%s is in PATH, but is not executable%s", command, "");
	if (error)
		return refuse(why, error, "%s was not found in PATH; a program of this folder is called ./%s", command,
		              command);
	return 0;
}

/* The file's first line, NUL-terminated; its length, or -errno. */
static int read_first_line(int fd, char line[FIRST_LINE_MAX])
{
	ssize_t n = pread(fd, line, FIRST_LINE_MAX - 1, 0);
	if (n < 0)
		return -errno;
	line[n] = '\0';
	for (ssize_t i = 0; i < n; i++) {
		if (line[i] == '\n') {
			line[i] = '\0';
			return (int)i;
		}
	}
	return (int)n;
}

/* The interpreter's name in a line that starts with #!, or -ENOEXEC. */
static int parse_interpreter(const char *line, char ret[PATH_MAX])
{
	const char *start = line + 2 + strspn(line + 2, " \t");
	size_t n = strcspn(start, " \t");
	if (n == 0)
		return -ENOEXEC;
	memcpy(ret, start, n);
	ret[n] = '\0';
	return 0;
}

bool cg_target_is_sanitizer(const char *name)
{
	static const char *const prefixes[] = {"libasan.so", "libtsan.so", "libclang_rt.asan", "libclang_rt.tsan"};
	for (unsigned i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

static void note_needed(const char *name, void *context)
{
	struct cg_target *target = context;
	if (!target->sanitizer[0] && cg_target_is_sanitizer(name))
		cg_common_print(target->sanitizer, sizeof(target->sanitizer), "%s", name);
}

/* Programs for which the kernel sets AT_SECURE, so that the loader ignores LD_PRELOAD. */
static int check_privileges(int fd, const char *subject, char *why)
{
	static const char way_out[] =
	    "start closeguard from inside it (sudo closeguard run ...), or run a copy without that (install -m 755)";
	struct stat st;
	if (fstat(fd, &st) < 0)
		return refuse(why, -errno, "%s: %s", subject, strerror(errno));
	if (st.st_mode & S_ISUID)
		return refuse(why, -EPERM, "%s is setuid, so the loader ignores LD_PRELOAD; %s", subject, way_out);
	if ((st.st_mode & S_ISGID) && (st.st_mode & S_IXGRP))
		return refuse(why, -EPERM, "%s is setgid, so the loader ignores LD_PRELOAD; %s", subject, way_out);
	if (fgetxattr(fd, "security.capability", NULL, 0) > 0)
		return refuse(why, -EPERM, "%s has file capabilities, so the loader ignores LD_PRELOAD; %s", subject,
		              way_out);
	return 0;
}

/* The loader itself may be called as a program and preloads as always; it names no other loader. */
static bool is_loader(const struct cg_elf *elf)
{
	return strncmp(elf->soname, "ld-linux", 8) == 0;
}

static int check_elf(int fd, const char *subject, struct cg_target *target, char *why)
{
	int error = cg_elf_read(fd, &target->elf, note_needed, target);
	if (error || !target->elf.program)
		return refuse(why, error ? error : -ENOEXEC, "%s is no program but %s", subject,
		              error ? "a broken ELF file" : "another kind of ELF file");
	error = check_privileges(fd, subject, why);
	if (error || !target->elf.native)
		return error;
	if (!target->elf.has_interp && !is_loader(&target->elf) && target->elf.go)
		return refuse(why, -ENOEXEC,
		              "%s is a static Go program, into which nothing can be preloaded, and Go calls the kernel "
		              "without libc anyway; %s",
		              subject, LOOK_FROM_OUTSIDE);
	if (!target->elf.has_interp && !is_loader(&target->elf))
		return refuse(why, -ENOEXEC,
		              "%s is statically linked, so nothing can be preloaded; link it dynamically, or %s",
		              subject, LOOK_FROM_OUTSIDE);
	const char *slash = strrchr(target->elf.interp, '/');
	if (slash && strncmp(slash, "/ld-musl", 8) == 0)
		return refuse(why, -ENOEXEC,
		              "%s is built for musl, and closeguard for glibc; build it for glibc, or %s", subject,
		              LOOK_FROM_OUTSIDE);
	return 0;
}

static int check_file(const char *subject, const char *path, char *why)
{
	int error = check_executable(path);
	if (error == -ENOENT || error == -ENOTDIR)
		return refuse(why, error, "%s was not found%s", subject, "");
	if (error == -EISDIR)
		return refuse(why, error, "%s is a directory%s", subject, "");
	if (error == -EACCES)
		return refuse(why, error,
		              "%s is not executable; chmod +x, or name its interpreter: closeguard run sh %s", subject,
		              path);
	if (error)
		return refuse(why, error, "%s: %s", subject, strerror(-error));
	return 0;
}

enum step { STEP_DONE, STEP_INTERPRETER };

/* Looks at one file of the chain. Returns enum step with the interpreter's name in `path`, or -errno. */
static int look_at(const char *subject, char path[PATH_MAX], bool first, struct cg_target *target, char *why)
{
	char line[FIRST_LINE_MAX];
	int error = check_file(subject, path, why);
	if (error)
		return error;
	int fd = cg_open_regular(path, 0);
	if (fd < 0) {
		target->unreadable = true;
		return STEP_DONE;
	}
	int n = read_first_line(fd, line);
	if (n >= 4 && memcmp(line, "\177ELF", 4) == 0) {
		error = check_elf(fd, subject, target, why);
		close(fd);
		return error ? error : STEP_DONE;
	}
	close(fd);
	if (n >= 2 && memcmp(line, "#!", 2) == 0 && parse_interpreter(line, path) == 0)
		return STEP_INTERPRETER;
	/* A NUL is what shells go by, too, to tell a program of another kind from a script without #!. */
	if (n < 0 || !first || memchr(line, '\0', (size_t)n))
		return refuse(why, -ENOEXEC, "%s is neither an ELF program nor a script%s", subject, "");
	target->by_shell = true;
	memcpy(path, "/bin/sh", sizeof "/bin/sh");
	return STEP_INTERPRETER;
}

int cg_target_find(const char *command, struct cg_target *ret, char *why)
{
	char path[PATH_MAX], subject[2 * PATH_MAX + 64];
	struct cg_target target = {0};
	int error = find_command(command, target.path, why);
	if (error)
		return error;
	memcpy(path, target.path, sizeof(path));
	cg_common_print(subject, sizeof(subject), "%s", path);
	for (unsigned depth = 0; depth <= INTERPRETERS_MAX; depth++) {
		int step = look_at(subject, path, depth == 0, &target, why);
		if (step < 0)
			return step;
		if (step == STEP_DONE) {
			memcpy(target.program, path, sizeof(path));
			*ret = target;
			return 0;
		}
		cg_common_print(subject, sizeof(subject), "%s: its interpreter %s", target.path, path);
	}
	return refuse(why, -ELOOP, "%s: too many scripts that are interpreted by scripts%s", target.path, "");
}

int cg_target_match(const struct cg_target *target, const char *library, char *why)
{
	struct cg_elf own = {0};
	char theirs_text[32], ours_text[32], both[128];
	int fd = cg_open_regular(library, 0);
	int error = fd < 0 ? fd : cg_elf_read(fd, &own, NULL, NULL);
	if (fd >= 0)
		close(fd);
	if (error)
		return refuse(why, error, "%s cannot be used: %s", library, strerror(-error));
	if (target->unreadable || (target->elf.machine == own.machine && target->elf.bits == own.bits))
		return 0;
	cg_common_print(both, sizeof(both), "%u-bit %s, and this closeguard for %u-bit %s", target->elf.bits,
	                cg_elf_machine_name(target->elf.machine, theirs_text), own.bits,
	                cg_elf_machine_name(own.machine, ours_text));
	return refuse(why, -ENOEXEC, "%s is built for %s; build closeguard for it and use that one", target->program,
	              both);
}
