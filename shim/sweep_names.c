/* sweep_names.c: how much time a report may spend on the names of functions, and on which ones first. */
#include "sweep_names.h"

#include <string.h>

#include "clock.h"
#include "modules.h"
#include "symbol.h"

/* What names may take of all that is told at the process's end; whoever waits for that goes by the clock, too. */
static const uint64_t last_cpu_ns = 200000000u, last_wall_ns = 150000000u;
static struct {
	bool now;
	uint64_t cpu, wall; /* when the time for names is over */
} last;

void cg_sweep_names_last(void)
{
	last.now = true;
	last.cpu = cg_clock_ns(CLOCK_THREAD_CPUTIME_ID) + last_cpu_ns;
	last.wall = cg_clock_ns(CLOCK_MONOTONIC) + last_wall_ns;
}

static uint64_t time_until(uint64_t end, clockid_t clock)
{
	uint64_t now = cg_clock_ns(clock);
	return now < end ? end - now : 0;
}

void cg_sweep_names_begin(uint64_t budget_ns, bool may_load)
{
	if (last.now)
		cg_symbol_begin_within(time_until(last.cpu, CLOCK_THREAD_CPUTIME_ID),
		                       time_until(last.wall, CLOCK_MONOTONIC), may_load);
	else
		cg_symbol_begin(budget_ns, may_load);
}

bool cg_sweep_names_missing(void)
{
	return last.now && cg_symbol_cut();
}

void cg_sweep_names_after_fork(void)
{
	last.now = false;
}

/* Libraries of the system: their debug information is large, and what they call is seldom where the bug is. */
static bool is_of_the_system(const char *path)
{
	static const char *const places[] = {"/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/"};
	for (unsigned i = 0; i < sizeof places / sizeof places[0]; i++)
		if (strncmp(path, places[i], strlen(places[i])) == 0)
			return true;
	return false;
}

/*
 * The time for names is bounded, and the names of the program's own code are worth the most: they are found first, and
 * remembered until the lines are written.
 */
void cg_sweep_names_own(const struct cg_finding *finding)
{
	const struct cg_place *places[] = {&finding->opened,    &finding->eof,    &finding->last_use,
	                                   &finding->connected, &finding->closed, &finding->here};
	struct cg_frame frames[CG_FRAMES_PER_IP];
	for (unsigned i = 0; i < sizeof places / sizeof places[0]; i++) {
		for (unsigned at = 0; places[i]->known && at < places[i]->depth; at++) {
			uint64_t ip = places[i]->ip[at];
			const struct cg_module *module = cg_modules_find(ip, places[i]->generation);
			if (module && !is_of_the_system(module->path))
				(void)cg_symbol_name(module, ip, frames, CG_FRAMES_PER_IP);
		}
	}
}
