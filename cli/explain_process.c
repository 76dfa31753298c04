/*
 * explain_process.c: is a process watched, and if not, why?
 */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "environ.h"
#include "explain.h"
#include "procfs.h"
#include "target.h"
#include "watched.h"

enum { PRELOAD_ROOM = 8192 };

/* 1 or 0 as AT_SECURE is, -errno where the kernel does not tell. */
static int is_secure(pid_t pid)
{
	char path[64];
	Elf64_auxv_t entry;
	int secure = 0;
	cg_common_print(path, sizeof path, "/proc/%d/auxv", pid);
	FILE *auxv = fopen(path, "re");
	if (!auxv)
		return -errno;
	while (fread(&entry, sizeof entry, 1, auxv) == 1)
		if (entry.a_type == AT_SECURE)
			secure = entry.a_un.a_val != 0;
	fclose(auxv);
	return secure;
}

/* The entry of LD_PRELOAD that is the library. */
static bool find_library(const char *preload, char ret[PATH_MAX])
{
	for (const char *at = preload; *at; at += strspn(at, " :")) {
		size_t n = strcspn(at, " :");
		bool ours = memmem(at, n, "libcloseguard.so", strlen("libcloseguard.so")) != NULL;
		if (ours)
			return cg_common_print(ret, PATH_MAX, "%.*s", (int)n, at) == 0;
		at += n;
	}
	return false;
}

/* A program that is too old for the library: its loader then says "version `GLIBC_2.xx' not found" and goes on. */
static void judge_libc(pid_t pid, const char *library, struct cg_verdict *verdict)
{
	char maps[64], path[PATH_MAX], *line = NULL;
	size_t size = 0;
	unsigned version = 0, wanted = cg_explain_libc_wanted(library);
	cg_common_print(maps, sizeof maps, "/proc/%d/maps", pid);
	FILE *file = fopen(maps, "re");
	while (file && !version && getline(&line, &size, file) > 0) {
		char *name = strchr(line, '/');
		line[strcspn(line, "\n")] = '\0';
		if (name && (strstr(name, "/libc.so.6") || strstr(name, "/libc-2.")) &&
		    cg_common_print(path, sizeof path, "/proc/%d/root%s", pid, name) == 0)
			version = cg_explain_libc_version(path);
	}
	free(line);
	if (file)
		fclose(file);
	if (version && version < wanted)
		cg_verdict_say(verdict, CG_REMARK_REASON,
		               "its glibc is 2.%u, and the library was built for 2.%u or later", version, wanted);
	else if (version)
		cg_verdict_say(verdict, CG_REMARK_FACT, "its glibc is 2.%u, which is enough (2.%u)", version, wanted);
}

/* The library was asked for, and the loader did not load it: its message went to the process's stderr. */
static void judge_refusal(pid_t pid, const char *library, struct cg_verdict *verdict)
{
	char inside[PATH_MAX];
	if (strchr(library, '/') && cg_common_print(inside, sizeof inside, "/proc/%d/root/%s", pid, library) == 0 &&
	    access(inside, R_OK) < 0) {
		cg_verdict_say(verdict, CG_REMARK_REASON,
		               "LD_PRELOAD names %s, which the process cannot see (%s): it has another root, in a "
		               "container or a chroot for example, or the file is gone",
		               library, strerror(errno));
		cg_verdict_say(verdict, CG_REMARK_ADVICE, "put the library where the process sees it, and restart it");
		return;
	}
	cg_verdict_say(verdict, CG_REMARK_REASON,
	               "LD_PRELOAD names %s, and the loader did not take it; why is the first line on the process's "
	               "stderr (ld.so: object ... cannot be preloaded)",
	               library);
	judge_libc(pid, strchr(library, '/') ? inside : library, verdict);
}

