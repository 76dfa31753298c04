/* sweep_watched.c: the table of connections that a policy ends or would end, and whether the program uses them again.
 */
#include "sweep_watched.h"

#include <string.h>
#include <sys/mman.h>

#include "recorder.h"
#include "sweep_policy.h"
#include "sys.h"
#include "track.h"

enum { WATCHED = 8192, PROBES = 64 };

/* Mapped when the first one is watched: a program that locks its memory has no room for what it does not use. */
static struct cg_watched *_Atomic table;

static struct cg_watched *place_of(struct cg_watched *watched, uint64_t inode, unsigned probe)
{
	return &watched[(inode * 0x9e3779b97f4a7c15u + probe) % WATCHED];
}

struct cg_watched *cg_watched_find(uint64_t inode)
{
	struct cg_watched *watched = atomic_load(&table);
	for (unsigned i = 0; watched && i < PROBES; i++) {
		struct cg_watched *w = place_of(watched, inode, i);
		if (w->stage != CG_WATCHED_UNUSED && w->inode == inode)
			return w;
	}
	return NULL;
}

static struct cg_watched *made_table(void)
{
	struct cg_watched *watched = atomic_load(&table);
	if (watched)
		return watched;
	watched =
	    cg_sys_mmap(NULL, WATCHED * sizeof *watched, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (cg_sys_failed(watched))
		return NULL;
	atomic_store(&table, watched);
	return watched;
}

struct cg_watched *cg_watched_new(uint64_t inode)
{
	struct cg_watched *watched = made_table();
	for (unsigned i = 0; watched && i < PROBES; i++) {
		struct cg_watched *w = place_of(watched, inode, i);
		if (w->stage == CG_WATCHED_UNUSED)
			return w;
	}
	return NULL;
}

/* Every number of this process under which the connection is open. */
void cg_watched_mark(uint64_t inode, bool reaped)
{
	unsigned end = cg_recorder_fd_end();
	if (reaped)
		atomic_store(&cg_guard.reaped, true);
	for (unsigned fd = 0; fd < end; fd++) {
		struct cg_slot *slot = cg_track_conn((int)fd);
		if (!slot || slot->inode != inode)
			continue;
		if (reaped)
			atomic_fetch_or(&slot->flags, CG_SLOT_REAPED);
		else
			atomic_fetch_and(&slot->flags, ~(uint32_t)CG_SLOT_REAPED);
	}
}

static uint64_t use_of(const struct cg_slot *slot)
{
	uint64_t h = atomic_load(&slot->gen) * 0x9e3779b97f4a7c15u;
	h = (h ^ atomic_load(&slot->last_use)) * 0xff51afd7ed558ccdu;
	return (h ^ atomic_load(&slot->last_tick)) * 0xff51afd7ed558ccdu;
}

/* Of every number of this process under which the connection is known; *ret_tick: when one of them was last used. */
uint64_t cg_watched_uses(int fd, uint64_t inode, bool several, uint32_t *ret_tick)
{
	const struct cg_slot *only = cg_slot_at(fd);
	unsigned end = several ? cg_recorder_fd_end() : 0;
	uint64_t all = !several && only ? use_of(only) : 0;
	*ret_tick = !several && only && atomic_load(&only->last_use) ? atomic_load(&only->last_tick) : 0;
	for (unsigned other = 0; other < end; other++) {
		const struct cg_slot *slot = cg_track_conn((int)other);
		if (!slot || slot->inode != inode)
			continue;
		all += use_of(slot);
		if (atomic_load(&slot->last_use) && atomic_load(&slot->last_tick) > *ret_tick)
			*ret_tick = atomic_load(&slot->last_tick);
	}
	return all;
}

static void count_once(struct cg_watched *w)
{
	struct cg_action *action = w->action;
	if (action && !atomic_exchange(&w->counted, true))
		atomic_fetch_add(&action->used_again, 1);
}

/* What was told of and is used after all: the policy is wrong for it. */
void cg_watched_count(void)
{
	struct cg_watched *watched = atomic_load(&table);
	for (unsigned i = 0; watched && i < WATCHED; i++) {
		struct cg_watched *w = &watched[i];
		struct cg_slot *slot = w->stage == CG_WATCHED_TOLD ? cg_slot_at(w->fd) : NULL;
		if (w->stage != CG_WATCHED_TOLD)
			continue;
		bool same = slot && atomic_load(&slot->gen) == w->gen && atomic_load(&slot->kind) == CG_FD_CONN;
		if (same && use_of(slot) == w->told_use)
			continue;
		if (same)
			count_once(w);
		w->stage = CG_WATCHED_UNUSED;
	}
}

/* A write to what was reaped, as it fails: by the next look the program may have closed it. */
void cg_sweep_policy_used(int fd)
{
	struct cg_slot *slot = cg_slot_at(fd);
	struct cg_watched *watched = atomic_load(&table);
	for (unsigned i = 0; slot && watched && i < WATCHED; i++)
		if (watched[i].stage == CG_WATCHED_TOLD && watched[i].fd == fd &&
		    watched[i].gen == atomic_load(&slot->gen))
			count_once(&watched[i]);
}

void cg_watched_candidate(struct cg_watched *w, const struct cg_watched_view *view)
{
	w->stage = CG_WATCHED_CANDIDATE;
	w->fd = view->fd;
	w->gen = view->gen;
	w->rqueue = view->rqueue;
	w->inode = view->inode;
	w->uses = view->uses;
	w->seen_ns = view->seen_ns;
	w->told_use = 0;
	w->action = NULL;
	w->counted = false;
}

void cg_watched_told(struct cg_watched *w, struct cg_action *action)
{
	const struct cg_slot *slot = cg_slot_at(w->fd);
	w->action = action;
	w->told_use = slot ? use_of(slot) : 0;
	w->stage = CG_WATCHED_TOLD;
}

void cg_watched_forget(struct cg_watched *w)
{
	cg_watched_mark(w->inode, false);
	w->stage = CG_WATCHED_UNUSED;
}

/* Candidates that are no suspects any more were closed or used: they are forgotten. */
void cg_watched_drop(const struct cg_sweep *sweep)
{
	static const uint64_t forgotten_ns = 10000000000u;
	struct cg_watched *watched = atomic_load(&table);
	for (unsigned i = 0; watched && i < WATCHED; i++) {
		if (watched[i].stage != CG_WATCHED_CANDIDATE || sweep->now_ns - watched[i].seen_ns < forgotten_ns)
			continue;
		cg_watched_forget(&watched[i]);
	}
}

void cg_watched_after_fork(void)
{
	struct cg_watched *watched = atomic_load(&table);
	if (watched)
		memset(watched, 0, WATCHED * sizeof *watched);
}
