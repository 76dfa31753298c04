/* sweep_names.c: how much time a report may spend on the names of functions, and on which ones first. */
#include "sweep_names.h"

#include <string.h>

#include "arena.h"
#include "clock.h"
#include "modules.h"
#include "symbol.h"

/* What names may take of all that is told at the process's end; whoever waits for that goes by the clock, too. */
static const uint64_t last_cpu_ns = 200000000u, last_wall_ns = 150000000u;
static struct {
	bool now;
	uint64_t cpu, wall; /* when the time for names is over */
} last;

/* A leak is worth more than its names: how long its first line waits for them where others took the time. */
static const uint64_t patience_ns = 5000000000u;
static uint64_t held_since[CG_MAX_FINDINGS] CG_LARGE; /* 0: not held */
static bool held;                                     /* any was: a forked child touches no page for nothing */

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
	if (held)
		memset(held_since, 0, sizeof held_since);
	held = false;
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

/* The program's own, or all others. */
static void look_up(const struct cg_place *place, bool own)
{
	struct cg_frame frames[CG_FRAMES_PER_IP];
	for (unsigned at = 0; place->known && at < place->depth; at++) {
		const struct cg_module *module = cg_modules_find(place->ip[at], place->generation);
		if (module && is_of_the_system(module->path) != own)
			(void)cg_symbol_name(module, place->ip[at], frames, CG_FRAMES_PER_IP);
	}
}

/*
 * The time for names is bounded, and the names of the program's own code are worth the most: they are found first, and
 * remembered until the lines are written.
 */
void cg_sweep_names_of(struct cg_finding *finding)
{
	const struct cg_place *places[] = {&finding->opened, &finding->eof,    &finding->last_use, &finding->connected,
	                                   &finding->shut,   &finding->closed, &finding->here};
	unsigned before = cg_symbol_left();
	for (unsigned own = 2; own-- > 0;)
		for (unsigned i = 0; i < sizeof places / sizeof places[0]; i++)
			look_up(places[i], own);
	finding->names_pending = cg_symbol_left() != before;
}

bool cg_sweep_names_wait(unsigned index, const struct cg_finding *finding, uint64_t now_ns, bool *first)
{
	bool had_all_the_time = *first;
	*first = false;
	if (!finding->names_pending || had_all_the_time || last.now) {
		if (held)
			held_since[index] = 0;
		return false;
	}
	if (!held_since[index])
		held_since[index] = now_ns;
	held = true;
	if (now_ns - held_since[index] < patience_ns)
		return true;
	held_since[index] = 0;
	return false;
}
