/*
 * sweep_reap.c: ends connections that the program leaked, where a rule says so; in observe mode says that it would
 * have, and counts those that the program used again.
 *
 * A connection is a candidate in one look and is ended in the next, if nothing has happened to it in between. Before
 * that it is marked, so that a write which is about to come raises no SIGPIPE.
 */
#include "sweep_reap.h"

#include <string.h>

#include "act_parts.h"
#include "policy.h"
#include "procfs.h"
#include "recorder.h"
#include "sweep_policy.h"
#include "sweep_sites.h"
#include "sweep_watched.h"
#include "track.h"

enum { AT_ONCE = 64, DEFAULT_USER_TIMEOUT_MS = 5000 };
static const uint64_t again_ns = 25000000, tick_ns = 100000000;

static const struct cg_policy *policy; /* as of this look; only the sweep replaces it */

static void decide(const struct cg_sweep *sweep, struct cg_suspect *c)
{
	struct cg_slot slot = c->facts.slot;
	(void)sweep;
	c->rule = CG_POLICY_NO_RULE;
	if (!policy || !c->facts.has_slot)
		return;
	if (c->facts.in_backlog)
		slot.role = CG_ROLE_ACCEPTED; /* it would have been */
	c->rule = cg_act_rule_of(policy, &slot, &c->facts.tcp);
	if (c->rule < 0)
		return;
	const struct cg_policy_rule *rule = &policy->rules[c->rule];
	if (rule->warn_after_ns)
		c->facts.warn_after_ns = rule->warn_after_ns;
	c->facts.fin_wait2_after_ns = rule->fin_wait2_after_ns;
}

static void find_epolls(void)
{
	int fds[64];
	int n = cg_proc_epoll_sets(fds, 64);
	if (n >= 0)
		cg_act_set_epolls(fds, (unsigned)n);
}

void cg_sweep_reap_prepare(struct cg_sweep *sweep, bool may_load)
{
	policy = cg_act_enter();
	cg_act_leave();
	sweep->decide = policy ? decide : NULL;
	sweep->fin_wait2 = policy && policy->least_fin_wait2_after_ns;
	if (policy && policy->needs_site)
		cg_sweep_sites_name(policy, may_load);
	if (policy && policy->drains && policy->enforce)
		find_epolls();
}

static uint64_t end_after(const struct cg_suspect *c)
{
	if (!policy || c->rule < 0 || c->facts.fd < 0 || !c->facts.has_slot || !c->facts.slot.inode)
		return 0;
	const struct cg_policy_rule *rule = &policy->rules[c->rule];
	if (c->judgement.kind == CG_KIND_FIN_WAIT2)
		return rule->fin_wait2_after_ns;
	bool ends = c->judgement.kind == CG_KIND_CLOSE_WAIT && c->judgement.cause != CG_CAUSE_HALF_CLOSE &&
	            c->judgement.cause != CG_CAUSE_NEVER_ACCEPTED && !c->judgement.quiet;
	return ends ? rule->reap_after_ns : 0;
}

/* The program has left it alone for so long: by its record, which is as fine as its ticks. */
static bool is_idle(uint32_t last_tick, uint64_t after_ns)
{
	struct cg_header *h = cg_recorder_header();
	uint32_t now = h ? atomic_load(&h->tick) : 0;
	return !last_tick || (now > last_tick && (now - last_tick) * tick_ns >= after_ns);
}

static void note(const struct cg_suspect *c, enum cg_action_result result, enum cg_action_reason reason, int error,
                 struct cg_watched *w)
{
	const struct cg_policy_rule *rule = &policy->rules[c->rule];
	bool fin_wait2 = c->judgement.kind == CG_KIND_FIN_WAIT2;
	struct cg_act_note what = {.kind = fin_wait2 ? CG_ACTION_FIN_WAIT2 : CG_ACTION_REAP,
	                           .phase = fin_wait2 ? CG_AT_SHUTDOWN : CG_AT_EOF,
	                           .result = result,
	                           .reason = reason,
	                           .error = error,
	                           .rule = (unsigned)c->rule,
	                           .rule_name = rule->name,
	                           .stack = c->facts.slot.open_stack,
	                           .call = c->facts.slot.open_call,
	                           .fd = c->facts.fd,
	                           .tcp = &c->facts.tcp};
	cg_watched_told(w, cg_act_note(&what));
}

