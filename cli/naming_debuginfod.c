/*
 * naming_debuginfod.c: debug information from a debuginfod server, by the client of elfutils.
 *
 * Only where the user has named servers in DEBUGINFOD_URLS, and only in this command: a watched process is never made
 * to ask a server.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "naming.h"
#include "progress.h"

typedef struct debuginfod_client client_type;

static struct {
	bool tried;
	client_type *client;
	int (*find)(client_type *, const unsigned char *build_id, int length, char **path);
} server;

static int on_progress(client_type *client, long done, long all)
{
	(void)client;
	if (all > 0 && done <= all)
		cg_progress_show("fetching debug information, %ld%%", done * 100 / all);
	else
		cg_progress_show("fetching debug information, %ld KiB", done >> 10);
	return 0;
}

static void load(void)
{
	const char *urls = getenv("DEBUGINFOD_URLS");
	server.tried = true;
	void *library = urls && *urls ? dlopen("libdebuginfod.so.1", RTLD_NOW | RTLD_LOCAL) : NULL;
	if (!library)
		return;
	client_type *(*begin)(void) = (client_type * (*)(void)) dlsym(library, "debuginfod_begin");
	void (*set_progress)(client_type *, int (*)(client_type *, long, long)) =
	    (void (*)(client_type *, int (*)(client_type *, long, long)))dlsym(library, "debuginfod_set_progressfn");
	server.find =
	    (int (*)(client_type *, const unsigned char *, int, char **))dlsym(library, "debuginfod_find_debuginfo");
	server.client = begin && server.find ? begin() : NULL;
	if (server.client && set_progress)
		set_progress(server.client, on_progress);
}

/* Answers, "nothing" among them: a server that does not answer is waited for once. */
enum { ANSWERS_MAX = 256, ID_SIZE = 41 };
static struct answer {
	char build_id[ID_SIZE];
	char *path;
} answers[ANSWERS_MAX];
static size_t answer_count;

static char trouble[256];

const char *cg_naming_fetch_trouble(void)
{
	return *trouble ? trouble : NULL;
}

/* A server that cannot be reached now is not asked again: each time might take a minute and a half. */
static void give_up(int error)
{
	(void)cg_common_print(trouble, sizeof trouble,
	                      "lines are not named: no debuginfod server of DEBUGINFOD_URLS answers: %s",
	                      strerror(error));
	server.client = NULL;
}

static const char *ask(const char *build_id)
{
	struct answer *answer = &answers[answer_count++];
	memcpy(answer->build_id, build_id, strlen(build_id) + 1);
	int fd = server.find(server.client, (const unsigned char *)build_id, 0, &answer->path);
	if (fd >= 0)
		close(fd);
	else
		answer->path = NULL;
	if (fd < 0 && fd != -ENOENT)
		give_up(-fd);
	return answer->path;
}

const char *cg_naming_fetch(const char *build_id)
{
	size_t length = strlen(build_id);
	if (!server.tried)
		load();
	for (size_t i = 0; i < answer_count; i++)
		if (strcmp(answers[i].build_id, build_id) == 0)
			return answers[i].path;
	if (!server.client || length >= ID_SIZE || strspn(build_id, "0123456789abcdef") != length)
		return NULL;
	return answer_count < ANSWERS_MAX ? ask(build_id) : NULL;
}
