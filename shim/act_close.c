/*
 * act_close.c: what a rule wants of a close.
 *
 * A close is the connection's end only for its last holder. Where another descriptor or a process made since may hold
 * it, nothing is set and nothing is shut: the sweep thread finds out who does, on a duplicate, after the program's own
 * close has returned.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "act_parts.h"
#include "fmt.h"
#include "policy.h"
#include "sys.h"
#include "track.h"

#ifndef TCP_RTO_MAX_MS
#define TCP_RTO_MAX_MS 44 /* Linux 6.15 */
#endif

static void note_outcome(const struct cg_act_plan *plan, enum cg_action_kind kind, int fd, enum cg_action_result result,
                         enum cg_action_reason reason, uint32_t value, int error)
{
	struct cg_act_note note = {.kind = kind,
	                           .phase = CG_AT_CLOSE,
	                           .result = result,
	                           .reason = reason,
	                           .rule = plan->rule,
	                           .rule_name = plan->rule_name,
	                           .stack = plan->stack,
	                           .call = plan->call,
	                           .error = error,
	                           .fd = fd,
	                           .value = value};
	(void)cg_act_note(&note);
}

static void note_set(const struct cg_act_plan *plan, enum cg_action_kind kind, int fd, uint32_t value, int r)
{
	if (!plan->enforce)
		note_outcome(plan, kind, fd, CG_RESULT_WOULD, CG_REASON_NONE, value, 0);
	else if (r == -ENOPROTOOPT)
		note_outcome(plan, kind, fd, CG_RESULT_REFUSED, CG_REASON_OLD_KERNEL, value, 0);
	else
		note_outcome(plan, kind, fd, r < 0 ? CG_RESULT_FAILED : CG_RESULT_DONE, CG_REASON_NONE, value,
		             r < 0 ? -r : 0);
}

static void set(const struct cg_act_plan *plan, enum cg_action_kind kind, int fd, int name, uint32_t value)
{
	int r = plan->enforce ? cg_sys_setsockopt(fd, IPPROTO_TCP, name, &value, sizeof value) : 0;
	note_set(plan, kind, fd, value, r);
}

static void set_linger(const struct cg_act_plan *plan, int fd)
{
	struct linger linger = {.l_onoff = plan->linger != CG_LINGER_OFF,
	                        .l_linger = plan->linger == CG_LINGER_TIME ? plan->linger_s : 0};
	int r = plan->enforce ? cg_sys_setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) : 0;
	note_set(plan, CG_ACTION_LINGER, fd, (uint32_t)linger.l_linger, r);
}

void cg_act_apply_close(int fd, const struct cg_act_plan *plan, bool lingers)
{
	if (plan->rto_max_ms)
		set(plan, CG_ACTION_RTO_MAX, fd, TCP_RTO_MAX_MS, plan->rto_max_ms);
	if (plan->fin_timeout_s)
		set(plan, CG_ACTION_FIN_TIMEOUT, fd, TCP_LINGER2, (uint32_t)plan->fin_timeout_s);
	if (plan->user_timeout_ms)
		set(plan, CG_ACTION_USER_TIMEOUT, fd, TCP_USER_TIMEOUT, plan->user_timeout_ms);
	if (plan->linger == CG_LINGER_OFF || plan->linger == CG_LINGER_RESET ||
	    (plan->linger == CG_LINGER_TIME && lingers))
		set_linger(plan, fd);
}

void cg_act_note_drain(const struct cg_act_plan *plan, int fd, enum cg_action_result result,
                       enum cg_action_reason reason)
{
	note_outcome(plan, CG_ACTION_DRAIN, fd, result, reason, plan->drain_ms, 0);
}

