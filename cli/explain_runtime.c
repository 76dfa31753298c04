/*
 * explain_runtime.c: what is known of language runtimes, wrappers and service managers by their names.
 */
#include <fnmatch.h>
#include <string.h>

#include "explain.h"

struct note {
	const char *names[4];
	enum cg_answer answer;
	const char *reason;
	const char *advice; /* NULL: none */
};

static const struct note notes[] = {
    {{"php*", "apache2", "httpd"},
     CG_ANSWER_PARTLY,
     "PHP loads its extensions with RTLD_DEEPBIND, so calls from ext/curl and its like go past the library: such "
     "sockets "
     "are found by the sweep, with origin \"unseen\" and without stacks",
     NULL},
    {{"node", "nodejs"},
     CG_ANSWER_PARTLY,
     "Node closes by raw system calls and, where it may, by io_uring: its sockets are found, but which code closed "
     "them "
     "is not always seen",
     NULL},
    {{"java"},
     CG_ANSWER_YES,
     "stacks end at code that the JVM generated: 2 or 3 frames are usual",
     "jstack PID shows the Java side of the thread that a finding names"},
    {{"python*", "pypy*"}, CG_ANSWER_YES, "stacks are those of the interpreter, not of the Python code", NULL},
};

static const struct note wrappers[] = {
    {{"sudo", "doas", "pkexec"},
     CG_ANSWER_NO,
     "it drops the environment, LD_PRELOAD with it, before it starts the command",
     "put closeguard behind it: sudo closeguard run COMMAND, or sudo env LD_PRELOAD=/path/libcloseguard.so COMMAND. "
     "sudo --preserve-env=CLOSEGUARD_LOG,... passes settings on, but never LD_PRELOAD: the loader takes it from sudo "
     "itself"},
    {{"su", "runuser", "login"},
     CG_ANSWER_NO,
     "with - it begins a new environment, and LD_PRELOAD is not in it",
     "put closeguard behind it: su - USER -c 'closeguard run COMMAND'"},
    {{"systemctl", "service", "invoke-rc.d", "rc-service"},
     CG_ANSWER_NO,
     "the service is started by the service manager, which does not pass this environment on",
     "systemctl edit UNIT, and add a drop-in: [Service] Environment=LD_PRELOAD=/path/libcloseguard.so; then systemctl "
     "restart UNIT. PrivateTmp= and the like must leave the library's path visible"},
    {{"systemd-run", "at", "batch", "crontab"},
     CG_ANSWER_NO,
     "the command is started by a daemon, which does not pass this environment on",
     "systemd-run --setenv=LD_PRELOAD=/path/libcloseguard.so COMMAND, or systemd-run closeguard run COMMAND"},
    {{"docker", "podman", "nerdctl", "kubectl"},
     CG_ANSWER_NO,
     "the command runs in a container, where neither this environment nor the library is",
     "copy the build folder into the image, or mount it, and pass -e LD_PRELOAD=/path/libcloseguard.so; from the host, "
     "closeguard scan PID looks into a container as it is"},
    {{"ssh", "mosh"},
     CG_ANSWER_NO,
     "the command runs on another host",
     "run closeguard there: ssh HOST closeguard run COMMAND"},
};

static void look_up(const struct note *list, size_t count, const char *program, struct cg_verdict *verdict)
{
	const char *slash = strrchr(program, '/');
	const char *name = slash ? slash + 1 : program;
	for (size_t i = 0; i < count; i++)
		for (unsigned j = 0; j < 4 && list[i].names[j]; j++) {
			if (fnmatch(list[i].names[j], name, 0) != 0)
				continue;
			if (list[i].answer == CG_ANSWER_YES)
				cg_verdict_say(verdict, CG_REMARK_FACT, "%s", list[i].reason);
			else
				cg_verdict_lower(verdict, list[i].answer, "%s", list[i].reason);
			if (list[i].advice)
				cg_verdict_say(verdict, CG_REMARK_ADVICE, "%s", list[i].advice);
			return;
		}
}

void cg_explain_runtime(const char *program, struct cg_verdict *verdict)
{
	look_up(notes, sizeof notes / sizeof notes[0], program, verdict);
}

void cg_explain_wrapper(const char *program, struct cg_verdict *verdict)
{
	look_up(wrappers, sizeof wrappers / sizeof wrappers[0], program, verdict);
}
