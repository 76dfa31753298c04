/* sweep_table.c: which table of descriptors the thread is in. */
#include "sweep_table.h"

#include <stdlib.h>
#include <string.h>

#include "futex.h"
#include "log.h"
#include "ownfd.h"
#include "procfs.h"
#include "sweep_policy.h"
#include "sweep_state.h"
#include "unshare.h"

static struct cg_sweep_state *const state = &cg_sweep_state;
static bool emulated;

/*
 * Valgrind keeps descriptors of its own in the program's table, by which its threads wait for each other, and complains
 * on stderr of system calls that are newer than it.
 */
static bool is_emulated(void)
{
	const char *list = getenv("LD_PRELOAD");
	return list && strstr(list, "/vgpreload_");
}

/*
 * Has the sweep to take descriptors over, where it has a table of its own: to carry out a policy, which may come to
 * enforce at any time, or to write to what cannot be opened anew?
 */
static bool needs_to_take(void)
{
	return cg_sweep_policy_watches() || cg_log_needs_table();
}

bool cg_sweep_has_to_share(void)
{
	if (emulated || atomic_load(&state->shares) || cg_sweep_policy_closes() || !cg_unshare_possible())
		return true;
	return needs_to_take() && !cg_unshare_may_take();
}

/*
 * A table of its own, where that is possible. What has to work in a process that has no descriptor left was opened
 * before by a thread of the app's where it is not.
 */
void cg_sweep_settle(void)
{
	if (atomic_load(&state->leaves))
		atomic_store(&state->unshared, cg_unshare_files() == 0);
	if (cg_ownfd_unshared)
		cg_proc_keep();
	cg_futex_wake(&state->settled);
}

/* What the thread cannot do in its own table: another one has to. */
bool cg_sweep_is_out_of_place(void)
{
	if (!cg_ownfd_unshared)
		return false;
	if (state->sweep.blind)
		atomic_store(&state->shares, true);
	return atomic_load(&state->shares) || cg_sweep_policy_closes();
}

void cg_sweep_table_init(const struct cg_options *options)
{
	emulated = is_emulated();
	if (options->thread && !emulated && needs_to_take())
		(void)cg_unshare_may_take(); /* while the program has no numbers yet that it counts on */
}
