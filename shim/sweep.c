/* sweep.c: when to look. */
#include "sweep.h"

#include <stdatomic.h>

#include "act_parts.h"
#include "bypass.h"
#include "fdtable.h"
#include "futex.h"
#include "loader.h"
#include "ownfd.h"
#include "procfs.h"
#include "recorder.h"
#include "sigbus.h"
#include "suspects_listing.h"
#include "suspects_parts.h"
#include "sweep_look.h"
#include "sweep_policy.h"
#include "sweep_report.h"
#include "sweep_state.h"
#include "sweep_table.h"
#include "sweep_thread.h"
#include "symbol.h"
#include "sys.h"
#include "track.h"

struct cg_sweep_state cg_sweep_state = {.check_age_ns = CG_CHECK_STRICT};
static struct cg_sweep_state *const state = &cg_sweep_state;
static struct cg_sweep *const sweep = &cg_sweep_state.sweep;
static _Atomic bool over;
static int reserve_fd = -1;

static const char *summary_of(unsigned asked)
{
	if (asked & CG_REQUEST_LAST)
		return "exit";
	return asked & CG_REQUEST_DUMP ? "signal" : NULL;
}

/* The program ends: what is being drained ends with it, but not before its time. */
static void finish_drains(void)
{
	static const uint64_t most_ns = 10000000000u;
	uint64_t start = cg_track_clock(), turn;
	while ((turn = cg_sweep_policy_drain()) > 0 && cg_track_clock() - start < most_ns)
		cg_act_drain_wait(turn);
}

/* The program is taking itself apart: nothing is looked at any more. */
static void rest_in_peace(void)
{
	static _Atomic unsigned never;
	for (;;)
		cg_futex_wait(&never, 0, 0);
}

/* Somebody cut the recorder short: nothing is known any more, and nothing more is said. */
static void end_watching(void)
{
	atomic_store(&over, true);
	cg_sweep_warn_now("the recorder was cut short by somebody; this process is not watched any more");
	cg_sweep_thread_leave();
}

/* The next event of the program's starts another thread, in its own table, unless that was done already. */
static void make_room(void)
{
	if (atomic_load(&state->replaced))
		return;
	atomic_store(&state->unshared, false);
	cg_sweep_thread_leave();
	atomic_store(&cg_track_wanted, true);
}

void cg_sweep_loop(void)
{
	static const uint64_t busy_ns = 10000000;
	cg_hidden = 1;
	cg_sweep_settle();
	/* Nothing is opened in the first moments: a program that has just started likes its numbers in order. */
	atomic_store(&cg_track_wanted, false);
	unsigned woken = atomic_load(&state->wake_word);
	if (!cg_sweep_asked()) /* asked before the thread was there: nobody wakes it for that again */
		cg_futex_wait(&state->wake_word, woken, cg_sweep_interval(state->options));
	for (bool first = true;; first = false) {
		unsigned seen = atomic_load(&state->wake_word);
		if (!first && !cg_sweep_asked())
			cg_sweep_rest(seen);
		if (cg_sweep_is_out_of_place() && !cg_sweep_asked()) {
			make_room();
			return;
		}
		unsigned asked = cg_sweep_take_requests();
		if (cg_sigbus_was_cut() && !(asked & CG_REQUEST_END)) {
			end_watching();
			cg_sweep_answer(asked);
			return;
		}
		if (asked & CG_REQUEST_END)
			return;
		if (!cg_sweep_look_begin()) {
			/* A thread of the app's is looking: what was asked for is done after it. */
			cg_sweep_put_back(asked);
			cg_futex_wait(&state->wake_word, seen, busy_ns);
			continue;
		}
		if (asked & CG_REQUEST_LAST)
			finish_drains();
		if (cg_bypass_expected() && !cg_bypass_found() && !cg_loader_is_orphan())
			(void)cg_bypass_look();
		cg_sweep_look(true, asked & (CG_REQUEST_LAST | CG_REQUEST_CHECK), summary_of(asked), true);
		cg_sweep_look_end();
		state->quiet_rounds = sweep->waiting ? 0 : state->quiet_rounds + 1;
		cg_sweep_watch_signal(state->options);
		if (first && !(asked & CG_REQUESTS))
			cg_recorder_clean_dir();
		if (asked & CG_REQUESTS)
			cg_sweep_answer(asked);
		if (asked & CG_REQUEST_LAST)
			rest_in_peace();
		if (atomic_load(&state->main_left) && cg_sweep_alone())
			break;
	}
	/* As the last thread we end the program as the app's last one would have: by exit(0), handlers and all. */
	cg_sweep_thread_forget();
	cg_hidden = 0;
}

