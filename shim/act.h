/*
 * act.h: carries out what the policy decided, and notes each decision.
 *
 * Wrappers ask the gate first (cg_guard.policy), so that a program without a policy pays one load. In observe mode
 * nothing is done and the decision alone is noted. Any context unless said otherwise; errno is the caller's to keep.
 */
#ifndef CG_ACT_H
#define CG_ACT_H

#include <stdbool.h>
#include <stdint.h>

#include "guard.h"
#include "record.h"

struct cg_policy;

/* Does the policy in force have anything to say of this? bits: CG_POLICY_ON_… */
static inline bool cg_act_wanted(unsigned bits)
{
	return __builtin_expect(atomic_load_explicit(&cg_guard.policy, memory_order_relaxed) & bits, 0);
}

/* After accept, and after a connect that succeeded or is under way: keepalive and TCP_USER_TIMEOUT. */
void cg_act_opened(int fd);

/* What is left to do once the descriptor is closed. */
struct cg_act_close {
	int drain; /* place in the table of drains + 1; 0: nothing */
};

/*
 * Before a close. Nothing waits here: the program's descriptor is closed first, and drained through a duplicate. A
 * thread that is cancelled, or leaves a signal handler by longjmp, while it waits for us has closed what it would have
 * closed without us.
 */
void cg_act_before_close(int fd, struct cg_act_close *ret);

/* After it. `closed`: it really happened. A blocking socket is drained in here. */
void cg_act_after_close(const struct cg_act_close *act, bool closed);

/*
 * Before a setsockopt. True: it is to be answered with 0 and not made (`deny`, in enforce mode).
 */
bool cg_act_denies_option(int fd, int level, int name);

/* The program added a descriptor to this epoll set. */
void cg_act_polled(int epfd);

/* A write on a connection that may have been reaped: between these two no SIGPIPE is raised for it. */
struct cg_act_quiet {
	bool on;
	uint64_t mask, pending;
};
void cg_act_write_begin(int fd, struct cg_act_quiet *ret);
void cg_act_write_end(const struct cg_act_quiet *quiet);

#endif
