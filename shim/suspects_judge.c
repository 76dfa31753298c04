/* suspects_judge.c: completes what is known of each suspect, and has it judged. */
#include <string.h>

#include "bypass.h"
#include "clock.h"
#include "futex.h"
#include "recorder.h"
#include "suspects.h"
#include "suspects_parts.h"
#include "track.h"

/* How soon after an EOF a relay half-closes its other side, on a busy host too. */
static const uint64_t relay_ns = 3000000000u;

static uint32_t flags_of(const struct cg_suspect *c)
{
	return atomic_load_explicit(&c->facts.slot.flags, memory_order_relaxed);
}

/* The descriptor that was told of the end is closed, a dup of it is not: what the closed one knew. */
static void learn_from_departed(struct cg_suspect *c)
{
	struct cg_header *h = cg_recorder_header();
	uint64_t end = atomic_load(&h->count.departed_seq), from = end > CG_MAX_DEPARTED ? end - CG_MAX_DEPARTED : 0;
	if (!(flags_of(c) & CG_SLOT_DUPPED) || (flags_of(c) & CG_SLOT_EOF))
		return;
	for (uint64_t seq = end; seq-- > from;) {
		const struct cg_departed *departed = cg_recorder_departed(seq, false);
		if (!departed || departed->conn != c->facts.slot.conn ||
		    !(atomic_load(&departed->slot.flags) & CG_SLOT_EOF))
			continue;
		c->facts.slot.eof_ns = departed->slot.eof_ns;
		c->facts.slot.eof_stack = departed->slot.eof_stack;
		c->facts.slot.eof_tid = departed->slot.eof_tid;
		c->facts.slot.eof_call = departed->slot.eof_call;
		c->facts.slot.close_ns = departed->slot.close_ns;
		c->facts.slot.close_stack = departed->slot.close_stack;
		c->facts.slot.close_call = departed->slot.close_call;
		atomic_fetch_or(&c->facts.slot.flags, CG_SLOT_EOF);
		return;
	}
}

/*
 * A read of 0 before the last data came in was another connection's: a thread read while a second one closed the
 * descriptor and a third one got its number. The kernel's time is the judge.
 */
static void drop_false_end(struct cg_suspect *c)
{
	static const uint64_t slack_ns = 50000000;
	const struct cg_tcp *tcp = &c->facts.tcp;
	uint64_t told = cg_clock_since(c->facts.now_ns, c->facts.slot.eof_ns);
	uint64_t data = tcp->last_data_recv_ms * 1000000ull;
	if ((flags_of(c) & CG_SLOT_EOF) && tcp->has_info && c->facts.slot.eof_ns && told > data + slack_ns)
		atomic_fetch_and(&c->facts.slot.flags, ~(uint32_t)CG_SLOT_EOF);
}

static void note_first_seen(struct cg_sweep *sweep, struct cg_suspect *c)
{
	struct cg_slot *slot = cg_slot_at(c->facts.fd);
	if (c->facts.fd < 0 || !slot || c->facts.slot.first_seen_ns ||
	    atomic_load(&slot->gen) != atomic_load(&c->facts.slot.gen))
		return;
	slot->first_seen_ns = c->facts.slot.first_seen_ns = sweep->now_ns;
	atomic_thread_fence(memory_order_seq_cst);
	if (atomic_load(&slot->gen) != atomic_load(&c->facts.slot.gen))
		slot->first_seen_ns = 0; /* may be the next one's */
}

/*
 * The FIN is consumed, but nobody knows since when (stdio read it, or a child): the program may be about to close. It
 * has to be so in two sweeps running before it counts. A program that ends is about to close nothing; but where nothing
 * in it goes past us, what it holds unseen was left to it by an exec, and it ends before a second look.
 */
