/*
 * naming.c: asks the symbol annex, and /proc, for names.
 */
#include "naming.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "symbol.h"

/* A person waits; large programs with much debug information want some seconds. */
static const uint64_t names_budget_ns = 10000000000u;

/* And has more memory than a watched process is asked for. */
static const uint64_t names_memory = 4ull << 30;

/* The annex stands beside the library. */
static void find_annex(void)
{
	char library[PATH_MAX];
	if (cg_common_find_library(library) < 0)
		return;
	*strrchr(library, '/') = '\0';
	cg_symbol_set_dir(library);
	/* The annex takes C++'s demangler from the program that it is in. Where there is none, names stay as they are.
	 */
	(void)dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_GLOBAL);
}

void cg_naming_begin(void)
{
	static bool found;
	if (!found)
		find_annex();
	cg_symbol_set_memory(names_memory);
	cg_symbol_set_process(-1);
	found = true;
	cg_symbol_begin(names_budget_ns, true);
}

unsigned cg_naming_resolve(void *context, uint64_t ip, uint32_t generation, struct cg_frame *frames, unsigned max)
{
	const struct cg_recording *recording = context;
	cg_symbol_set_process(recording->alive ? recording->header.pid : -1);
	return cg_symbol_name(cg_recording_module(recording, ip, generation), ip, frames, max);
}

void cg_naming_thread(const struct cg_recording *recording, uint32_t tid, char name[32])
{
	char path[64];
	FILE *comm = NULL;
	if (cg_common_print(path, sizeof path, "/proc/%d/task/%u/comm", recording->header.pid, tid) == 0 &&
	    recording->alive)
		comm = fopen(path, "re");
	if (!comm || !fgets(name, 32, comm))
		(void)cg_common_print(name, 32, "tid %u", tid);
	name[strcspn(name, "\n")] = '\0';
	if (comm)
		fclose(comm);
}

const char *cg_naming_trouble(void)
{
	return cg_symbol_trouble() ? cg_symbol_trouble() : cg_naming_fetch_trouble();
}