void cg_act_note_refused(const struct cg_act_plan *plan, int fd, enum cg_action_reason reason)
{
	const struct {
		enum cg_action_kind kind;
		uint32_t value;
	} wanted[] = {{CG_ACTION_DRAIN, plan->drain_ms},
	              {CG_ACTION_RTO_MAX, plan->rto_max_ms},
	              {CG_ACTION_FIN_TIMEOUT, (uint32_t)plan->fin_timeout_s},
	              {CG_ACTION_USER_TIMEOUT, plan->user_timeout_ms}};
	for (unsigned i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
		if (wanted[i].value)
			note_outcome(plan, wanted[i].kind, fd, CG_RESULT_REFUSED, reason, wanted[i].value, 0);
	if (plan->linger > CG_LINGER_DEFAULT)
		note_outcome(plan, CG_ACTION_LINGER, fd, CG_RESULT_REFUSED, reason, plan->linger_s, 0);
}

static bool make_plan(int fd, const struct cg_slot *slot, struct cg_act_plan *ret)
{
	const struct cg_policy *policy = cg_act_enter();
	int index = policy ? cg_act_rule(policy, fd, slot) : CG_POLICY_NO_RULE;
	if (index >= 0) {
		const struct cg_policy_rule *rule = &policy->rules[index];
		struct cg_buf name;
		*ret = (struct cg_act_plan){.rule = (unsigned)index,
		                            .stack = slot->open_stack,
		                            .call = slot->open_call,
		                            .linger = rule->linger,
		                            .linger_s = rule->linger_s,
		                            .fin_timeout_s = rule->fin_timeout_s,
		                            .user_timeout_ms = rule->close_user_timeout_ms,
		                            .rto_max_ms = rule->rto_max_ms,
		                            .drain_ms = rule->linger == CG_LINGER_RESET ? 0 : rule->drain_ms,
		                            .drain_bytes = rule->drain_bytes,
		                            .enforce = policy->enforce};
		cg_buf_init(&name, ret->rule_name, sizeof ret->rule_name);
		cg_buf_str(&name, rule->name);
	}
	cg_act_leave();
	return index >= 0 && (ret->drain_ms || ret->linger > CG_LINGER_DEFAULT || ret->fin_timeout_s ||
	                      ret->user_timeout_ms || ret->rto_max_ms);
}

/* A descriptor or a process may hold the connection beside the one that is being closed. */
static bool may_be_shared(const struct cg_slot *slot)
{
	uint32_t flags = atomic_load(&slot->flags);
	return (flags & (CG_SLOT_DUPPED | CG_SLOT_INHERITED)) || slot->origin != CG_ORIGIN_SEEN ||
	       cg_track_forked_since(slot) || atomic_load(&cg_track_forking) > 0;
}

static bool has_flag(const struct cg_slot *slot, uint32_t flag)
{
	return atomic_load(&slot->flags) & flag;
}

/* Another number of this process is the same connection: this close is not its end, and nothing is to be done. */
static bool has_other_number(int fd, const struct cg_slot *slot)
{
	unsigned end = cg_recorder_fd_end();
	if (!has_flag(slot, CG_SLOT_DUPPED))
		return false;
	for (unsigned other = 0; other < end; other++) {
		const struct cg_slot *its = cg_track_conn((int)other);
		if (its && (int)other != fd && its->conn == slot->conn)
			return true;
	}
	return false;
}

static bool is_connected(int state)
{
	return state == CG_TCP_ESTABLISHED || state == CG_TCP_CLOSE_WAIT || state == CG_TCP_FIN_WAIT1 ||
	       state == CG_TCP_FIN_WAIT2;
}

/* After the peer's FIN no more can come: only what waits unread would make the close a reset. */
static bool needs_drain(int fd, int state)
{
	uint32_t unread = 0;
	return state != CG_TCP_CLOSE_WAIT || (cg_tcp_unread(fd, &unread) == 0 && unread > 0);
}

static bool app_lingers(int fd)
{
	struct linger linger = {0};
	unsigned len = sizeof linger;
	return cg_sys_getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &len) == 0 && linger.l_onoff;
}

/* What can be done at once and without a duplicate: half-close, and discard what is there already. */
static void drain_briefly(int fd, const struct cg_act_plan *plan, enum cg_action_reason why)
{
	struct cg_act_plan brief = *plan;
	brief.drain_ms = 0;
	cg_act_drain_here(fd, &brief);
	cg_act_note_drain(plan, fd, CG_RESULT_REFUSED, why);
	cg_act_apply_close(fd, plan, true);
}

/* On a duplicate, by the sweep thread (or here, where the program's thread may block). */
static void hand_over(int fd, const struct cg_act_plan *plan, struct cg_act_drain how, struct cg_act_close *ret)
{
	enum cg_action_reason why = CG_REASON_NONE;
	ret->drain = cg_act_drain_take(fd, plan, how, &why);
	if (ret->drain)
		return;
	if (how.ask)
		cg_act_note_refused(plan, fd, why);
	else if (plan->drain_ms)
		drain_briefly(fd, plan, why);
	else
		cg_act_apply_close(fd, plan, true);
}

static void close_alone(int fd, int state, struct cg_act_plan *plan, struct cg_act_close *ret)
{
	if (plan->drain_ms && app_lingers(fd)) {
		cg_act_note_drain(plan, fd, CG_RESULT_REFUSED, CG_REASON_APP_LINGER);
		plan->drain_ms = 0;
	}
	bool drains = plan->drain_ms && needs_drain(fd, state);
	bool blocks = !(cg_sys_fcntl(fd, F_GETFL, 0) & O_NONBLOCK);
	if (drains)
		hand_over(fd, plan, (struct cg_act_drain){.here = blocks}, ret);
	else
		cg_act_apply_close(fd, plan, true);
}

/* Nothing is touched: what would have been done. */
static void note_all(int fd, int state, const struct cg_act_plan *plan, bool shared)
{
	if (plan->drain_ms && needs_drain(fd, state) && !app_lingers(fd))
		cg_act_note_drain(plan, fd, CG_RESULT_WOULD, shared ? CG_REASON_UNKNOWN : CG_REASON_NONE);
	cg_act_apply_close(fd, plan, true);
}

void cg_act_before_close(int fd, struct cg_act_close *ret)
{
	struct cg_slot *slot = cg_track_conn(fd);
	struct cg_act_plan plan;
	if (!slot || atomic_load(&cg_guard.sealed) || !make_plan(fd, slot, &plan))
		return;
	int state = cg_tcp_state_of(fd);
	bool shared = may_be_shared(slot);
	if (!is_connected(state) || has_other_number(fd, slot))
		return;
	if (!plan.enforce)
		note_all(fd, state, &plan, shared);
	else if (has_flag(slot, CG_SLOT_SENT))
		cg_act_note_refused(&plan, fd, CG_REASON_UNKNOWN);
	else if (shared)
		hand_over(fd, &plan,
		          (struct cg_act_drain){.ask = true,
		                                .share = cg_track_share(slot),
		                                .inherited = has_flag(slot, CG_SLOT_INHERITED),
		                                .renamed = has_flag(slot, CG_SLOT_DUPPED)},
		          ret);
	else
		close_alone(fd, state, &plan, ret);
}

void cg_act_after_close(const struct cg_act_close *act, bool closed)
{
	if (act->drain)
		cg_act_drain_begin(act->drain, closed);
}
