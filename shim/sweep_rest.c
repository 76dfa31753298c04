/* sweep_rest.c: how long the thread sleeps between two looks, and what wakes it. */
#include "sweep_state.h"

#include "act_parts.h"
#include "bypass.h"
#include "futex.h"
#include "group.h"
#include "recorder.h"
#include "sweep_policy.h"
#include "sweep_thread.h"
#include "track.h"

/* On a host with so many connections that a look is dear, looks are this far apart at most. */
#define MOST_REST_NS 5000000000ull

static struct cg_sweep_state *const state = &cg_sweep_state;
static struct cg_sweep *const sweep = &cg_sweep_state.sweep;

/* Whether there is anything that time may turn into a finding. */
static bool has_work(void)
{
	struct cg_header *h = cg_recorder_header();
	if (cg_bypass_found() || cg_bypass_expected() || sweep->waiting || cg_adopt_pending() || cg_groups_pending())
		return true;
	return h && (atomic_load(&h->open_now) || (atomic_load(&h->count.departed_seq) && state->quiet_rounds < 120));
}

/* Short enough to see a socket before it is old enough to be told. */
uint64_t cg_sweep_interval(const struct cg_options *o)
{
	uint64_t half = cg_sweep_policy_patience(o->warn_after_ns) / 2, least = 10000000;
	return o->interval_ns < half ? o->interval_ns : half > least ? half : least;
}

/* The interval stretches while nothing happens: hosts run hundreds of watched processes. */
static uint64_t next_wait(void)
{
	uint64_t interval = cg_sweep_interval(state->options),
	         most = cg_sweep_policy_patience(state->options->warn_after_ns) / 3;
	if (most > 10000000000u)
		most = 10000000000u;
	if (most < interval)
		most = interval;
	uint64_t wait = interval << (state->quiet_rounds < 5 ? state->quiet_rounds : 5);
	wait = sweep->waiting ? interval : wait < most ? wait : most;
	if (sweep->rest_ns > wait)
		return sweep->rest_ns < MOST_REST_NS ? sweep->rest_ns : MOST_REST_NS;
	return sweep->ripe_in_ns && sweep->ripe_in_ns < wait ? sweep->ripe_in_ns : wait;
}

/* Waits in small steps once the main thread is gone, so that the end of the program does not wait for us. */
static void wait_for(unsigned seen, uint64_t wait_ns)
{
	static const uint64_t step_ns = 20000000;
	while (atomic_load(&state->main_left) && !cg_sweep_alone() && wait_ns > step_ns &&
	       atomic_load(&state->wake_word) == seen) {
		cg_futex_wait(&state->wake_word, seen, step_ns);
		wait_ns -= step_ns;
	}
	if (!atomic_load(&state->main_left) || !cg_sweep_alone())
		cg_futex_wait(&state->wake_word, seen, wait_ns);
}

/* The next look may be far off; a changed policy is not to wait for it. */
static void wait_for_news(unsigned seen, uint64_t wait_ns)
{
	static const uint64_t step_ns = 1500000000;
	while (cg_sweep_policy_watches() && wait_ns > step_ns && atomic_load(&state->wake_word) == seen) {
		wait_for(seen, step_ns);
		wait_ns -= step_ns;
		if (cg_sweep_policy_changed() || cg_sweep_asked())
			return;
	}
	wait_for(seen, wait_ns);
}

/* Sleeps until it is time for a look, or there is another reason to wake. Zero: without a timer. */
static void sleep_until(unsigned seen, uint64_t due_ns)
{
	uint64_t now = cg_track_clock();
	if (due_ns > now) {
		wait_for_news(seen, due_ns - now);
		return;
	}
	if (due_ns)
		return;
	atomic_store(&cg_track_wanted, true);
	if (!has_work() && !cg_sweep_asked() && !atomic_load(&state->main_left))
		cg_futex_wait(&state->wake_word, seen, 0);
	atomic_store(&cg_track_wanted, false);
}

/* Drains what was handed over, until the next look is due or nothing is left to drain. */
static void drain_until(uint64_t due_ns)
{
	uint64_t turn;
	while (!cg_sweep_asked() && (turn = cg_sweep_policy_drain()) > 0) {
		uint64_t now = cg_track_clock();
		if (due_ns && now >= due_ns)
			return;
		cg_act_drain_wait(due_ns && due_ns - now < turn ? due_ns - now : turn);
	}
}

/* A drain that is handed over wakes the thread, but is no reason to look at all connections. */
void cg_sweep_rest(unsigned seen)
{
	static const uint64_t hour_ns = 3600000000000u;
	bool lasting = has_work() || atomic_load(&state->main_left);
	uint64_t due_ns = lasting ? cg_track_clock() + (has_work() ? next_wait() : hour_ns) : 0;
	bool for_drains_only;
	do {
		unsigned drains = atomic_load(&state->drain_wakes);
		drain_until(due_ns);
		sleep_until(seen, due_ns);
		unsigned now = atomic_load(&state->wake_word);
		for_drains_only = now != seen && now - seen == atomic_load(&state->drain_wakes) - drains;
		seen = now;
	} while (for_drains_only && !cg_sweep_asked() && (!due_ns || cg_track_clock() < due_ns));
}