static void judge_environment(pid_t pid, struct cg_verdict *verdict)
{
	static char preload[PRELOAD_ROOM], library[PATH_MAX];
	int error = cg_environ_get(pid, "LD_PRELOAD", preload, sizeof preload);
	if (error == 0 && find_library(preload, library)) {
		judge_refusal(pid, library, verdict);
		return;
	}
	if (error == 0)
		cg_verdict_say(verdict, CG_REMARK_REASON, "it was started with LD_PRELOAD=%s, without the library",
		               preload);
	else if (error == -ENODATA)
		cg_verdict_say(verdict, CG_REMARK_REASON,
		               "it was started without LD_PRELOAD, or something on the way dropped it (sudo, su and "
		               "service managers do); nothing can be preloaded into a program that runs");
	else
		cg_verdict_say(verdict, CG_REMARK_REASON, "its environment may not be read: %s", strerror(-error));
	cg_verdict_say(verdict, CG_REMARK_ADVICE, "restart it: closeguard run COMMAND");
	cg_verdict_say(
	    verdict, CG_REMARK_ADVICE,
	    "for a service: systemctl edit UNIT, [Service] Environment=LD_PRELOAD=/path/libcloseguard.so; behind "
	    "sudo: sudo closeguard run COMMAND");
}

/* What speaks against every preload into this program. Returns whether something does. */
static bool judge_program(pid_t pid, struct cg_verdict *verdict)
{
	static char why[CG_WHY_MAX], library[PATH_MAX], exe[64];
	static struct cg_target target;
	int secure = is_secure(pid);
	cg_common_print(exe, sizeof exe, "/proc/%d/exe", pid);
	int error = cg_target_find(exe, &target, why);
	if (secure == 1) {
		cg_verdict_say(verdict, CG_REMARK_REASON,
		               "it runs with AT_SECURE (setuid, setgid, file capabilities or a change of security "
		               "domain), so the loader ignored LD_PRELOAD");
		cg_verdict_say(verdict, CG_REMARK_ADVICE,
		               "start closeguard from inside it (sudo closeguard run ...), or run a copy without that");
		return true;
	}
	/* A setuid program that its owner runs is not AT_SECURE. */
	if (error && error != -EPERM && error != -ENOENT && error != -EACCES) {
		cg_verdict_say(verdict, CG_REMARK_REASON, "%s", why);
		return true;
	}
	if (!error && cg_common_find_library(library) == 0 && cg_target_match(&target, library, why) < 0) {
		cg_verdict_say(verdict, CG_REMARK_REASON, "%s", why);
		return true;
	}
	return false;
}

static void say_program(pid_t pid, char exe[PATH_MAX], struct cg_verdict *verdict)
{
	char path[64];
	cg_common_print(path, sizeof path, "/proc/%d/exe", pid);
	ssize_t n = readlink(path, exe, PATH_MAX - 1);
	exe[n > 0 ? n : 0] = '\0';
	if (n > 0)
		cg_verdict_say(verdict, CG_REMARK_FACT, "program %s", exe);
}

/* The calls that a Go program makes are not seen, although the library is in it. */
static void judge_go(pid_t pid, struct cg_verdict *verdict)
{
	static char why[CG_WHY_MAX], exe[64];
	static struct cg_target target;
	cg_common_print(exe, sizeof exe, "/proc/%d/exe", pid);
	if (cg_target_find(exe, &target, why) == 0 && target.elf.go)
		cg_verdict_lower(
		    verdict, CG_ANSWER_PARTLY,
		    "it is a Go program: Go calls the kernel without libc, so sockets are found by the sweep "
		    "only, without stacks");
}

int cg_explain_process(pid_t pid, struct cg_verdict *ret)
{
	static struct cg_watched watched;
	static char exe[PATH_MAX];
	if (!cg_proc_alive(pid, 0)) {
		cg_common_complain("explain", "there is no process %d", pid);
		return -ESRCH;
	}
	cg_watched_look(pid, &watched);
	if (watched.loaded < 0) {
		cg_common_complain(
		    "explain",
		    "the memory map of process %d may not be read (%s); run this as its user, as root or "
		    "with CAP_SYS_PTRACE",
		    pid, strerror(-watched.loaded));
		return watched.loaded;
	}
	ret->running = true;
	say_program(pid, exe, ret);
	if (watched.loaded) {
		cg_explain_watched(pid, &watched, ret);
		judge_go(pid, ret);
		cg_explain_runtime(exe, ret);
		return 0;
	}
	ret->answer = CG_ANSWER_NO;
	if (!judge_program(pid, ret))
		judge_environment(pid, ret);
	cg_verdict_say(ret, CG_REMARK_ADVICE, "closeguard scan %d tells of its sockets as it is, without stacks", pid);
	return 0;
}
