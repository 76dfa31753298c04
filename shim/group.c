/* group.c: sorts judged sockets into findings, and decides which to tell. */
#include "group.h"

#include <string.h>

#include "arena.h"
#include "detect_growth.h"
#include "group_parts.h"
#include "modules.h"
#include "recorder.h"
#include "track.h"

/* The longest that a first report waits for the rest of its burst. */
static const uint64_t settle_max_ns = 5000000000u;

static uint64_t ripe_since[CG_MAX_FINDINGS] CG_LARGE; /* when a group that was not told yet had its first ripe socket */
static unsigned used;                                 /* kept findings in use */

void cg_groups_after_fork(void)
{
	cg_group_events_after_fork();
	used = 0;
	memset(ripe_since, 0, sizeof ripe_since);
}

static bool is_key(const struct cg_kept_finding *kept, const struct cg_group_key *key)
{
	return kept->kind == key->kind && kept->cause == key->cause && kept->open_stack == key->open_stack &&
	       kept->eof_stack == key->eof_stack && kept->last_use == key->last_use &&
	       strncmp(kept->label, key->label, sizeof kept->label - 1) == 0;
}

/* The kept finding of a key; a new one takes a free place, or that of one which is long over. -1: the table is full. */
static int index_of(const struct cg_group_key *key, const struct cg_groups *groups)
{
	int free_place = used < CG_MAX_FINDINGS ? (int)used : -1;
	for (unsigned i = 0; i < used; i++) {
		const struct cg_kept_finding *kept = cg_recorder_finding(i, false);
		if (kept && is_key(kept, key))
			return (int)i;
		if (kept && free_place < 0 && !kept->count && !kept->reported && !groups->list[i])
			free_place = (int)i;
	}
	struct cg_kept_finding *kept = free_place < 0 ? NULL : cg_recorder_finding((unsigned)free_place, true);
	if (!kept)
		return -1;
	uint32_t gen = atomic_load(&kept->gen) | 1;
	memset(kept, 0, sizeof *kept);
	atomic_store(&kept->gen, gen);
	kept->kind = key->kind;
	kept->cause = key->cause;
	kept->open_stack = key->open_stack;
	kept->eof_stack = key->eof_stack;
	kept->last_use = key->last_use;
	memcpy(kept->label, key->label, sizeof kept->label);
	atomic_store(&kept->gen, gen + 1);
	ripe_since[free_place] = 0;
	if ((unsigned)free_place == used)
		used++;
	return free_place;
}

struct cg_group *cg_group_of(struct cg_sweep *sweep, struct cg_groups *groups, const struct cg_group_key *key)
{
	int index = index_of(key, groups);
	if (index < 0)
		return NULL;
	if (!groups->list[index]) {
		groups->list[index] = cg_arena_alloc(&sweep->arena, sizeof(struct cg_group));
		if (groups->list[index]) {
			groups->list[index]->kept = cg_recorder_finding((unsigned)index, false);
			groups->list[index]->quiet = true;
		}
	}
	return groups->list[index];
}

/* Of what nobody has looked at since, it says nothing where that was last used. */
static bool use_tells_apart(const struct cg_suspect *c)
{
	return !c->facts.in_backlog && c->judgement.cause != CG_CAUSE_FIN_UNREAD;
}

static void add_socket(struct cg_sweep *sweep, struct cg_groups *groups, struct cg_suspect *c)
{
	const struct cg_slot *slot = &c->facts.slot;
	bool told = atomic_load(&slot->flags) & (CG_SLOT_EOF | CG_SLOT_ERROR);
	struct cg_group_key key = {.kind = c->judgement.kind,
	                           .cause = c->judgement.cause,
	                           .open_stack = slot->open_stack,
	                           .eof_stack = told ? slot->eof_stack : 0,
	                           .last_use = use_tells_apart(c) ? atomic_load(&slot->last_use) : 0};
	cg_recorder_label_of(slot, key.label);
	struct cg_group *group = cg_group_of(sweep, groups, &key);
	if (!group)
		return;
	if (!c->judgement.mature) {
		group->ripening++;
		return;
	}
	c->next_of_group = group->first;
	group->first = c;
	group->mature++;
	group->quiet &= c->judgement.quiet;
	if (group->shown < CG_SOCKETS_SHOWN)
		group->sockets[group->shown++] = c;
	if (!group->oldest || c->judgement.age_ns > group->oldest->judgement.age_ns)
		group->oldest = c;
}

