/*
 * act_drain.c: what nginx calls lingering close: the connection is half-closed, and what the peer still sends is read
 * and discarded until it closes too, or the time or the bytes are over. Without that, data that arrives at a closed
 * socket draws a reset, which destroys what the peer has not read yet.
 */
#include <errno.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include "act_parts.h"
#include "arena.h"
#include "clock.h"
#include "ownfd.h"
#include "sys.h"
#include "track.h"

enum {
	DRAINS = 128,      /* the budget: beyond it a close does what it can at once */
	SHARE = 8,         /* and of the numbers that the program may have, one in so many */
	QUESTIONS = 4,     /* that an heir asks who else holds a connection */
	ONE_READ = 1 << 18 /* bytes discarded before others get their turn */
};
static const uint64_t TICK_NS = 50000000;            /* how late a drain may notice its end */
static const uint64_t ASK_NS = 50000000;             /* between two questions of who else holds connections */
static const uint64_t ASK_PATIENCE_NS = 10000000000; /* on a host too busy for an answer */
static const unsigned ASK_SHARE = 10;                /* and so many times what the last one took */

static const uint64_t LOST_NS = 2000000000;          /* after its end, a drain that its thread has left */

/*
 * TAKEN: somebody is at it. OFFERED: the descriptor is about to be closed. HERE: in the thread that closed. These two
 * are taken by whoever goes on with them: that thread, or another when it has gone.
 */
enum state { FREE, TAKEN, OFFERED, ASKS, RUNS, HERE };

static struct drain {
	_Atomic int state;
	struct cg_act_drain how;
	int fd; /* our duplicate */
	_Atomic uint32_t tid;
	uint64_t inode;
	uint64_t since_ns; /* answers from before are of no use */
	_Atomic uint64_t deadline_ns; /* looked at, as tid, by who is not at it */
	uint64_t bytes_left;
	int questions; /* that may still be asked */
	bool has_turn; /* to ask */
	struct cg_act_plan plan;
} drains[DRAINS] CG_LARGE;

static _Atomic int under_way;

bool cg_act_draining(void)
{
	return atomic_load(&under_way) > 0;
}

/* Discards without copying. 1: more may come, 0: nothing more will. *left counts down. */
static int discard(int fd, uint64_t *left)
{
	for (uint64_t turn = ONE_READ; turn && *left;) {
		size_t n = turn < *left ? (size_t)turn : (size_t)*left;
		long r = CG_SYS(SYS_recvfrom, fd, NULL, n, MSG_TRUNC | MSG_DONTWAIT, 0, 0);
		if (r == -EINTR)
			continue;
		if (r <= 0)
			return r == -EAGAIN;
		turn -= (uint64_t)r < turn ? (uint64_t)r : turn;
		*left -= (uint64_t)r;
	}
	return 1;
}

void cg_act_drain_here(int fd, const struct cg_act_plan *plan)
{
	uint64_t end = cg_clock_now() + plan->drain_ms * 1000000ull, left = plan->drain_bytes, now;
	enum cg_action_reason reason = CG_REASON_NONE;
	(void)CG_SYS3(SYS_shutdown, fd, SHUT_WR, 0);
	while (discard(fd, &left) > 0) {
		short events;
		now = cg_clock_now();
		reason = !left ? CG_REASON_BYTES : now >= end ? CG_REASON_TIME : CG_REASON_NONE;
		if (reason)
			break;
		(void)cg_sys_poll1(fd, POLLIN, (int)((end - now) / 1000000) + 1, &events);
	}
	if (plan->drain_ms)
		cg_act_note_drain(plan, fd, CG_RESULT_DONE, reason);
}

/* The program must not run out of numbers because of ours. */
static bool is_over_share(void)
{
	struct rlimit limit;
	return CG_SYS(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, &limit, 0, 0) == 0 &&
	       (rlim_t)atomic_load(&under_way) >= limit.rlim_cur / SHARE;
}

static void give_back(struct drain *drain)
{
	cg_ownfd_close(drain->fd);
	drain->fd = -1;
	atomic_store(&drain->state, FREE);
	atomic_fetch_sub(&under_way, 1);
}

static void finish(struct drain *drain, enum cg_action_reason reason)
{
	if (drain->plan.drain_ms)
		cg_act_note_drain(&drain->plan, -1, CG_RESULT_DONE, reason);
	cg_act_apply_close(drain->fd, &drain->plan, false);
	give_back(drain);
}