static void wake_for_drain(void)
{
	if (cg_sweep_thread_runs()) {
		atomic_fetch_add(&state->drain_wakes, 1);
		cg_futex_wake(&state->wake_word);
	} else {
		cg_sweep_wake(false);
	}
}

static bool has_thread(void)
{
	return state->options->thread && !atomic_load(&over) && cg_sweep_thread_possible() &&
	       !atomic_load(&state->unshared);
}

void cg_sweep_init(const struct cg_options *from)
{
	state->options = from;
	cg_sweep_table_init(from);
	cg_act_has_thread = has_thread;
	cg_act_wake = wake_for_drain;
	cg_track_reaped = cg_sweep_policy_used;
}

/*
 * In a table that is shared, what has to work in a process that has no descriptor left is opened now, by a thread of
 * the app's, which gets the numbers that it expects afterwards.
 */
static void prepare_shared(void)
{
	if (reserve_fd < 0) {
		reserve_fd = cg_sweep_open_reserve();
		cg_sweep_report_set_reserve(reserve_fd);
	}
	(void)cg_listing_netlink(sweep);
	cg_proc_keep();
}

static void start_thread(void)
{
	bool shares = cg_sweep_has_to_share();
	atomic_store(&state->leaves, !shares);
	atomic_store(&state->settled, 0);
	if (shares)
		prepare_shared();
	cg_sweep_thread_start();
}

void cg_sweep_wake(bool in_signal)
{
	if (!state->options || !state->options->thread || atomic_load(&cg_guard.sealed) || atomic_load(&over))
		return;
	if (cg_sweep_thread_runs())
		cg_futex_wake(&state->wake_word);
	else if (!in_signal)
		start_thread();
}

/*
 * The look of a thread of the app's: at exit, or where there is no thread of ours. It stays out of the loader where a
 * thread that a fork left behind may hold its lock.
 */
static void look_here(bool may_load, bool final, const char *summary)
{
	if (!cg_sweep_look_begin())
		return;
	may_load = may_load && !cg_loader_is_orphan();
	cg_hidden++;
	cg_sweep_look(may_load, final, summary, false);
	cg_hidden--;
	cg_sweep_look_end();
}

/* A gate that passes since the host is busy is worse than one that takes its time. */
static const uint64_t code_patience_ns = 10000000000u;

/*
 * Half a second at most, and names only in the beginning of it: on a busy host the program's end waits for no more.
 * What a policy drains has its own time, and whoever wants an exit code waits until it is known.
 */
static bool wait_for_last_look(void)
{
	static const uint64_t names_ns = 200000000u, rest_ns = 300000000u, drains_ns = 12500000000u;
	unsigned number = cg_sweep_request(CG_REQUEST_LAST);
	if (cg_sweep_await(number, cg_act_draining() ? drains_ns : names_ns))
		return true;
	cg_symbol_hurry();
	return cg_sweep_await(number, state->options->exitcode ? code_patience_ns : rest_ns);
}

/* What the thread did not come to tell, the command reads in the file. */
static void finish_recorder(bool looked)
{
	struct cg_header *h = cg_recorder_header();
	if (h && !looked)
		atomic_store(&h->spoken, 1);
	cg_recorder_finish(CG_STATE_EXITED);
}

