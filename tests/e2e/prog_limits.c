/* prog_limits WHAT: memory or descriptors run out before the first connection; then it leaks three, or as many as it
 * can. */
#include <sys/mman.h>

#include "prog.h"

static long status_kb(const char *name)
{
	char line[256];
	long value = -1;
	FILE *file = fopen("/proc/self/status", "r");
	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, name, strlen(name)) == 0)
			value = atol(line + strlen(name) + 1);
	if (file)
		fclose(file);
	return value;
}

static void limit_to(int what, rlim_t value)
{
	struct rlimit limit = {value, value};
	if (setrlimit(what, &limit) < 0)
		err(3, "setrlimit");
}

static void leak(int count)
{
	for (int i = 0; i < count; i++) {
		int pair[2];
		connected_pair(pair);
		close(pair[0]);
		read_to_end(pair[1]);
	}
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int count = 3;
	if (strcmp(what, "memory") == 0) {
		limit_to(RLIMIT_AS, (rlim_t)(status_kb("VmSize:") + 16) * 1024);
	} else if (strcmp(what, "descriptors") == 0) {
		limit_to(RLIMIT_NOFILE, 20); /* it needs nine itself */
	} else if (strcmp(what, "filesize") == 0) {
		limit_to(RLIMIT_FSIZE, 0);
		signal(SIGXFSZ, SIG_DFL);
	} else if (strcmp(what, "locked") == 0) {
		count = 200;
		if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
			err(3, "mlockall");
	}
	leak(count);
	say("ready");
	doze(100);
	say("rss %ld", status_kb("VmRSS:"));
	for (int i = 0; told_to_go_on(); i++)
		say("rss %ld", status_kb("VmRSS:"));
	return 0;
}
