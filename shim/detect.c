/*
 * detect.c: judges one socket by what is known of it.
 *
 * The kernel says what state the socket is in and what is unread; the record only says who did something and when.
 */
#include "detect.h"

static const uint64_t NS_PER_MS = 1000000ULL;

/*
 * A send and a FIN closer together than this may have come in either order: the kernel's times are in jiffies (up to
 * 10 ms) and are cut to milliseconds. The price is that a reply sent this soon after the FIN counts as sent before it.
 */
static const uint64_t SEND_SLACK_NS = 20 * 1000000ULL;

/* Sources that agree within a jiffy tell the same thing, so the one that says most about the program names the age. */
static const uint64_t SAME_AGE_NS = 10 * 1000000ULL;

/* Without sock_diag's queue a FIN that was read past us looks like one that waits, so such a verdict stays weak. */
static const unsigned UNKNOWN_QUEUE_CONFIDENCE = 400;

/*
 * An answer may be on its way: nothing but time tells, and after so many times warn_after it has told. A thread beside
 * the main one, most often made to serve this very peer, has more of it.
 */
static const unsigned PENDING_CONFIDENCE = 300, PENDING_AGES = 3, PENDING_AGES_APART = 10;

/* So long a program may take from a look at a connection to its close. */
static const uint64_t HANDLED_NS = 1000 * 1000000ULL;

/* A pool's idle connections end some seconds after their last use at the soonest. */
static const uint64_t IDLE_NS = 1500 * 1000000ULL;

static const unsigned POOL_CONFIDENCE = 500;

static uint32_t slot_flags(const struct cg_facts *facts)
{
	return facts->has_slot ? facts->slot.flags : 0;
}

static uint64_t since(uint64_t now_ns, uint64_t then_ns)
{
	return then_ns && now_ns > then_ns ? now_ns - then_ns : 0;
}

/* Holds the socket only because a fork or an exec left it open here, and never touched it. */
static bool is_bystander(const struct cg_facts *facts)
{
	return (slot_flags(facts) & (CG_SLOT_INHERITED | CG_SLOT_USED)) == CG_SLOT_INHERITED;
}

/* Whom it came from reports it; or the process is one that a forgotten FD_CLOEXEC left it to, and is over already. */
static bool is_left_to_others(const struct cg_facts *facts)
{
	return is_bystander(facts) && (facts->held_by_opener || facts->passing_by);
}

/* How long ago the program was told that the peer is gone; 0: it was not, as far as the record knows. */
static uint64_t told_ns(const struct cg_facts *facts)
{
	return slot_flags(facts) & (CG_SLOT_EOF | CG_SLOT_ERROR) ? since(facts->now_ns, facts->slot.eof_ns) : 0;
}

static uint64_t first_seen_ns(const struct cg_facts *facts)
{
	return facts->has_slot ? since(facts->now_ns, facts->slot.first_seen_ns) : 0;
}

/*
 * It was not closable before data last came in, and one that was opened here not before it was opened: a connection
 * that never received anything has the time since boot as last_data_recv. An accepted one may have waited in the
 * backlog.
 */
static uint64_t upper_bound(const struct cg_facts *facts)
{
	uint64_t upper = facts->tcp.has_info ? facts->tcp.last_data_recv_ms * NS_PER_MS : 0;
	bool opened_here =
	    facts->has_slot && facts->slot.origin == CG_ORIGIN_SEEN && facts->slot.role == CG_ROLE_CONNECTED;
	uint64_t open = opened_here ? since(facts->now_ns, facts->slot.open_ns) : 0;
	return open && upper > open ? open : upper;
}

/*
 * `kernel_ns` is a lower bound from the kernel, 0 for none: last_ack_recv is one only where the peer's last segment was
 * the FIN or came after it. A connection that an RST ended may have been idle for hours before.
 */
static void bound_age(const struct cg_facts *facts, uint64_t kernel_ns, struct cg_judgement *ret)
{
	uint64_t eof = told_ns(facts), seen = first_seen_ns(facts);
	uint64_t age = seen > kernel_ns ? seen : kernel_ns;
	if (eof > age)
		age = eof;

	if (eof && eof + SAME_AGE_NS >= age)
		ret->age_source = CG_AGE_EOF;
	else if (kernel_ns && kernel_ns + SAME_AGE_NS >= age)
		ret->age_source = CG_AGE_KERNEL;
	else
		ret->age_source = CG_AGE_FIRST_SEEN;
	ret->age_ns = age;

	uint64_t upper = upper_bound(facts);
	ret->age_max_ns = upper && upper < age ? age : upper;
}