/* The leak's verdict is that of the exhaustion, where leaks hold a good part of what is open. */
static void judge_exhaustion(struct cg_groups *groups)
{
	enum { PART = 4 };
	unsigned open = atomic_load(&cg_recorder_header()->open_now), leaked = 0, most = 0, confidence = 0;
	for (unsigned i = 0; i < groups->end; i++) {
		const struct cg_group *group = groups->list[i];
		if (!group || !group->oldest || group->oldest->judgement.verdict != CG_VERDICT_LEAK)
			continue;
		leaked += group->mature;
		if (group->mature > most) {
			most = group->mature;
			confidence = group->oldest->judgement.confidence;
		}
	}
	for (unsigned i = 0; leaked && leaked >= open / PART && i < groups->end; i++) {
		struct cg_kept_finding *kept = groups->list[i] ? groups->list[i]->kept : NULL;
		if (kept && kept->kind == CG_KIND_FD_EXHAUSTION) {
			kept->verdict = CG_VERDICT_LEAK;
			kept->confidence = confidence;
		}
	}
}

/* Of each group that use which is told. */
static void note_last_uses(const struct cg_groups *groups)
{
	for (unsigned i = 0; i < groups->end; i++) {
		const struct cg_suspect *oldest = groups->list[i] ? groups->list[i]->oldest : NULL;
		if (oldest)
			cg_modules_note_use(atomic_load(&oldest->facts.slot.last_use) << 8 >> 8);
	}
}

void cg_groups_build(struct cg_sweep *sweep, struct cg_groups *ret)
{
	memset(ret, 0, sizeof *ret);
	for (struct cg_suspect *c = sweep->suspects; c; c = c->next)
		if (c->judgement.kind != CG_KIND_NONE)
			add_socket(sweep, ret, c);
	if (cg_recorder_header())
		cg_group_add_events(sweep, ret);
	ret->end = used;
	note_last_uses(ret);
	if (sweep->exhausted)
		judge_exhaustion(ret);
}

static bool is_cumulative(const struct cg_kept_finding *kept)
{
	return kept->kind >= CG_KIND_RESET_ON_CLOSE || kept->cause == CG_CAUSE_LATE_CLOSE;
}

static bool may_still_grow(const struct cg_sweep *sweep, const struct cg_group *group, unsigned index)
{
	uint64_t settle = sweep->warn_after_ns < settle_max_ns ? sweep->warn_after_ns : settle_max_ns;
	if (!ripe_since[index])
		ripe_since[index] = sweep->now_ns;
	return !sweep->final && group->ripening && sweep->now_ns - ripe_since[index] < settle;
}

/* Exhaustion is a leak's where one holds the descriptors; what is counted of it are calls that failed. */
static bool has_leaks(const struct cg_kept_finding *kept)
{
	return kept->verdict == CG_VERDICT_LEAK && kept->kind != CG_KIND_FD_EXHAUSTION;
}

/* What a reader of the recorder needs to tell it all again. */
static void keep(struct cg_kept_finding *kept, const struct cg_group *group, uint64_t now_ns)
{
	const struct cg_slot *slot = group->is_event ? &group->event.slot : &group->oldest->facts.slot;
	uint32_t gen = atomic_load(&kept->gen) | 1;
	atomic_store(&kept->gen, gen);
	kept->count = group->mature;
	kept->last_seen_ns = now_ns;
	kept->origin = slot->origin;
	kept->open_call = slot->open_call;
	kept->eof_call = group->is_event && kept->cause != CG_CAUSE_LATE_CLOSE ? group->event.call : slot->eof_call;
	if (group->is_event && !kept->first_ns)
		kept->first_ns = group->first_ns;
	if (!group->is_event) {
		kept->oldest_ns = group->oldest->judgement.age_ns;
		kept->verdict = group->oldest->judgement.verdict;
		kept->confidence = group->oldest->judgement.confidence;
		if (!group->oldest->facts.has_slot)
			kept->origin = CG_ORIGIN_UNSEEN;
	}
	cg_growth_note(kept, now_ns);
	atomic_store(&kept->gen, gen + 1);
}

