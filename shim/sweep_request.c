/* sweep_request.c: what other threads ask of the sweep's, and how they learn that it is done. */
#include "futex.h"
#include "sweep_state.h"
#include "track.h"

static struct cg_sweep_state *const state = &cg_sweep_state;

/* One word holds what is asked for and, above it, a number: who asks knows its own answer from that to another. */
enum { ONE = CG_REQUESTS + 1 };

unsigned cg_sweep_request(unsigned what)
{
	unsigned before = atomic_load(&state->requests), with;
	do
		with = (before + ONE) | what;
	while (!atomic_compare_exchange_weak(&state->requests, &before, with));
	cg_futex_wake(&state->wake_word);
	return with / ONE;
}

/* Numbers begin anew some day; nobody waits for half of them. */
static bool is_answered(unsigned number)
{
	return (atomic_load(&state->answered) - number) * ONE < 1u << 31;
}

bool cg_sweep_await(unsigned number, uint64_t patience_ns)
{
	uint64_t start = cg_track_clock();
	unsigned seen = atomic_load(&state->done_word);
	while (!is_answered(number)) {
		if (cg_track_clock() - start > patience_ns)
			return false;
		cg_futex_wait(&state->done_word, seen, 20000000);
		seen = atomic_load(&state->done_word);
	}
	return true;
}

bool cg_sweep_ask(unsigned what, uint64_t patience_ns)
{
	return cg_sweep_await(cg_sweep_request(what), patience_ns);
}

bool cg_sweep_asked(void)
{
	return atomic_load(&state->requests) & CG_REQUESTS;
}

unsigned cg_sweep_take_requests(void)
{
	return atomic_fetch_and(&state->requests, ~(unsigned)CG_REQUESTS);
}

void cg_sweep_put_back(unsigned taken)
{
	atomic_fetch_or(&state->requests, taken & CG_REQUESTS);
}

void cg_sweep_answer(unsigned taken)
{
	atomic_store(&state->answered, taken / ONE);
	cg_futex_wake(&state->done_word);
}

void cg_sweep_requests_after_fork(void)
{
	atomic_store(&state->requests, 0);
	atomic_store(&state->answered, 0);
}