static void conclude(const struct cg_facts *facts, enum cg_cause cause, bool told, struct cg_judgement *ret)
{
	ret->kind = CG_KIND_CLOSE_WAIT;
	ret->cause = cause;
	cg_detect_verdict(&facts->history, cause, told, &ret->verdict, &ret->confidence);
}

/*
 * Handles that are used one after the other, each with a connection of its own: they were never in use at the same
 * time. That the place's connections are closed in the end, when they are needed again, speaks for a pool, and the more
 * of them the more may wait for that; a leak has closed none, or grows past them.
 */
static bool is_closed_at_next_use(const struct cg_history *history)
{
	return history->closed_late && history->never_closed <= history->most_live + history->closed_late;
}

/*
 * Nobody looks at an idle connection of a pool before it is needed again, so that one whose peer has closed it says
 * nothing; a leak looks the same. What tells them apart: one per peer is normal, a place that has done nothing since
 * had no occasion to look, and a pool holds no more than were once in use at the same time. A gate is strict.
 */
static bool may_be_pooled(const struct cg_facts *facts)
{
	const struct cg_history *history = &facts->history;
	if (facts->strict || slot_flags(facts) & (CG_SLOT_POLLED | CG_SLOT_EOF | CG_SLOT_ERROR))
		return false;
	return !facts->place_in_use || history->never_closed <= history->peers ||
	       history->never_closed <= history->busiest || is_closed_at_next_use(history);
}

/* How long ago it was last used; where nobody saw that, last written to, as the kernel knows. 0: not known. */
static uint64_t unused_ns(const struct cg_facts *facts)
{
	if (facts->last_use_ns)
		return since(facts->now_ns, facts->last_use_ns);
	bool unseen = facts->has_slot && facts->slot.origin == CG_ORIGIN_UNSEEN;
	return unseen && facts->tcp.has_sent ? facts->tcp.last_data_sent_ms * NS_PER_MS : 0;
}

/* Bytes that came with the FIN, long after the last use: a farewell (SMTP's 421, a TLS alert), not a reply unread. */
static bool is_goodbye(const struct cg_facts *facts)
{
	enum { MOST = 1024 };
	const struct cg_tcp *tcp = &facts->tcp;
	uint64_t data = tcp->last_data_recv_ms * NS_PER_MS, ack = tcp->last_ack_recv_ms * NS_PER_MS;
	return tcp->has_info && tcp->has_queues && tcp->rqueue <= MOST && !(slot_flags(facts) & CG_SLOT_POLLED) &&
	       data <= ack + IDLE_NS && unused_ns(facts) > data + IDLE_NS;
}

/*
 * The program has come to it: it was used after it could have been closed, a moment ago, and may be closed in the next.
 * The price is that one that is read again and again for ever is not told.
 */
static bool is_being_handled(const struct cg_facts *facts, uint64_t age_ns)
{
	uint64_t unused = since(facts->now_ns, facts->last_use_ns);
	return !facts->strict && facts->last_use_ns && unused < HANDLED_NS && unused + HANDLED_NS < age_ns;
}

/* Nobody has looked at the end. On the side that connected that is most often a pool, on the other one a handler. */
static void conclude_unread(const struct cg_facts *facts, enum cg_cause cause, struct cg_judgement *ret)
{
	unsigned role = facts->has_slot ? facts->slot.role : CG_ROLE_NONE;
	if (cause == CG_CAUSE_DATA_UNREAD && role == CG_ROLE_CONNECTED && is_goodbye(facts))
		cause = CG_CAUSE_FIN_UNREAD;
	conclude(facts, cause, false, ret);
	if (cause != CG_CAUSE_FIN_UNREAD)
		return;
	if (role == CG_ROLE_CONNECTED && may_be_pooled(facts)) {
		ret->verdict = CG_VERDICT_INFO;
		ret->confidence = POOL_CONFIDENCE;
	} else if (role == CG_ROLE_ACCEPTED && ret->verdict == CG_VERDICT_INFO) {
		ret->verdict = CG_VERDICT_LEAK;
	}
}

static bool sends_after_fin(const struct cg_facts *facts, uint64_t age_ns)
{
	uint64_t sent = facts->tcp.last_data_sent_ms * NS_PER_MS;
	return facts->tcp.has_info && sent + SEND_SLACK_NS < age_ns && sent < facts->warn_after_ns;
}

/*
 * How long nothing has happened since the program knew: a FIN that waited for an hour and was read just now, or a reply
 * that was finished just now, is not a leak at once.
 */
