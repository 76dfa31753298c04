/*
 * sweep_state.h: what the sweep's files know of each other: the look that is under way, and what was asked for.
 */
#ifndef CG_SWEEP_STATE_H
#define CG_SWEEP_STATE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "options.h"
#include "suspects.h"

extern struct cg_sweep_state {
	const struct cg_options *options;
	struct cg_sweep sweep;
	_Atomic unsigned requests;    /* CG_REQUEST_… that nobody took up yet, and how many there have been */
	_Atomic unsigned answered;    /* so many of them were */
	_Atomic unsigned wake_word;   /* changes with each reason to wake the thread */
	_Atomic unsigned drain_wakes; /* how many of those were only about drains */
	_Atomic unsigned done_word;   /* changes when the thread has answered */
	_Atomic bool main_left;
	_Atomic uint64_t check_age_ns; /* what closeguard_check_older() asks for; CG_CHECK_STRICT: none in particular */
	_Atomic bool leaves;   /* the thread that is about to start may have a table of its own */
	_Atomic bool shares;   /* for good: the thread has to be in the program's table of descriptors */
	_Atomic bool unshared; /* the thread that runs is in a table of its own */
	_Atomic bool replaced; /* another thread takes the place of the one that is in a table of its own */
	_Atomic unsigned settled; /* 0: the thread may be about to leave the program's table */
	unsigned quiet_rounds; /* looks in a row that saw nothing suspicious */
} cg_sweep_state;

/* What the thread is asked for. */
enum { CG_REQUEST_DUMP = 1, CG_REQUEST_LAST = 2, CG_REQUEST_CHECK = 4, CG_REQUEST_END = 8, CG_REQUESTS = 15 };

/* Asks, and does not wait. Returns the request's number. Any context. */
unsigned cg_sweep_request(unsigned what);

/* Waits for the answer to that request. False when there was none in time. Any thread of the app's. */
bool cg_sweep_await(unsigned number, uint64_t patience_ns);

/* Asks and waits for the answer. False when there was none in time. Any thread of the app's. */
bool cg_sweep_ask(unsigned what, uint64_t patience_ns);

/* Is anything asked for? */
bool cg_sweep_asked(void);

/*
 * The thread's part: takes up what was asked for (CG_REQUESTS of the result) and says when that is done, or puts it
 * back. `taken` is what the first one returned.
 */
unsigned cg_sweep_take_requests(void);
void cg_sweep_put_back(unsigned taken);
void cg_sweep_answer(unsigned taken);

void cg_sweep_requests_after_fork(void);

/* Between two looks: short enough to see a socket before it is old enough to be told. */
uint64_t cg_sweep_interval(const struct cg_options *options);

/* Sleeps until the next look is due or something was asked for, and drains meanwhile. Sweep thread only. */
void cg_sweep_rest(unsigned seen);

#endif
