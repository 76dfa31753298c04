/* sweep_look.c: one look, from what the kernel says to what the log is told. */
#include "sweep_look.h"

#include <stdatomic.h>
#include <string.h>

#include "arena.h"
#include "forecast.h"
#include "group.h"
#include "modules.h"
#include "recorder.h"
#include "recorder_course.h"
#include "sweep.h"
#include "sweep_full.h"
#include "sweep_names.h"
#include "sweep_policy.h"
#include "sweep_report.h"
#include "sweep_state.h"
#include "sweep_thread.h"
#include "sweep_trouble.h"
#include "sweep_uses.h"
#include "track.h"

static struct cg_sweep_state *const state = &cg_sweep_state;
static struct cg_sweep *const sweep = &cg_sweep_state.sweep;
static struct cg_groups groups CG_LARGE;
static _Atomic bool sweeping; /* one at a time: the thread's, or the exiting thread's own */
static _Atomic unsigned leaks, mistakes;

static void note_outcome(struct cg_header *h)
{
	unsigned now_leaked = cg_groups_leaks(&groups);
	atomic_store(&leaks, now_leaked);
	atomic_store(&mistakes, cg_groups_mistakes());
	atomic_store(&h->count.leaked_now, now_leaked);
	if (now_leaked || atomic_load(&mistakes))
		atomic_store(&h->spoken, 1);
}

/* The process ends, perhaps before all is told: what was found comes into the recorder first. */
static void prepare_for_end(void)
{
	struct cg_header *h = cg_recorder_header();
	if (h) {
		cg_groups_keep(sweep, &groups);
		note_outcome(h);
	}
	cg_sweep_names_last();
}

static void count_sweep(uint64_t cpu_before)
{
	struct cg_header *h = cg_recorder_header();
	if (!h)
		return;
	note_outcome(h);
	cg_course_note((struct cg_course *)(void *)((char *)h + CG_OFF_COURSE), sweep->now_ns,
	               cg_groups_close_wait(&groups));
	cg_forecast_note(sweep, atomic_load(&leaks));
	atomic_fetch_add(&h->count.sweeps, 1);
	atomic_fetch_add(&h->count.sweep_ns, cg_sweep_cpu_ns() - cpu_before);
	atomic_store(&h->last_sweep_ns, sweep->now_ns);
}

/* Failed calls come in their thousands: once a minute is often enough to be told. */
static const uint64_t exhaustion_ns = 60000000000u;
static struct {
	uint64_t calls, told_ns; /* as of the last time that it was told */
} exhaustion;

static bool has_run_out(void)
{
	struct cg_header *h = cg_recorder_header();
	return h && atomic_load(&h->count.exhausted) != exhaustion.calls &&
	       (!exhaustion.told_ns || sweep->now_ns - exhaustion.told_ns >= exhaustion_ns);
}

static void note_exhaustion(void)
{
	exhaustion.calls = atomic_load(&cg_recorder_header()->count.exhausted);
	exhaustion.told_ns = sweep->now_ns;
}

/* A gate counts by rules of its own; `check`: it is closeguard_check that asks. */
static void choose_ages(bool final, bool check)
{
	static bool checked; /* what closeguard_check was told of is not too young for the last look */
	uint64_t age = check ? atomic_load(&state->check_age_ns) : CG_CHECK_STRICT;
	sweep->one_age = age != CG_CHECK_STRICT;
	sweep->warn_after_ns = sweep->one_age ? age : state->options->warn_after_ns;
	checked |= check;
	sweep->usual_ns = sweep->warn_after_ns;
	sweep->exhausted = !final && has_run_out();
	if (sweep->exhausted) {
		sweep->one_age = true;
		sweep->warn_after_ns = 0;
	}
	sweep->strict = final && !sweep->one_age && (checked || state->options->exitcode);
}

void cg_sweep_look(bool may_load, bool final, const char *summary, bool on_thread)
{
	uint64_t cpu = cg_sweep_cpu_ns();
	sweep->now_ns = cg_track_clock();
	sweep->final = final;
	sweep->ending = final && summary;
	choose_ages(final, final && !summary);
	sweep->thorough = final || summary;
	cg_suspects_begin(sweep);
	if (may_load) {
		cg_modules_refresh();
		cg_modules_identify();
	}
	cg_sweep_policy_prepare(sweep, may_load);
	/* Before a sleep without end, too: what is open may just not have been seen. */
	struct cg_header *h = cg_recorder_header();
	cg_adopt_look(sweep, final || summary || !h || !atomic_load(&h->open_now));
	if ((final || summary) && cg_adopt_pending())
		cg_adopt_look(sweep, true); /* there may be no later look to confirm what this one saw */
	cg_suspects_collect(sweep);
	if (sweep->thorough && sweep->outdated) {
		cg_adopt_look(sweep, true);
		cg_adopt_look(sweep, true);
		cg_suspects_collect(sweep);
	}
	cg_suspects_judge(sweep);
	cg_sweep_uses_watch(sweep);
	cg_sweep_policy_act(sweep, on_thread && !final);
	cg_groups_build(sweep, &groups);
	if (may_load)
		cg_sweep_full_prepare(sweep);
	cg_sweep_note_troubles(sweep);
	if (sweep->ending)
		prepare_for_end();
	bool told = cg_sweep_tell(sweep, &groups, may_load) > 0;
	cg_sweep_tell_actions(sweep, sweep->thorough, may_load);
	bool exhausted = told && sweep->exhausted && cg_groups_exhausted(&groups);
	if (exhausted)
		note_exhaustion();
	h = cg_recorder_header();
	if (h && summary && (!final || atomic_load(&h->spoken)))
		cg_sweep_summarise(sweep, &groups, summary, may_load);
	else if (h && exhausted)
		cg_sweep_summarise(sweep, &groups, "fd_exhaustion", may_load);
	count_sweep(cpu);
	cg_arena_reset(&sweep->arena);
}

bool cg_sweep_look_begin(void)
{
	return !atomic_exchange(&sweeping, true);
}

void cg_sweep_look_end(void)
{
	atomic_store(&sweeping, false);
}

unsigned cg_sweep_leaks(void)
{
	return atomic_load(&leaks);
}

unsigned cg_sweep_mistakes(void)
{
	return atomic_load(&mistakes);
}

void cg_sweep_look_after_fork(void)
{
	atomic_store(&sweeping, false);
	atomic_store(&leaks, 0);
	atomic_store(&mistakes, 0);
	memset(&exhaustion, 0, sizeof exhaustion);
	cg_sweep_full_after_fork();
	cg_forecast_after_fork();
	cg_groups_after_fork();
	cg_suspects_shared_after_fork();
	cg_sweep_trouble_after_fork();
}