static bool has_ended(const struct drain *drain)
{
	return drain->tid && CG_SYS3(SYS_tgkill, cg_sys_getpid(), drain->tid, 0) == -ESRCH;
}

/* A thread may leave by longjmp from a signal handler while it drains, or be cancelled while a stream is flushed. */
static void collect_lost(void)
{
	uint64_t now = cg_clock_now();
	for (int i = 0; i < DRAINS; i++) {
		struct drain *drain = &drains[i];
		int state = atomic_load(&drain->state);
		if ((state != HERE && state != OFFERED) || now < drain->deadline_ns + LOST_NS ||
		    (state == OFFERED && !has_ended(drain)) ||
		    !atomic_compare_exchange_strong(&drain->state, &state, TAKEN))
			continue;
		if (state == HERE)
			finish(drain, CG_REASON_TIME);
		else
			give_back(drain);
	}
}

/* `here`: the program has given up a number for ours, so that its share does not matter. */
static struct drain *take_place(bool here)
{
	collect_lost();
	if (!here && is_over_share())
		return NULL;
	for (int i = 0; i < DRAINS; i++) {
		int none = FREE;
		if (atomic_compare_exchange_strong(&drains[i].state, &none, TAKEN)) {
			atomic_fetch_add(&under_way, 1);
			return &drains[i];
		}
	}
	return NULL;
}

bool (*cg_act_has_thread)(void);
void (*cg_act_wake)(void);

int cg_act_drain_take(int fd, const struct cg_act_plan *plan, struct cg_act_drain how, enum cg_action_reason *ret_why)
{
	uint64_t cookie;
	if (!how.here && !(cg_act_has_thread && cg_act_has_thread())) {
		*ret_why = CG_REASON_NO_THREAD;
		return 0;
	}
	if (!cg_act_unpoll(fd, how.inherited) || (how.renamed && cg_act_polled_by_another_name(fd))) {
		*ret_why = CG_REASON_UNKNOWN;
		return 0;
	}
	struct drain *drain = take_place(how.here);
	*ret_why = CG_REASON_BUDGET;
	if (!drain)
		return 0;
	drain->fd = cg_ownfd_dup(fd);
	drain->plan = *plan;
	drain->how = how;
	drain->questions = how.inherited ? QUESTIONS : 1;
	drain->has_turn = false;
	if (drain->fd < 0 || cg_tcp_identity(drain->fd, &drain->inode, &cookie) < 0) {
		give_back(drain);
		return 0;
	}
	drain->tid = cg_guard_tid();
	drain->deadline_ns = cg_clock_now();
	atomic_store(&drain->state, OFFERED);
	return (int)(drain - drains) + 1;
}

static void start(struct drain *drain)
{
	if (drain->plan.drain_ms)
		(void)CG_SYS3(SYS_shutdown, drain->fd, SHUT_WR, 0);
	drain->deadline_ns = cg_clock_now() + drain->plan.drain_ms * 1000000ull;
	drain->bytes_left = drain->plan.drain_bytes;
	atomic_store(&drain->state, RUNS);
}

/* From HERE on another thread may take it, for which this one has gone: it goes by what it had before. */
static void run_here(struct drain *drain)
{
	int here = HERE, fd = drain->fd;
	struct cg_act_plan plan = drain->plan;
	drain->deadline_ns = cg_clock_now() + plan.drain_ms * 1000000ull;
	atomic_store(&drain->state, HERE);
	cg_act_drain_here(fd, &plan);
	if (!atomic_compare_exchange_strong(&drain->state, &here, TAKEN))
		return;
	cg_act_apply_close(drain->fd, &drain->plan, true);
	give_back(drain);
}

void cg_act_drain_begin(int place, bool closed)
{
	struct drain *drain = &drains[place - 1];
	int offered = OFFERED;
	if (!atomic_compare_exchange_strong(&drain->state, &offered, TAKEN))
		return;
	if (!closed) {
		give_back(drain);
		return;
	}
	if (drain->how.here) {
		run_here(drain);
		return;
	}
	drain->since_ns = cg_clock_now();
	drain->deadline_ns = drain->since_ns + ASK_PATIENCE_NS;
	if (drain->how.ask)
		atomic_store(&drain->state, ASKS);
	else
		start(drain);
	cg_act_wake();
}

