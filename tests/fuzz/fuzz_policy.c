/*
 * fuzz_policy.c: any bytes as a policy file: taken, or told with a place; no crash, no endless loop, no leak.
 *
 * A part that the input may include stands beside it; the input may also include itself.
 */
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libconfig 1.5 forgets the texts that it was reading where a syntax error ends it. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so";
}

enum { NOTES = 16 };

static char folder[] = "/tmp/closeguard-fuzz.XXXXXX";
static char path[64];

static void write_file(const char *name, const void *data, size_t size)
{
	snprintf(path, sizeof path, "%s/%s", folder, name);
	unlink(path); /* some filesystems wait for the disk where a file is written over */
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size || close(fd) < 0)
		abort();
}

static void leave(void)
{
	snprintf(path, sizeof path, "%s/part.cfg", folder);
	unlink(path);
	snprintf(path, sizeof path, "%s/p.cfg", folder);
	unlink(path);
	rmdir(folder);
}

static void begin(void)
{
	static const char part[] = "suppress = ( { kind = \"close_wait\"; } );\n";
	static int begun;
	if (begun++)
		return;
	if (!mkdtemp(folder))
		abort();
	write_file("part.cfg", part, sizeof part - 1);
	atexit(leave);
}

/* "FILE:LINE: ...", on one line */
static void check_line(const char *line)
{
	const char *colon = strchr(line, ':');
	if (strnlen(line, CG_POLICY_LINE) == CG_POLICY_LINE || !colon || !isdigit((unsigned char)colon[1]))
		abort();
	for (; *line; line++)
		if (iscntrl((unsigned char)*line))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct cg_policy policy;
	static char errors[NOTES][CG_POLICY_LINE], warnings[NOTES][CG_POLICY_LINE];
	struct cg_policy_facts facts = {.role = CG_POLICY_CONNECTED, .has_addresses = true, .has_sites = true};
	unsigned warned = 0;
	begin();
	write_file("p.cfg", data, size);
	int count = cg_policy_load(path, "app", &policy, errors, NOTES, warnings, NOTES, &warned);
	for (int i = 0; i < count && i < NOTES; i++)
		check_line(errors[i]);
	for (unsigned i = 0; i < warned && i < NOTES; i++)
		check_line(warnings[i]);
	if (count < 0)
		abort();
	if (count == 0 && cg_policy_match(&policy, &facts) >= (int)policy.rule_count)
		abort();
	return 0;
}
