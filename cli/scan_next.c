/*
 * scan_next.c: which command tells more of a process that the kernel's lists say something of.
 */
#include <fnmatch.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "scan_line.h"

static const struct {
	const char *names[3];
	const char *before, *after; /* the process's number */
} tools[] = {
    {{"python*", "pypy*"}, "py-spy dump --pid ", ""},
    {{"java"}, "jstack ", ""},
    {{"ruby*"}, "rbspy dump --pid ", ""},
    {{"*"}, "gdb -p ", " -batch -ex 'thread apply all bt'"},
};

/* The program's file, whatever it calls itself; else what it calls itself. */
static void name_of(const struct cg_scan_process *process, char ret[PATH_MAX])
{
	char link[64];
	cg_common_print(link, sizeof link, "/proc/%d/exe", process->pid);
	ssize_t n = readlink(link, ret, PATH_MAX - 1);
	ret[n > 0 ? n : 0] = '\0';
	const char *slash = strrchr(ret, '/');
	if (slash)
		memmove(ret, slash + 1, strlen(slash));
	else
		cg_common_print(ret, PATH_MAX, "%s", process->name);
}

void cg_scan_line_next(const struct cg_scan *scan, long index, struct cg_buf *line)
{
	static char name[PATH_MAX];
	const struct cg_scan_process *process = &scan->processes[index];
	name_of(process, name);
	for (size_t i = 0; i < sizeof tools / sizeof tools[0]; i++) {
		for (unsigned j = 0; j < 3 && tools[i].names[j]; j++) {
			if (fnmatch(tools[i].names[j], name, 0) != 0)
				continue;
			cg_scan_line_label(line, "next");
			cg_buf_fmt(line, "`%s%d%s` shows where its threads are", tools[i].before, process->pid,
			           tools[i].after);
			cg_scan_line_put(line, NULL);
			return;
		}
	}
}