/* When the descriptors have run out, what holds few of them and is young may be about to be closed. */
static bool is_of_no_account(const struct cg_sweep *sweep, const struct cg_group *group)
{
	enum { SHARE = 16 };
	unsigned open = atomic_load(&cg_recorder_header()->open_now);
	return !group->is_event && group->oldest->judgement.age_ns < sweep->usual_ns &&
	       group->mature < open / SHARE + 2;
}

static enum cg_tell decide_exhaustion(const struct cg_sweep *sweep, const struct cg_kept_finding *kept)
{
	if (kept->reported)
		return sweep->exhausted ? CG_TELL_AGAIN : CG_TELL_NOTHING;
	return sweep->exhausted || sweep->final ? CG_TELL_FIRST : CG_TELL_NOTHING;
}

enum cg_tell cg_group_decide(const struct cg_sweep *sweep, const struct cg_groups *groups, unsigned index)
{
	const struct cg_group *group = groups->list[index];
	struct cg_kept_finding *kept = cg_recorder_finding(index, false);
	if (!kept || !kept->kind)
		return CG_TELL_NOTHING;
	if (!group || !group->mature) {
		ripe_since[index] = 0;
		if (is_cumulative(kept))
			return CG_TELL_NOTHING;
		kept->count = 0;
		/* A gate may have been told of sockets that are too young for the log: they are not over. */
		return kept->reported && !(group && group->ripening) ? CG_TELL_RESOLVED : CG_TELL_NOTHING;
	}
	keep(kept, group, sweep->now_ns);
	if (group->quiet)
		return CG_TELL_NOTHING;
	if (kept->kind == CG_KIND_FD_EXHAUSTION)
		return decide_exhaustion(sweep, kept);
	if (sweep->exhausted && is_of_no_account(sweep, group))
		return CG_TELL_NOTHING;
	if (!kept->reported)
		return may_still_grow(sweep, group, index) ? CG_TELL_NOTHING : CG_TELL_FIRST;
	if (kept->verdict == CG_VERDICT_LEAK && !kept->leaked)
		return CG_TELL_FIRST; /* it was told for information, and time has shown that it is one */
	return group->mature >= 2 * kept->reported ? CG_TELL_AGAIN : CG_TELL_NOTHING;
}

void cg_group_told(struct cg_kept_finding *kept, const struct cg_group *group, enum cg_tell what)
{
	struct cg_header *h = cg_recorder_header();
	if (what == CG_TELL_RESOLVED) {
		kept->reported = 0;
		return;
	}
	kept->reported = group->mature;
	if (has_leaks(kept) && group->mature > kept->leaked) {
		atomic_fetch_add(&h->count.leaks_told, group->mature - kept->leaked);
		kept->leaked = group->mature;
	}
	atomic_store(&h->spoken, 1);
	atomic_fetch_add(&h->count.findings, 1);
}

bool cg_groups_exhausted(const struct cg_groups *groups)
{
	for (unsigned i = 0; i < groups->end; i++)
		if (groups->list[i] && groups->list[i]->kept->kind == CG_KIND_FD_EXHAUSTION)
			return true;
	return false;
}

void cg_groups_keep(const struct cg_sweep *sweep, const struct cg_groups *groups)
{
	for (unsigned i = 0; i < groups->end; i++)
		(void)cg_group_decide(sweep, groups, i);
}

unsigned cg_groups_mistakes(void)
{
	struct cg_header *h = cg_recorder_header();
	return h ? (unsigned)(atomic_load(&h->count.double_closes) + atomic_load(&h->count.uses_after_close)) : 0;
}

unsigned cg_groups_leaks(const struct cg_groups *groups)
{
	unsigned leaks = 0;
	for (unsigned i = 0; i < groups->end; i++) {
		const struct cg_kept_finding *kept = cg_recorder_finding(i, false);
		if (kept && has_leaks(kept) && !kept->suppressed)
			leaks += kept->count;
	}
	return leaks;
}

unsigned cg_groups_close_wait(const struct cg_groups *groups)
{
	unsigned count = 0;
	for (unsigned i = 0; i < groups->end; i++) {
		const struct cg_kept_finding *kept = cg_recorder_finding(i, false);
		if (kept && kept->kind == CG_KIND_CLOSE_WAIT && kept->cause != CG_CAUSE_LATE_CLOSE)
			count += kept->count;
	}
	return count;
}