/*
 * Where parent and child close at the same time, each holds a duplicate while it asks, and sees the other's: the heir
 * asks again, so that one of the two is the last and knows it. A turn lasts until the duplicate is closed: who asks
 * next does not see one that was given up on.
 */
static void answered(struct drain *drain, enum cg_held held)
{
	if (held == CG_HELD_NO) {
		cg_act_turn_leave(drain->fd);
		start(drain);
		return;
	}
	if (held == CG_HELD_NOT_YET && cg_clock_now() < drain->deadline_ns)
		return;
	if (held == CG_HELD_YES && --drain->questions > 0) {
		cg_act_turn_leave(drain->fd);
		drain->has_turn = false;
		return;
	}
	cg_act_note_refused(&drain->plan, -1, held == CG_HELD_YES ? CG_REASON_SHARED : CG_REASON_UNKNOWN);
	give_back(drain);
}

/* The other one may take long over its question, but not for ever. Answers from before the turn are of no use. */
static bool may_ask(struct drain *drain, uint64_t now)
{
	if (!drain->has_turn && (cg_act_turn_take(drain->fd) || now >= drain->deadline_ns)) {
		drain->has_turn = true;
		drain->since_ns = now;
	}
	return drain->has_turn;
}

/* One walk over the processes for all that wait for the answer. */
static void ask(cg_act_holders *holders)
{
	static uint64_t asked_ns, took_ns; /* of CPU time: on a busy host the walk takes long by itself */
	uint64_t now = cg_clock_now(), cpu = cg_clock_ns(CLOCK_THREAD_CPUTIME_ID);
	struct cg_act_question questions[DRAINS];
	enum cg_held held[DRAINS];
	struct drain *asking[DRAINS];
	unsigned n = 0;
	if (now - asked_ns < ASK_NS || now - asked_ns < ASK_SHARE * took_ns)
		return;
	for (int i = 0; i < DRAINS; i++) {
		if (atomic_load(&drains[i].state) != ASKS || !may_ask(&drains[i], now))
			continue;
		asking[n] = &drains[i];
		questions[n++] = (struct cg_act_question){drains[i].inode, drains[i].since_ns, drains[i].how.share};
	}
	if (!n)
		return;
	holders(questions, n, held);
	asked_ns = cg_clock_now();
	took_ns = cg_clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
	for (unsigned i = 0; i < n; i++)
		answered(asking[i], held[i]);
}

/* One step; true while it goes on. */
static bool step(struct drain *drain)
{
	int more = drain->plan.drain_ms ? discard(drain->fd, &drain->bytes_left) : 0;
	uint64_t now = cg_clock_now();
	if (!more)
		finish(drain, CG_REASON_NONE);
	else if (!drain->bytes_left)
		finish(drain, CG_REASON_BYTES);
	else if (now >= drain->deadline_ns)
		finish(drain, CG_REASON_TIME);
	else
		return true;
	return false;
}

uint64_t cg_act_drain_run(cg_act_holders *holders)
{
	if (!cg_act_draining())
		return 0;
	ask(holders);
	collect_lost();
	for (int i = 0; i < DRAINS; i++)
		if (atomic_load(&drains[i].state) == RUNS)
			(void)step(&drains[i]);
	return cg_act_draining() ? TICK_NS : 0;
}

/* One that is handed over meanwhile waits for the end of this, which is why TICK_NS is short. */
void cg_act_drain_wait(uint64_t most_ns)
{
	struct pollfd ends[DRAINS];
	struct timespec most = {(time_t)(most_ns / 1000000000u), (long)(most_ns % 1000000000u)};
	unsigned n = 0;
	for (int i = 0; i < DRAINS; i++)
		if (atomic_load(&drains[i].state) == RUNS)
			ends[n++] = (struct pollfd){.fd = drains[i].fd, .events = POLLIN};
	(void)CG_SYS(SYS_ppoll, ends, n, &most, NULL, 0, 0);
}

void cg_act_after_fork(void)
{
	for (int i = 0; i < DRAINS; i++)
		if (atomic_load(&drains[i].state) != FREE)
			give_back(&drains[i]);
	atomic_store(&under_way, 0);
	cg_act_poll_after_fork();
}
