/* suspects_holders.c: which other processes hold our sockets. */
#include <string.h>

#include "arena.h"
#include "procfs.h"
#include "recorder.h"
#include "suspects.h"

enum { REMEMBERED = 64 };

/* Reading every process's descriptors is the dearest question of a sweep: answers hold for a while, its time is
 * limited. */
static const uint64_t answer_ns = 5000000000u, budget_ns = 50000000u;

struct answer {
	uint64_t inode, asked_ns;
	unsigned holders;
	pid_t pids[CG_HOLDERS_SHOWN];
};

static struct answer answers[REMEMBERED] CG_LARGE;

static struct answer *answer_of(uint64_t inode)
{
	return &answers[inode % REMEMBERED];
}

struct question {
	uint64_t inodes[REMEMBERED];
	struct answer *answers[REMEMBERED];
	unsigned count;
};

/* Whose holders matter: those of the socket itself, or of the listener in whose backlog it is nobody's. */
static uint64_t inode_of(const struct cg_suspect *c)
{
	return c->facts.in_backlog ? c->facts.slot.inode : c->facts.tcp.inode;
}

static void ask_for(struct question *q, const struct cg_sweep *sweep, uint64_t inode)
{
	struct answer *a = answer_of(inode);
	if (!inode || q->count == REMEMBERED || (a->inode == inode && sweep->now_ns - a->asked_ns < answer_ns))
		return;
	*a = (struct answer){.inode = inode, .asked_ns = sweep->now_ns};
	unsigned at = q->count++;
	while (at > 0 && q->inodes[at - 1] > inode) {
		q->inodes[at] = q->inodes[at - 1];
		q->answers[at] = q->answers[at - 1];
		at--;
	}
	q->inodes[at] = inode;
	q->answers[at] = a;
}

static int found(unsigned index, pid_t pid, void *context)
{
	struct question *q = context;
	struct answer *a = q->answers[index];
	if (a->holders && a->holders <= CG_HOLDERS_SHOWN && a->pids[a->holders - 1] == pid)
		return 0; /* under another of its descriptors */
	if (a->holders < CG_HOLDERS_SHOWN)
		a->pids[a->holders] = pid;
	a->holders++;
	return 0;
}

void cg_suspects_find_holders(struct cg_sweep *sweep, struct cg_suspect *const *suspects, unsigned count)
{
	struct question q = {.count = 0};
	struct cg_header *h = cg_recorder_header();
	for (unsigned i = 0; i < count; i++)
		ask_for(&q, sweep, inode_of(suspects[i]));
	if (q.count && h)
		(void)cg_proc_holders(q.inodes, q.count, h->pid, budget_ns, found, &q);
	for (unsigned i = 0; i < count; i++) {
		struct cg_suspect *c = suspects[i];
		const struct answer *a = answer_of(inode_of(c));
		if (!inode_of(c) || a->inode != inode_of(c))
			continue;
		c->holders_known = true;
		c->holders = a->holders;
		memcpy(c->shared_with, a->pids, sizeof a->pids);
	}
}