static uint64_t idle_since_eof(const struct cg_facts *facts, uint64_t age_ns)
{
	uint64_t idle = age_ns;
	if (slot_flags(facts) & CG_SLOT_EOF && facts->slot.eof_ns && told_ns(facts) < idle)
		idle = told_ns(facts);
	uint64_t sent = facts->tcp.last_data_sent_ms * NS_PER_MS;
	return facts->tcp.has_info && sent < idle ? sent : idle;
}

/*
 * A FIN that came with the last data is off the queue as soon as that data is read, and the program has not been told:
 * where its reads can be seen and none returned 0, nobody looked. Where they go past us the empty queue has to do.
 */
static bool was_never_told(const struct cg_facts *facts, bool told)
{
	return !told && facts->has_slot && facts->slot.origin == CG_ORIGIN_SEEN && facts->slot.last_use &&
	       !(facts->slot.flags & (CG_SLOT_STDIO | CG_SLOT_DUPPED));
}

/* Something was asked, and nothing was said since. The kernel counts the FIN as one of the bytes received. */
static bool is_unanswered(const struct cg_facts *facts)
{
	const struct cg_tcp *tcp = &facts->tcp;
	return facts->has_slot && facts->slot.role == CG_ROLE_ACCEPTED && tcp->has_info && tcp->bytes_received > 1 &&
	       !(tcp->has_sent && tcp->last_data_sent_ms <= tcp->last_data_recv_ms);
}

/*
 * A request that ended with the peer's half-close, and no reply yet: the handler may be at work. The place's history
 * says whether it answers after the end; until it does, the thread has to be there and to have touched no other
 * connection since. The price: a leak of a thread that sleeps is told late.
 */
static bool may_be_answered(const struct cg_facts *facts, bool told, uint64_t age_ns)
{
	const struct cg_history *history = &facts->history;
	if (facts->strict || !told || !is_unanswered(facts))
		return false;
	if (history->answered)
		return history->answered >= history->never_closed;
	unsigned ages = facts->reader_apart ? PENDING_AGES_APART : PENDING_AGES;
	return facts->reader_at_work && !history->closed_late && age_ns / ages < facts->warn_after_ns;
}

/* The program has read the end. Either it has reason to keep its own half open, or it forgot to close. */
static void judge_consumed(const struct cg_facts *facts, bool told, struct cg_judgement *ret)
{
	bool sending = sends_after_fin(facts, ret->age_ns);
	bool unsent = facts->tcp.has_queues && facts->tcp.wqueue > 0;
	if (sending || unsent || facts->relayed) {
		conclude(facts, CG_CAUSE_HALF_CLOSE, told, ret);
		ret->quiet = sending;
		return;
	}
	if (may_be_answered(facts, told, ret->age_ns)) {
		conclude(facts, CG_CAUSE_HALF_CLOSE, told, ret);
		ret->confidence = PENDING_CONFIDENCE;
		ret->quiet = ret->pending = true;
		return;
	}
	if (was_never_told(facts, told)) {
		conclude_unread(facts, CG_CAUSE_FIN_UNREAD, ret);
		return;
	}
	conclude(facts, CG_CAUSE_EOF_IGNORED, told, ret);
	ret->mature = idle_since_eof(facts, ret->age_ns) >= facts->warn_after_ns;
}

static void judge_unread(const struct cg_facts *facts, struct cg_judgement *ret)
{
	uint32_t fin = facts->tcp.has_queues ? 1 : 0; /* sock_diag counts it, SIOCINQ does not */
	conclude_unread(facts, facts->tcp.rqueue > fin ? CG_CAUSE_DATA_UNREAD : CG_CAUSE_FIN_UNREAD, ret);
	if (ret->cause == CG_CAUSE_FIN_UNREAD && !facts->tcp.has_queues && ret->confidence > UNKNOWN_QUEUE_CONFIDENCE)
		ret->confidence = UNKNOWN_QUEUE_CONFIDENCE;
	ret->quiet = is_being_handled(facts, ret->age_ns);
	ret->mature &= !ret->quiet;
}

static void judge_close_wait(const struct cg_facts *facts, struct cg_judgement *ret)
{
	bool told = slot_flags(facts) & CG_SLOT_EOF;
	bool consumed = facts->tcp.has_queues ? facts->tcp.rqueue == 0 : told;

	if (facts->fd < 0 && !facts->in_backlog && !facts->departed)
		return;
	if (facts->fd >= 0 && is_left_to_others(facts))
		return;
	bound_age(facts, facts->tcp.has_info ? facts->tcp.last_ack_recv_ms * NS_PER_MS : 0, ret);
	ret->mature = ret->age_ns >= facts->warn_after_ns;

	if (facts->in_backlog)
		conclude(facts, CG_CAUSE_NEVER_ACCEPTED, false, ret);
	else if (facts->fd < 0)
		conclude(facts, CG_CAUSE_SHARED, true, ret);
	else if (is_bystander(facts))
		conclude(facts, CG_CAUSE_SHARED, false, ret);
	else if (consumed)
		judge_consumed(facts, told, ret);
	else
		judge_unread(facts, ret);
}

