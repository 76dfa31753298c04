/* suspects_holders.c: which other processes hold our sockets, as far as that can be known. */
#include <string.h>

#include "arena.h"
#include "procfs_holders.h"
#include "recorder.h"
#include "suspects.h"
#include "track.h"

_Static_assert((int)CG_HOLDERS_KEPT == (int)CG_HOLDERS_SHOWN, "what is found is what can be shown");

/* Of CPU time: a host with 200 processes takes some 5 ms. */
static const uint64_t budget_ns = 20000000, thorough_budget_ns = 50000000;

/*
 * By fork a socket goes to processes that are younger than it. One that may not be looked into and is older has it only
 * if it is the one that opened it; not considered is that one of the younger ones may have passed it on by SCM_RIGHTS
 * to a process that cannot be seen.
 */
static bool kin_were_seen(const struct cg_share *share, const struct cg_holders_view *view)
{
	bool opener_seen = !share->inherited || !view->unread_ancestor;
	return !view->hidden && (!view->unread || (opener_seen && view->unread_start < share->born));
}

enum cg_held cg_holders_judge(const struct cg_holders *found, const struct cg_holders_view *view,
                              const struct cg_share *share)
{
	bool all_seen = view->host && !view->hidden && !view->unread;
	if (found->count || found->other_table)
		return CG_HELD_YES;
	if (share->sent || view->unread_self)
		return CG_HELD_UNKNOWN;
	if (all_seen || share->reach == CG_REACH_OWN || (share->reach == CG_REACH_KIN && kin_were_seen(share, view)))
		return CG_HELD_NO;
	return CG_HELD_UNKNOWN;
}

void cg_suspects_ask_holders(const struct cg_act_question *questions, unsigned count, enum cg_held *ret)
{
	uint64_t now = cg_track_clock(), since = 0;
	struct cg_holders found;
	struct cg_holders_view view;
	for (unsigned i = 0; i < count; i++) {
		(void)cg_holders_want(questions[i].inode, now);
		if (questions[i].since_ns > since)
			since = questions[i].since_ns;
	}
	cg_holders_walk(now, since, budget_ns, true);
	for (unsigned i = 0; i < count; i++) {
		const struct cg_act_question *q = &questions[i];
		bool known = cg_holders_get(q->inode, q->since_ns, &found, &view) == 0;
		ret[i] = known ? cg_holders_judge(&found, &view, &q->share) : CG_HELD_NOT_YET;
	}
}

/* Whose holders matter: those of the socket itself, or of the listener in whose backlog it is nobody's. */
static uint64_t inode_of(const struct cg_suspect *c)
{
	return c->facts.in_backlog ? c->facts.slot.inode : c->facts.tcp.inode;
}

static void take_answer(struct cg_suspect *c)
{
	struct cg_holders found;
	struct cg_holders_view view;
	struct cg_share share = cg_track_share(&c->facts.slot);
	if (cg_holders_get(inode_of(c), 0, &found, &view) < 0)
		return;
	c->held = cg_holders_judge(&found, &view, &share);
	c->opener_unseen = view.unread_ancestor;
	c->holders = found.count;
	memcpy(c->shared_with, found.pids, sizeof found.pids);
}

void cg_suspects_find_holders(struct cg_sweep *sweep, struct cg_suspect *const *suspects, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		bool wanted = cg_holders_want(inode_of(suspects[i]), sweep->now_ns);
		suspects[i]->held = wanted ? CG_HELD_NOT_YET : CG_HELD_UNKNOWN;
	}
	cg_holders_walk(sweep->now_ns, 0, sweep->thorough ? thorough_budget_ns : budget_ns, sweep->thorough);
	for (unsigned i = 0; i < count; i++)
		take_answer(suspects[i]);
}

bool cg_suspects_may_be_shared(const struct cg_suspect *c)
{
	return c->facts.departed || cg_track_share(&c->facts.slot).reach != CG_REACH_OWN ||
	       (atomic_load(&c->facts.slot.flags) & CG_SLOT_SENT);
}