static void doubt_inferred(struct cg_sweep *sweep, struct cg_suspect *c)
{
	struct cg_slot *slot = cg_slot_at(c->facts.fd);
	if (sweep->ending && cg_bypass_found())
		return;
	if (c->judgement.cause != CG_CAUSE_EOF_IGNORED || (flags_of(c) & CG_SLOT_EOF) || c->facts.fd < 0 || !slot)
		return;
	if (!(flags_of(c) & CG_SLOT_CONSUMED)) {
		sweep->doubted |= c->judgement.mature;
		c->judgement.mature = false;
	}
	if (atomic_load(&slot->gen) == atomic_load(&c->facts.slot.gen))
		atomic_fetch_or(&slot->flags, CG_SLOT_CONSUMED);
}

/* Half-closed on purpose: when it is closed in the end, that is not late. */
static void note_relay(const struct cg_suspect *c)
{
	struct cg_slot *slot = cg_slot_at(c->facts.fd);
	bool on_purpose = c->judgement.cause == CG_CAUSE_HALF_CLOSE && !c->judgement.pending;
	if (on_purpose && c->judgement.kind == CG_KIND_CLOSE_WAIT && c->facts.fd >= 0 && slot &&
	    atomic_load(&slot->gen) == atomic_load(&c->facts.slot.gen))
		atomic_fetch_or(&slot->flags, CG_SLOT_RELAYED);
}

/* When the program knew of the end: by a read, or (from EPOLLRDHUP, say) about when the FIN came. */
static uint64_t knew_ns(const struct cg_sweep *sweep, const struct cg_suspect *c)
{
	uint64_t age_ns = c->facts.tcp.last_ack_recv_ms * 1000000ull;
	if (flags_of(c) & CG_SLOT_EOF)
		return c->facts.slot.eof_ns;
	return c->facts.tcp.has_info && age_ns < sweep->now_ns ? sweep->now_ns - age_ns : 0;
}

/* A socket that was half-closed soon after this one's EOF, by the same thread, and is still open: the relay's other
 * side. */
static bool is_other_side(const struct cg_slot *slot, const struct cg_suspect *c, uint64_t knew)
{
	static const uint64_t slack_ns = 20000000; /* the coarse clock's, and the kernel's jiffies */
	bool same_thread = !(flags_of(c) & CG_SLOT_EOF) || slot->shut_tid == c->facts.slot.eof_tid;
	return knew && same_thread && slot->conn != c->facts.slot.conn && slot->shut_ns + slack_ns >= knew &&
	       slot->shut_ns <= knew + relay_ns;
}

static bool may_be_relayed(const struct cg_suspect *c)
{
	const struct cg_tcp *tcp = &c->facts.tcp;
	bool consumed = tcp->has_queues ? tcp->rqueue == 0 : flags_of(c) & CG_SLOT_EOF;
	return !c->facts.relayed && tcp->state == CG_TCP_CLOSE_WAIT && c->facts.fd >= 0 && consumed;
}

/* Where the kernel does not say what became of the other side, it is as it was when it last did. */
static bool is_half_closed(int state, const struct cg_suspect *c)
{
	if (state <= 0)
		return flags_of(c) & CG_SLOT_RELAYED;
	return state == CG_TCP_FIN_WAIT1 || state == CG_TCP_FIN_WAIT2;
}

/*
 * Each suspect with an EOF needs a half-closed socket of its own: that many relays there are, and no more. Which goes
 * with which makes no difference to the judgement, so they are only counted off.
 */
static void find_relays(struct cg_sweep *sweep)
{
	unsigned end = cg_recorder_fd_end();
	for (unsigned fd = 0; fd < end; fd++) {
		struct cg_slot *slot = cg_slot_at((int)fd);
		if (!slot) {
			fd |= 127;
			continue;
		}
		if (atomic_load(&slot->kind) != CG_FD_CONN || !(atomic_load(&slot->flags) & CG_SLOT_SHUT_WR))
			continue;
		for (struct cg_suspect *c = sweep->suspects; c; c = c->next) {
			if (!may_be_relayed(c) || !is_other_side(slot, c, knew_ns(sweep, c)))
				continue;
			c->facts.relayed = is_half_closed(cg_suspects_state_of(sweep, (int)fd, slot), c);
			break;
		}
	}
}