/*
 * A socket in CLOSE may be new: only one that was a connection is dead, or one whose connect failed. The kernel says
 * which; the record may be of another socket that had the number before, closed where nobody saw it. The price is one
 * that came in by a SYN cookie and was reset without a byte.
 */
static void judge_dead_socket(const struct cg_facts *facts, struct cg_judgement *ret)
{
	bool failed = !facts->tcp.was_connected && (slot_flags(facts) & CG_SLOT_CONNECT);
	uint32_t who_tells = failed ? CG_SLOT_REFUSED : CG_SLOT_EOF | CG_SLOT_ERROR;
	if ((!facts->tcp.was_connected && !failed) || (slot_flags(facts) & CG_SLOT_REAPED))
		return;
	if (is_left_to_others(facts))
		return;
	bound_age(facts, 0, ret);
	conclude(facts, failed ? CG_CAUSE_CONNECT_FAILED : CG_CAUSE_NONE, slot_flags(facts) & who_tells, ret);
	ret->kind = CG_KIND_DEAD_SOCKET;
	bool over = failed || slot_flags(facts) & (CG_SLOT_SHUT_RD | CG_SLOT_SHUT_WR); /* no pool's any more */
	if (facts->has_slot && facts->slot.role == CG_ROLE_CONNECTED && !over && may_be_pooled(facts)) {
		ret->verdict = CG_VERDICT_INFO; /* a server may end what is idle by a reset, too */
		ret->confidence = POOL_CONFIDENCE;
	}
	ret->mature = ret->age_ns >= facts->warn_after_ns;
}

/*
 * Half-closed here, acknowledged, and the peer does not close. As long as it sends it is in its right, so the age
 * begins with its last data. Without a policy that says how long is too long nobody can tell that from a slow peer.
 */
static void judge_fin_wait2(const struct cg_facts *facts, struct cg_judgement *ret)
{
	if (!facts->fin_wait2_after_ns || facts->fd < 0 || is_bystander(facts))
		return;
	uint64_t shut = facts->has_slot ? since(facts->now_ns, facts->slot.shut_ns) : 0;
	uint64_t quiet = facts->tcp.has_info ? facts->tcp.last_data_recv_ms * NS_PER_MS : ~0ull;
	bound_age(facts, 0, ret);
	if (shut > ret->age_ns)
		ret->age_ns = shut;
	if (quiet < ret->age_ns)
		ret->age_ns = quiet;
	if (ret->age_max_ns < ret->age_ns)
		ret->age_max_ns = ret->age_ns;
	ret->kind = CG_KIND_FIN_WAIT2;
	ret->cause = CG_CAUSE_HALF_CLOSED;
	ret->verdict = CG_VERDICT_LEAK;
	ret->confidence = 800;
	ret->mature = ret->age_ns >= facts->fin_wait2_after_ns;
}

/*
 * What a gate counts however young it is, as valgrind and LeakSanitizer do at exit: the program knew of the end and has
 * no reason left to keep the descriptor.
 */
static bool is_known_to_be_over(const struct cg_facts *facts, const struct cg_judgement *judgement)
{
	bool told = slot_flags(facts) & (CG_SLOT_EOF | CG_SLOT_ERROR);
	if (judgement->cause == CG_CAUSE_CONNECT_FAILED)
		return slot_flags(facts) & CG_SLOT_REFUSED;
	return judgement->kind == CG_KIND_DEAD_SOCKET || (judgement->cause == CG_CAUSE_EOF_IGNORED && told);
}

void cg_detect(const struct cg_facts *facts, struct cg_judgement *ret)
{
	*ret = (struct cg_judgement){.kind = CG_KIND_NONE};
	if (slot_flags(facts) & CG_SLOT_IGNORED)
		return;
	if (facts->tcp.state == CG_TCP_CLOSE_WAIT)
		judge_close_wait(facts, ret);
	else if (facts->tcp.state == CG_TCP_CLOSE && facts->fd >= 0)
		judge_dead_socket(facts, ret);
	else if (facts->tcp.state == CG_TCP_FIN_WAIT2)
		judge_fin_wait2(facts, ret);
	if (facts->strict && is_known_to_be_over(facts, ret))
		ret->mature = true;
}