static void remember(struct cg_watched *w, const struct cg_suspect *c, uint64_t uses, const struct cg_sweep *sweep)
{
	struct cg_watched_view view = {.fd = c->facts.fd,
	                               .gen = atomic_load(&c->facts.slot.gen),
	                               .rqueue = c->facts.tcp.rqueue,
	                               .inode = c->facts.slot.inode,
	                               .uses = uses,
	                               .seen_ns = sweep->now_ns};
	cg_watched_candidate(w, &view);
}

struct due {
	struct cg_suspect *suspect;
	struct cg_watched *watched;
};

/* Whoever sent it may have it still, or have sent it twice: one on its way is seen with nobody. */
static bool was_received(const struct cg_slot *slot)
{
	return slot->origin == CG_ORIGIN_RECEIVED;
}

/* Often it is a duplicate that is opened as a stream. */
static bool is_stream(const struct cg_suspect *c)
{
	unsigned end = c->own_fds > 1 ? cg_recorder_fd_end() : 0;
	uint32_t flags = atomic_load(&c->facts.slot.flags);
	for (unsigned fd = 0; fd < end; fd++) {
		const struct cg_slot *slot = cg_track_conn((int)fd);
		if (slot && slot->inode == c->facts.slot.inode)
			flags |= atomic_load(&slot->flags);
	}
	return flags & CG_SLOT_STDIO;
}

static void refuse(const struct due *due, enum cg_action_reason reason)
{
	note(due->suspect, CG_RESULT_REFUSED, reason, 0, due->watched);
	cg_watched_mark(due->suspect->facts.slot.inode, false);
}

static void end_one(const struct due *due, enum cg_held held)
{
	struct cg_suspect *c = due->suspect;
	if (held == CG_HELD_NO && was_received(&c->facts.slot))
		held = CG_HELD_UNKNOWN;
	const struct cg_policy_rule *rule = &policy->rules[c->rule];
	uint32_t timeout = rule->close_user_timeout_ms ? rule->close_user_timeout_ms : DEFAULT_USER_TIMEOUT_MS;
	if (held == CG_HELD_NOT_YET)
		return; /* asked again in the next look */
	if (held != CG_HELD_NO) {
		refuse(due, held == CG_HELD_YES ? CG_REASON_SHARED : CG_REASON_UNKNOWN);
		return;
	}
	if (is_stream(c)) {
		refuse(due, CG_REASON_STREAM);
		return;
	}
	int r =
	    cg_act_end_connection(c->facts.fd, c->facts.slot.inode, c->facts.slot.cookie, c->facts.tcp.state, timeout);
	if (r == 0) {
		note(c, CG_RESULT_DONE, CG_REASON_NONE, 0, due->watched);
		return;
	}
	cg_watched_mark(c->facts.slot.inode, false);
	if (r == -ESTALE || r == -EALREADY || r == -EBADF)
		due->watched->stage = CG_WATCHED_UNUSED; /* the program was quicker, as it should be */
	else
		note(c, CG_RESULT_FAILED, CG_REASON_NONE, -r, due->watched);
}

/* When a process that may have got a socket from this one was last noticed. */
static uint64_t last_fork_ns(uint64_t now_ns)
{
	static uint16_t noticed;
	static uint64_t noticed_ns;
	uint16_t epoch = atomic_load(&cg_track_epoch);
	if (epoch != noticed)
		noticed_ns = now_ns;
	noticed = epoch;
	return noticed_ns;
}