void cg_sweep_last(const char *how)
{
	bool by_exit = how[0] == 'e';
	struct cg_header *h = cg_recorder_header();
	if (!state->options || atomic_load(&cg_guard.sealed) || atomic_exchange(&over, true))
		return;
	/* A process that nothing is known of is looked at too, but for one that leaves in a hurry. */
	if (!h && !cg_bypass_found() && (!by_exit || cg_fdtable_no_socket()))
		return;
	bool looked = true;
	if (cg_sweep_thread_runs())
		looked = wait_for_last_look();
	else
		look_here(by_exit, true, "exit");
	finish_recorder(looked);
}

static void check(uint64_t age_ns, uint64_t patience_ns)
{
	if (!state->options || atomic_load(&cg_guard.sealed))
		return;
	atomic_store(&state->check_age_ns, age_ns);
	if (!cg_sweep_thread_runs() || !cg_sweep_ask(CG_REQUEST_CHECK, patience_ns))
		look_here(true, true, NULL);
}

unsigned cg_sweep_check(uint64_t age_ns)
{
	check(age_ns, 3000000000u);
	return cg_sweep_leaks();
}

void cg_sweep_ending(void)
{
	if (state->options && state->options->exitcode && cg_recorder_header())
		check(CG_CHECK_STRICT, code_patience_ns);
}

unsigned cg_sweep_outstanding(void)
{
	struct cg_header *h = cg_recorder_header();
	return cg_sweep_leaks() + cg_sweep_mistakes() + (h ? (unsigned)atomic_load(&h->count.leaks_told) : 0);
}

void cg_sweep_request_dump(void)
{
	if (!state->options || atomic_load(&cg_guard.sealed))
		return;
	if (cg_sweep_thread_runs()) {
		(void)cg_sweep_request(CG_REQUEST_DUMP);
	} else {
		look_here(false, false, "signal");
	}
}

/* Another thread takes the place of one that has a table of its own. */
static void share_from_now_on(void)
{
	atomic_store(&state->shares, true);
	if (!cg_sweep_thread_runs())
		return;
	if (atomic_load(&state->unshared)) {
		atomic_store(&state->replaced, true);
		atomic_store(&state->leaves, false);
		atomic_store(&state->unshared, false);
		cg_sweep_thread_replace();
	}
	cg_futex_wake(&state->wake_word);
}

/* With the main thread goes what /proc shows of the program's table: from now on the sweep has to be in it. */
void cg_sweep_main_left(void)
{
	atomic_store(&state->main_left, true);
	share_from_now_on();
}

/* So it is behind another root, which may have no /proc. A thread that was just made may be about to leave. */
void cg_sweep_giving_up(bool root)
{
	static const uint64_t patience_ns = 500000000u;
	uint64_t end = cg_track_clock() + patience_ns, now;
	cg_sweep_report_keep_log();
	if (!root || !state->options->thread || cg_sys_getuid() != 0)
		return;
	while (cg_sweep_thread_runs() && !atomic_load(&state->settled) && (now = cg_track_clock()) < end)
		cg_futex_wait(&state->settled, 0, end - now);
	share_from_now_on();
}

void cg_sweep_seal(void)
{
	if (atomic_load(&cg_guard.sealed))
		return;
	if (cg_sweep_thread_runs()) {
		(void)cg_sweep_request(CG_REQUEST_END);
		cg_sweep_thread_join();
	}
	cg_recorder_set_state(CG_STATE_SEALED);
	atomic_store(&cg_guard.sealed, true);
}

void cg_sweep_after_fork(void)
{
	cg_sweep_thread_forget();
	cg_listing_after_fork();
	cg_suspects_survey_after_fork();
	cg_ownfd_close(reserve_fd);
	cg_proc_after_fork();
	reserve_fd = -1;
	struct cg_arena kept = sweep->arena;
	pid_t parent = (pid_t)CG_SYS3(SYS_getppid, 0, 0, 0);
	*sweep = (struct cg_sweep){.arena = kept, .parent = parent};
	cg_sweep_requests_after_fork();
	atomic_store(&over, false);
	atomic_store(&state->main_left, false);
	atomic_store(&state->shares, false);
	atomic_store(&state->unshared, false);
	atomic_store(&state->replaced, false);
	cg_sweep_look_after_fork();
	state->quiet_rounds = 0;
	cg_sweep_policy_after_fork();
	cg_sweep_report_after_fork();
}
