/*
 * naming_find.c: finds the file of a module by its name and build-id.
 *
 * A log has names without directories. Looked at are the modules of recorders that were read, separate debug
 * information, the folders where programs and libraries are, and what running processes have mapped.
 */
#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "naming.h"

/* Modules asked for; and how often all processes are looked through, which takes some milliseconds each time. */
enum { KNOWN_MAX = 4096, SEARCHES_MAX = 64, ID_SIZE = 41 };

struct known {
	char build_id[ID_SIZE];
	char *path; /* NULL: not on this machine */
	bool sure;  /* it was looked for, or at */
};

static struct {
	struct known *list;
	size_t count;
	unsigned searches;
} memory;

static struct known *known_of(const char *build_id)
{
	for (size_t i = 0; i < memory.count; i++)
		if (strcmp(memory.list[i].build_id, build_id) == 0)
			return &memory.list[i];
	if (!memory.list)
		memory.list = calloc(KNOWN_MAX, sizeof *memory.list);
	if (!memory.list || memory.count == KNOWN_MAX || strlen(build_id) >= ID_SIZE)
		return NULL;
	struct known *known = &memory.list[memory.count++];
	memcpy(known->build_id, build_id, strlen(build_id) + 1);
	return known;
}

void cg_naming_note(const struct cg_recording *recording)
{
	char hex[ID_SIZE] = "";
	for (unsigned i = 0; i < CG_MAX_MODULES; i++) {
		const struct cg_module *module = &recording->modules[i];
		if (module->state != 2 || !module->build_id_len || module->build_id_len > sizeof module->build_id)
			continue;
		for (unsigned j = 0; j < module->build_id_len; j++)
			snprintf(hex + 2 * (size_t)j, 3, "%02x", module->build_id[j]);
		struct known *known = known_of(hex);
		if (known && !known->path)
			known->path = strndup(module->path, sizeof module->path);
	}
}

static char *if_it_is(const char *build_id, const char *directory, const char *name)
{
	char path[PATH_MAX];
	if (cg_common_print(path, sizeof path, "%s/%s", directory, name) < 0 || !cg_naming_has_id(path, build_id))
		return NULL;
	return strdup(path);
}

static char *find_debug_file(const char *build_id)
{
	char name[64];
	(void)cg_common_print(name, sizeof name, "%.2s/%s.debug", build_id, build_id + 2);
	return if_it_is(build_id, "/usr/lib/debug/.build-id", name);
}

static char *find_in_folders(const char *module, const char *build_id)
{
	static const char *const folders[] = {".",
	                                      "/bin",
	                                      "/lib",
	                                      "/lib64",
	                                      "/lib/aarch64-linux-gnu",
	                                      "/lib/x86_64-linux-gnu",
	                                      "/sbin",
	                                      "/usr/bin",
	                                      "/usr/lib",
	                                      "/usr/lib64",
	                                      "/usr/lib/aarch64-linux-gnu",
	                                      "/usr/lib/x86_64-linux-gnu",
	                                      "/usr/local/bin",
	                                      "/usr/local/lib",
	                                      "/usr/local/sbin",
	                                      "/usr/sbin"};
	const char *search = getenv("PATH");
	char *found = NULL, *rest = NULL, *path = search ? strdup(search) : NULL;
	for (size_t i = 0; !found && i < sizeof folders / sizeof folders[0]; i++)
		found = if_it_is(build_id, folders[i], module);
	for (char *folder = path ? strtok_r(path, ":", &rest) : NULL; folder && !found;
	     folder = strtok_r(NULL, ":", &rest))
		found = if_it_is(build_id, folder, module);
	free(path);
	return found;
}

/* A mapped file with this name and build-id; in a container, seen through the process's own root. */
static char *find_in_maps(const char *pid, const char *module, const char *build_id)
{
	char line[PATH_MAX + 128], path[PATH_MAX], root[64];
	char *found = NULL;
	if (cg_common_print(path, sizeof path, "/proc/%s/maps", pid) < 0 ||
	    cg_common_print(root, sizeof root, "/proc/%s/root", pid) < 0)
		return NULL;
	FILE *maps = fopen(path, "re");
	while (maps && !found && fgets(line, sizeof line, maps)) {
		char *file = strchr(line, '/'), *name = file ? strrchr(file, '/') + 1 : NULL;
		line[strcspn(line, "\n")] = '\0';
		if (!name || strcmp(name, module) != 0)
			continue;
		found = if_it_is(build_id, "", file + 1);
		found = found ? found : if_it_is(build_id, root, file + 1);
	}
	if (maps)
		fclose(maps);
	return found;
}

static char *find_in_processes(const char *module, const char *build_id)
{
	char *found = NULL;
	if (memory.searches++ >= SEARCHES_MAX)
		return NULL;
	DIR *proc = opendir("/proc");
	for (struct dirent *entry; proc && !found && (entry = readdir(proc)) != NULL;)
		if (isdigit((unsigned char)entry->d_name[0]))
			found = find_in_maps(entry->d_name, module, build_id);
	if (proc)
		closedir(proc);
	return found;
}

static bool is_hex(const char *text)
{
	return *text && text[strspn(text, "0123456789abcdef")] == '\0';
}

const char *cg_naming_find(const char *module, const char *build_id)
{
	struct known *known = is_hex(build_id) ? known_of(build_id) : NULL;
	if (!known || known->sure)
		return known ? known->path : NULL;
	known->sure = true;
	if (known->path && cg_naming_has_id(known->path, build_id))
		return known->path;
	free(known->path);
	known->path = NULL;
	if (*module && !strchr(module, '/'))
		known->path = find_in_folders(module, build_id);
	if (!known->path)
		known->path = find_debug_file(build_id);
	if (!known->path && *module && !strchr(module, '/'))
		known->path = find_in_processes(module, build_id);
	return known->path;
}