static void fill_history(struct cg_suspect *c)
{
	struct cg_site *site = c->facts.has_slot ? cg_track_site(c->facts.slot.open_stack, false) : NULL;
	if (site)
		cg_detect_history(site, &c->facts.history);
}

static void reset(struct cg_site *site)
{
	atomic_store_explicit(&site->overdue, 0, memory_order_relaxed);
	atomic_store_explicit(&site->peers, 0, memory_order_relaxed);
}

static void count_overdue(struct cg_sweep *sweep)
{
	for (unsigned i = 0; i < CG_MAX_SITES; i++) {
		struct cg_site *site = cg_recorder_site(i, false);
		if (!site)
			i |= (CG_CHUNK_SIZE / 256) - 1;
		else
			reset(site);
	}
	for (struct cg_suspect *c = sweep->suspects; c; c = c->next) {
		struct cg_site *site = NULL;
		if (c->judgement.mature && c->judgement.cause != CG_CAUSE_HALF_CLOSE && c->facts.fd >= 0)
			site = cg_track_site(c->facts.slot.open_stack, false);
		if (site)
			atomic_fetch_add(&site->overdue, 1);
	}
}

/* The next look comes when the first of the young ones is old enough, not an interval later. */
static void note_ripening(struct cg_sweep *sweep, const struct cg_suspect *c)
{
	static const uint64_t soon_ns = 20000000;
	if (c->judgement.kind == CG_KIND_NONE || c->judgement.mature || c->judgement.quiet)
		return;
	uint64_t age = c->judgement.age_ns, left = age < sweep->warn_after_ns ? sweep->warn_after_ns - age : 0;
	left += soon_ns;
	if (!sweep->ripe_in_ns || left < sweep->ripe_in_ns)
		sweep->ripe_in_ns = left;
}

static void judge_all(struct cg_sweep *sweep)
{
	sweep->ripe_in_ns = 0;
	sweep->doubted = false;
	for (struct cg_suspect *c = sweep->suspects; c; c = c->next) {
		if (c->facts.tcp.state == CG_TCP_LISTEN)
			continue;
		if (atomic_load(&c->facts.slot.last_use))
			atomic_fetch_or(&c->facts.slot.flags, CG_SLOT_USED);
		if (sweep->decide)
			sweep->decide(sweep, c);
		if (sweep->one_age)
			c->facts.warn_after_ns = sweep->warn_after_ns;
		c->facts.last_use_ns = cg_suspects_last_use(&c->facts.slot);
		note_first_seen(sweep, c);
		drop_false_end(c);
		learn_from_departed(c);
	}
	find_relays(sweep);
	cg_suspects_look_around(sweep);
	for (struct cg_suspect *c = sweep->suspects; c; c = c->next) {
		fill_history(c);
		if (c->facts.tcp.state != CG_TCP_LISTEN)
			cg_detect(&c->facts, &c->judgement);
	}
	count_overdue(sweep);
	cg_suspects_note_peaks(sweep);
	cg_suspects_count_peers(sweep);
	for (struct cg_suspect *c = sweep->suspects; c; c = c->next) {
		fill_history(c);
		if (c->facts.tcp.state != CG_TCP_LISTEN)
			cg_detect(&c->facts, &c->judgement);
		doubt_inferred(sweep, c);
		note_relay(c);
		sweep->waiting |= c->judgement.kind != CG_KIND_NONE;
		note_ripening(sweep, c);
	}
	cg_suspects_settle_shared(sweep);
}

/* A dump tells everything, though no look may have gone before it. It gives a program about to close that much time. */
void cg_suspects_judge(struct cg_sweep *sweep)
{
	static const uint64_t pause_ns = 20000000;
	static _Atomic unsigned never;
	judge_all(sweep);
	if (!sweep->doubted || !sweep->thorough || sweep->final)
		return;
	cg_futex_wait(&never, 0, pause_ns);
	sweep->now_ns = cg_track_clock();
	cg_suspects_collect(sweep);
	judge_all(sweep);
}
