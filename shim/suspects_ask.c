/* suspects_ask.c: how the sockets of a survey are, by as few and as cheap questions to the kernel as tell it. */
#include <errno.h>
#include <time.h>

#include "clock.h"
#include "procfs_tcp.h"
#include "suspects_survey.h"

enum {
	DUMP_BUFFER = 32 << 10,
	EXACT = 16,        /* up to so many are queried one by one, whatever a dump costs */
	QUERY_NS = 3000,   /* what a query costs */
	PART = 40,         /* of the time, dumps of all states may take one in so many */
	CHEAP_NS = 5000000 /* a dump that takes no longer is done for connections of any age */
};

static uint64_t dump_ns, all_ns; /* what CPU time the last dump took; when the last one of all states was */

void cg_survey_ask_after_fork(void)
{
	all_ns = 0;
}

static void learn(const struct cg_survey *s, struct cg_found *f, const struct cg_tcp *tcp)
{
	struct cg_slot *slot = f->slot;
	uint32_t gen = atomic_load(&slot->gen);
	f->tcp = *tcp;
	f->listed = true;
	cg_seen_learn(f->seen, tcp, s->sweep->now_ns);
	if (!slot->cookie && tcp->cookie && slot->inode == tcp->inode) {
		slot->cookie = tcp->cookie;
		atomic_thread_fence(memory_order_seq_cst);
		if (atomic_load(&slot->gen) != gen)
			slot->cookie = 0;
	}
}

static int take_listed(const struct cg_tcp *tcp, void *context)
{
	struct cg_survey *s = context;
	for (struct cg_found *f = tcp->inode ? s->by_inode[tcp->inode % s->room] : NULL; f; f = f->next)
		if (f->slot->inode == tcp->inode)
			learn(s, f, tcp);
	return 1u << tcp->state & s->closable ? cg_listing_add(s->list, tcp) : 0;
}

/* Lists sockets in these states, by netlink, or all of them by /proc. False when the kernel does not answer. */
static bool list(struct cg_survey *s, uint32_t states)
{
	struct cg_sweep *sweep = s->sweep;
	int netlink = cg_listing_netlink(sweep), r = -EPERM;
	void *buffer = netlink >= 0 ? cg_arena_alloc(&sweep->arena, DUMP_BUFFER) : NULL;
	uint64_t start = cg_clock_ns(CLOCK_THREAD_CPUTIME_ID);
	s->list->sweep = sweep;
	if (buffer)
		r = cg_diag_dump(netlink, states, buffer, DUMP_BUFFER, take_listed, s);
	if (r < 0) {
		s->list->count = 0;
		states = CG_SURVEY_ALL;
		r = cg_proc_tcp(take_listed, s);
	}
	if (r < 0)
		return false;
	if (states != CG_SURVEY_LISTEN) {
		dump_ns = cg_clock_ns(CLOCK_THREAD_CPUTIME_ID) - start;
		sweep->rest_ns = PART * dump_ns;
	}
	if (states == CG_SURVEY_ALL)
		all_ns = sweep->now_ns;
	s->states |= states;
	cg_listing_sort(s->list);
	return true;
}

/* Is there a connection that only a dump of all states can tell of, and old enough to be worth one? */
static bool wants_all(const struct cg_survey *s)
{
	const struct cg_sweep *sweep = s->sweep;
	uint64_t young_ns = dump_ns <= CHEAP_NS ? 0 : sweep->warn_after_ns / 2;
	for (unsigned i = 0; i < s->count; i++) {
		const struct cg_found *f = &s->found[i];
		bool known = f->listed || f->seen->local.family ||
		             (f->seen->missed && sweep->now_ns - f->seen->missed_ns < sweep->warn_after_ns / 4);
		if (!f->listener && !known && sweep->now_ns - f->slot->open_ns >= young_ns)
			return true;
	}
	return false;
}

static bool queries_are_cheaper(const struct cg_survey *s)
{
	uint64_t connections = s->count - s->listeners;
	return connections <= EXACT || connections * QUERY_NS < dump_ns;
}

static bool may_list_all(const struct cg_survey *s)
{
	return s->sweep->thorough || !all_ns || s->sweep->now_ns - all_ns >= PART * dump_ns;
}

void cg_survey_query(struct cg_survey *s, struct cg_found *f)
{
	int netlink = cg_listing_netlink(s->sweep);
	struct cg_tcp tcp = {
	    .ifindex = f->seen->ifindex, .cookie = f->seen->cookie, .local = f->seen->local, .peer = f->seen->peer};
	int r = netlink < 0 ? -EPERM : cg_diag_query(netlink, &tcp);
	if (r == 0 && tcp.inode == f->slot->inode)
		learn(s, f, &tcp);
	else if (r == 0 || r == -ENOENT)
		f->missing = true;
}

/*
 * Where they are many, those in CLOSE_WAIT are listed in each look, and all others now and then, for those that were
 * reset.
 */
bool cg_survey_ask(struct cg_survey *s, bool departed)
{
	uint64_t now = s->sweep->now_ns, seldom_ns = dump_ns <= CHEAP_NS ? 0 : s->sweep->warn_after_ns / 4;
	bool one_by_one = queries_are_cheaper(s), answered = true;
	bool all = s->sweep->thorough || (one_by_one ? wants_all(s) : now - all_ns >= seldom_ns);
	if ((all && may_list_all(s)) || cg_listing_netlink(s->sweep) < 0)
		return list(s, CG_SURVEY_ALL);
	if (s->listeners)
		answered = list(s, CG_SURVEY_LISTEN);
	for (unsigned i = 0; i < s->count && !s->sweep->waiting; i++)
		s->sweep->waiting = s->found[i].listener && s->found[i].listed && s->found[i].tcp.rqueue;
	if (answered && s->states != CG_SURVEY_ALL && (departed || s->sweep->waiting || (!one_by_one && s->count)))
		answered = list(s, s->closable);
	for (unsigned i = 0; one_by_one && s->states != CG_SURVEY_ALL && i < s->count; i++)
		if (!s->found[i].listener && !s->found[i].listed && s->found[i].seen->local.family)
			cg_survey_query(s, &s->found[i]);
	return answered;
}