/*
 * The answer is of a time since which nothing has happened to it. A fork while the question was asked may have shared
 * any of them: the next look asks again.
 */
static void end_all(const struct cg_sweep *sweep, struct due *due, unsigned count)
{
	struct cg_act_question questions[AT_ONCE];
	enum cg_held held[AT_ONCE];
	uint64_t forked_ns = last_fork_ns(sweep->now_ns);
	uint16_t epoch = atomic_load(&cg_track_epoch);
	for (unsigned i = 0; i < count; i++) {
		uint64_t seen_ns = due[i].watched->seen_ns;
		questions[i] = (struct cg_act_question){.inode = due[i].watched->inode,
		                                        .since_ns = seen_ns > forked_ns ? seen_ns : forked_ns,
		                                        .share = cg_track_share(&due[i].suspect->facts.slot)};
	}
	cg_suspects_ask_holders(questions, count, held);
	for (unsigned i = 0; i < count; i++)
		if (epoch == atomic_load(&cg_track_epoch) && !atomic_load(&cg_track_forking))
			end_one(&due[i], held[i]);
}

/* The second look at a candidate: is it as it was? */
static bool is_ripe(const struct cg_watched *w, const struct cg_suspect *c, uint64_t uses, const struct cg_sweep *sweep)
{
	return sweep->now_ns - w->seen_ns >= again_ns && w->rqueue == c->facts.tcp.rqueue && w->uses == uses;
}

/* True when the suspect is to be ended in this look. */
static bool consider(struct cg_sweep *sweep, struct cg_suspect *c, struct cg_watched **ret)
{
	uint64_t after = end_after(c);
	struct cg_watched *w = after ? cg_watched_find(c->facts.slot.inode) : NULL;
	uint32_t last_tick;
	if (!after || (w && w->stage == CG_WATCHED_TOLD) || c->judgement.age_ns < after)
		return false;
	uint64_t uses = cg_watched_uses(c->facts.fd, c->facts.slot.inode, c->own_fds > 1, &last_tick);
	if (!is_idle(last_tick, after)) {
		if (w)
			cg_watched_forget(w);
		return false;
	}
	if (w && is_ripe(w, c, uses, sweep)) {
		*ret = w;
		return true;
	}
	bool waits = w && w->uses == uses && sweep->now_ns - w->seen_ns < again_ns;
	if (!w)
		w = cg_watched_new(c->facts.slot.inode);
	if (w && !waits) {
		remember(w, c, uses, sweep);
		if (policy->enforce) {
			cg_watched_mark(w->inode, true);
			(void)cg_holders_want(w->inode, sweep->now_ns); /* one walk for all that ripen together */
		}
	}
	if (w && (!sweep->ripe_in_ns || sweep->ripe_in_ns > again_ns))
		sweep->ripe_in_ns = again_ns + 1000000;
	return false;
}

void cg_sweep_policy_act(struct cg_sweep *sweep, bool acts)
{
	struct due due[AT_ONCE];
	unsigned count = 0;
	cg_watched_count();
	cg_watched_drop(sweep);
	if (!policy || !acts)
		return;
	for (struct cg_suspect *c = sweep->suspects; c; c = c->next) {
		struct cg_watched *w = NULL;
		if (count == AT_ONCE) {
			sweep->ripe_in_ns = 1; /* the rest in the next look */
			break;
		}
		if (!consider(sweep, c, &w))
			continue;
		if (policy->enforce)
			due[count++] = (struct due){c, w};
		else
			note(c, CG_RESULT_WOULD, CG_REASON_NONE, 0, w);
	}
	if (count)
		end_all(sweep, due, count);
}

uint64_t cg_sweep_policy_drain(void)
{
	return cg_act_drain_run(cg_suspects_ask_holders);
}

void cg_sweep_policy_after_fork(void)
{
	cg_watched_after_fork();
	cg_act_after_fork();
}
