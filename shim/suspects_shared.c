/* suspects_shared.c: which of the processes that hold a socket tells of it. */
#include "arena.h"
#include "recorder.h"
#include "suspects.h"
#include "suspects_parts.h"
#include "sys.h"
#include "track.h"
#include "track_claims.h"

static uint32_t flags_of(const struct cg_suspect *c)
{
	return atomic_load_explicit(&c->facts.slot.flags, memory_order_relaxed);
}

static bool is_of_shared_listener(const struct cg_suspect *c)
{
	return c->facts.in_backlog && (flags_of(c) & CG_SLOT_INHERITED || cg_track_forked_since(&c->facts.slot));
}

/* Made here, as far as is known: one that a child has under another number came in unseen. */
static bool is_opener(const struct cg_suspect *c)
{
	return c->facts.slot.origin == CG_ORIGIN_SEEN && !(flags_of(c) & CG_SLOT_INHERITED);
}

/* A backlog is told by one of those that could accept from it: they agree on that among themselves. */
static void claim_backlogs(const struct cg_sweep *sweep)
{
	static const uint64_t least_stale_ns = 15000000000u;
	for (struct cg_suspect *c = sweep->suspects; c; c = c->next) {
		if (!c->judgement.mature || !c->facts.in_backlog || (is_opener(c) && !is_of_shared_listener(c)))
			continue;
		uint64_t stale = 2 * c->facts.warn_after_ns;
		c->claim =
		    cg_claims_take(c->facts.slot.inode, sweep->now_ns, stale > least_stale_ns ? stale : least_stale_ns,
		                   is_opener(c), sweep->thorough);
		if (c->claim == CG_CLAIM_OTHERS)
			c->judgement = (struct cg_judgement){.kind = CG_KIND_NONE};
		else if (c->claim == CG_CLAIM_SOON)
			c->judgement.mature = false;
	}
}

/* Whether the judgement depends on who else holds the socket. */
static bool holders_matter(const struct cg_suspect *c)
{
	bool unused = (flags_of(c) & (CG_SLOT_INHERITED | CG_SLOT_USED)) == CG_SLOT_INHERITED;
	bool unclaimed = is_of_shared_listener(c) && c->claim == CG_CLAIM_UNKNOWN;
	return c->judgement.mature && (c->facts.departed || (unused && !c->facts.in_backlog) || unclaimed);
}

/* The lowest pid among the other holders that are watched; 0: none. */
static pid_t watched_holder(const struct cg_suspect *c)
{
	for (unsigned i = 0; i < c->holders && i < CG_HOLDERS_SHOWN; i++)
		if (cg_recorder_watches(c->shared_with[i]))
			return c->shared_with[i];
	return 0;
}

/*
 * What was only inherited is left to the parent as long as that lives and could not be looked into: whether it holds
 * the socket too is not known, and that is not "no". If it has closed its own, it knows that others have it.
 */
static bool is_left_to_parent(const struct cg_sweep *sweep, const struct cg_suspect *c)
{
	bool answered = c->held == CG_HELD_YES || c->held == CG_HELD_NO;
	bool parent_lives = sweep->parent && (pid_t)CG_SYS3(SYS_getppid, 0, 0, 0) == sweep->parent;
	return (flags_of(c) & CG_SLOT_INHERITED) && parent_lives && (!answered || c->opener_unseen);
}

static bool bystander_told; /* a look before the last one told of what was only inherited */

void cg_suspects_shared_after_fork(void)
{
	bystander_told = false;
}

/* What a process was merely born with goes with it: its end is no time to begin to tell of that. */
static bool ends_as_bystander(const struct cg_sweep *sweep, const struct cg_suspect *c)
{
	bool unused = (flags_of(c) & (CG_SLOT_INHERITED | CG_SLOT_USED)) == CG_SLOT_INHERITED;
	return unused && !c->facts.in_backlog && sweep->ending && !bystander_told;
}

/*
 * One of several watched processes reports a socket that they share: the one that uses it; else the one that opened it,
 * if it still holds it; else the lowest pid.
 */
static void settle_one(const struct cg_sweep *sweep, struct cg_suspect *c)
{
	struct cg_header *h = cg_recorder_header();
	pid_t other = watched_holder(c);
	c->facts.other_holders = c->holders > 0;
	if (c->facts.departed)
		c->facts.held_by_opener = other != 0;
	else if (ends_as_bystander(sweep, c) || is_left_to_parent(sweep, c))
		c->facts.held_by_opener = true;
	else if (c->facts.in_backlog)
		c->facts.held_by_opener = other && other < h->pid;
	else
		c->facts.held_by_opener = other && (other == sweep->parent || other < h->pid);
	if (c->facts.held_by_opener)
		c->judgement = (struct cg_judgement){.kind = CG_KIND_NONE};
	else
		cg_detect(&c->facts, &c->judgement);
	bystander_told |= !c->facts.departed && !c->facts.in_backlog && c->judgement.mature;
}

/* Who else holds it belongs to what is told, and now and then decides whether it is. It is not waited for without end.
 */
static void wait_for_answer(const struct cg_sweep *sweep, struct cg_suspect *c, bool matters)
{
	static const uint64_t patience_ns = 5000000000u, long_patience_ns = 30000000000u;
	bool patient = c->judgement.age_ns < c->facts.warn_after_ns + (matters ? long_patience_ns : patience_ns);
	if (c->held == CG_HELD_NOT_YET && !sweep->thorough && patient)
		c->judgement.mature = false;
}

void cg_suspects_settle_shared(struct cg_sweep *sweep)
{
	claim_backlogs(sweep);
	struct cg_suspect **asked = cg_arena_alloc(&sweep->arena, sweep->suspect_count * sizeof(struct cg_suspect *));
	unsigned n = 0;
	for (struct cg_suspect *c = sweep->suspects; c && asked && n < sweep->suspect_count; c = c->next) {
		bool told = c->judgement.mature || (sweep->thorough && c->judgement.kind != CG_KIND_NONE);
		c->asked = holders_matter(c) || (told && cg_suspects_may_be_shared(c));
		if (c->asked)
			asked[n++] = c;
	}
	if (n)
		cg_suspects_find_holders(sweep, asked, n);
	for (unsigned i = 0; i < n; i++) {
		bool matters = holders_matter(asked[i]);
		if (matters)
			settle_one(sweep, asked[i]);
		wait_for_answer(sweep, asked[i], matters);
	}
}
