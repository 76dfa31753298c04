/* procfs_holders.c: what is asked, the walk that finds it out, and the answers. */
#include "procfs_holders.h"

#include <stdatomic.h>
#include <string.h>

#include "clock.h"
#include "procfs.h"
#include "procfs_scope.h"
#include "procfs_tables.h"
#include "sys.h"

enum {
	INIT = 1,
	ANCESTORS = 16,
	SHARE = 50,    /* of the processor that walks take by themselves: one part in so many */
	PATIENCE = 16, /* budgets for one process with more descriptors than one budget is enough for */
};

/* A socket that nobody has asked for so long; and where there is no more room. */
static const uint64_t forgotten_ns = 120000000000u, soon_forgotten_ns = 5000000000u;
static const uint64_t least_hold_ns = 5000000000u, most_hold_ns = 60000000000u;

struct place {
	uint64_t wanted_ns;
	struct cg_holders answer, found;
	pid_t last;  /* process that was found to hold it */
	bool joined; /* the walk under way looks for it */
	bool known;  /* answer is the last whole walk's */
};

/* Mapped at the first question. The inodes are sorted; the place of inodes[i] is places[order[i]]. */
struct memory {
	uint64_t inodes[CG_HOLDERS_WANTED];
	uint16_t order[CG_HOLDERS_WANTED];
	struct place places[CG_HOLDERS_WANTED];
};

static struct memory *memory;

static struct {
	unsigned count;   /* places in use: the rest of order[] are the free ones */
	unsigned unknown; /* of them have no answer */
	bool under_way;   /* a walk is */
	bool changed;     /* it has found something new */
	bool saw_init;
	pid_t self, pid;   /* pid: the process that is being looked into */
	off_t position;    /* in /proc */
	unsigned patience; /* budgets that the process at that position may take */
	uint64_t began_ns, took_ns;
	struct cg_holders_view view;
	/* The last whole one. */
	uint64_t last_began_ns, rest_until_ns, hold_ns;
	struct cg_holders_view last_view;
} walk;

static _Atomic pid_t ancestors[ANCESTORS];
static _Atomic unsigned ancestor_count;

static bool ready(void)
{
	if (memory)
		return true;
	struct memory *new = cg_sys_mmap(NULL, sizeof *new, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (cg_sys_failed(new))
		return false;
	for (unsigned i = 0; i < CG_HOLDERS_WANTED; i++)
		new->order[i] = (uint16_t)i;
	memory = new;
	return true;
}

/* The first that is not below. */
static unsigned rank_of(uint64_t inode)
{
	unsigned low = 0, high = walk.count;
	while (low < high) {
		unsigned middle = low + (high - low) / 2;
		if (memory->inodes[middle] < inode)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct place *find(uint64_t inode)
{
	if (!memory)
		return NULL;
	unsigned rank = rank_of(inode);
	return rank < walk.count && memory->inodes[rank] == inode ? &memory->places[memory->order[rank]] : NULL;
}

static struct place *insert(uint64_t inode)
{
	if (walk.count == CG_HOLDERS_WANTED)
		return NULL;
	unsigned rank = rank_of(inode), after = walk.count - rank;
	uint16_t taken = memory->order[walk.count];
	memmove(&memory->inodes[rank + 1], &memory->inodes[rank], after * sizeof memory->inodes[0]);
	memmove(&memory->order[rank + 1], &memory->order[rank], after * sizeof memory->order[0]);
	memory->inodes[rank] = inode;
	memory->order[rank] = taken;
	memory->places[taken] = (struct place){0};
	walk.count++;
	walk.unknown++;
	return &memory->places[taken];
}

static void forget_unwanted(uint64_t now_ns, uint64_t age_ns)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < walk.count; i++) {
		uint16_t taken = memory->order[i];
		const struct place *place = &memory->places[taken];
		if (now_ns - place->wanted_ns >= age_ns) {
			walk.unknown -= !place->known;
			continue;
		}
		memory->order[i] = memory->order[kept];
		memory->order[kept] = taken;
		memory->inodes[kept++] = memory->inodes[i];
	}
	walk.count = kept;
}

bool cg_holders_want(uint64_t inode, uint64_t now_ns)
{
	struct place *place = !inode || !ready() ? NULL : find(inode);
	if (!place && inode && memory) {
		if (walk.count == CG_HOLDERS_WANTED)
			forget_unwanted(now_ns, soon_forgotten_ns);
		place = insert(inode);
	}
	if (place)
		place->wanted_ns = now_ns;
	return place != NULL;
}

static void found(uint64_t inode, void *context)
{
	struct place *place = find(inode);
	(void)context;
	if (!place || !place->joined || place->last == walk.pid)
		return;
	if (walk.pid == walk.self) {
		place->found.other_table = true;
		return;
	}
	place->last = walk.pid;
	if (place->found.count < CG_HOLDERS_KEPT)
		place->found.pids[place->found.count] = walk.pid;
	place->found.count++;
}

static bool may_be_ancestor(pid_t pid)
{
	if (walk.self != cg_sys_getpid() || ancestor_count > ANCESTORS)
		return true;
	for (unsigned i = 0; i < ancestor_count; i++)
		if (ancestors[i] == pid)
			return true;
	return false;
}

/*
 * The host's init, where a sandbox around this process hides it: a connection that it hands to a service it closes, and
 * it is forked from nobody. It is not counted, at the price of one that it has kept.
 */
static bool is_remote_init(pid_t pid)
{
	return pid == INIT && walk.view.host && cg_proc_may_look();
}

static void note_unread(pid_t pid)
{
	struct cg_proc_stat stat;
	if (is_remote_init(pid))
		return;
	int r = cg_proc_stat(pid, &stat);
	if (r == -ENOENT || (r == 0 && cg_proc_is_kernel_thread(&stat)))
		return;
	uint64_t start = r < 0 ? UINT64_MAX : stat.start;
	walk.view.unread++;
	walk.view.unread_ancestor |= may_be_ancestor(pid);
	if (start > walk.view.unread_start)
		walk.view.unread_start = start;
}

/* The process is looked into again from its beginning in the next turn, which is longer. */
static int put_off(void)
{
	if (walk.patience >= PATIENCE) {
		walk.patience = 1;
		note_unread(walk.pid);
		return 0;
	}
	walk.patience *= 2;
	return -ETIME;
}

static int walk_process(int dir, const char *name, unsigned number, void *context)
{
	struct cg_tables *tables = context;
	(void)name;
	if (cg_tables_take_time(tables) < 0)
		return -ETIME;
	walk.pid = (pid_t)number;
	walk.saw_init |= walk.pid == INIT;
	bool self = walk.pid == walk.self;
	int r = self ? cg_tables_of_self(tables, dir, walk.pid) : cg_tables_of_process(tables, dir, walk.pid);
	if (r == -ETIME)
		return put_off();
	walk.patience = 1;
	if (r < 0 && self)
		walk.view.unread_self = true;
	else if (r < 0)
		note_unread(walk.pid);
	return 0;
}

static void begin(uint64_t now_ns)
{
	forget_unwanted(now_ns, forgotten_ns);
	for (unsigned i = 0; i < walk.count; i++) {
		struct place *place = &memory->places[memory->order[i]];
		place->joined = true;
		place->last = 0;
		place->found = (struct cg_holders){0};
	}
	walk.under_way = true;
	walk.changed = walk.saw_init = false;
	walk.self = cg_proc_own_number();
	walk.position = 0;
	walk.patience = 1;
	walk.began_ns = now_ns;
	walk.took_ns = 0;
	walk.view = (struct cg_holders_view){.host = cg_proc_shows_host()};
}

static bool are_same(const struct cg_holders *a, const struct cg_holders *b)
{
	return a->count == b->count && a->other_table == b->other_table &&
	       memcmp(a->pids, b->pids, sizeof a->pids) == 0;
}

/* A walk that could not be made is one that saw nothing. */
static void finish(uint64_t now_ns, int result)
{
	bool listed = result == 0 && walk.self && walk.saw_init;
	walk.view.hidden = !listed || (!walk.view.host && cg_proc_hides_users());
	walk.unknown = 0;
	for (unsigned i = 0; i < walk.count; i++) {
		struct place *place = &memory->places[memory->order[i]];
		walk.changed |= place->joined && place->known && !are_same(&place->answer, &place->found);
		if (place->joined)
			place->answer = place->found;
		place->known = place->joined;
		place->joined = false;
		walk.unknown += !place->known;
	}
	walk.under_way = false;
	walk.last_view = walk.view;
	walk.last_began_ns = walk.began_ns;
	walk.rest_until_ns = now_ns + SHARE * walk.took_ns;
	uint64_t longer = walk.hold_ns * 2 < most_hold_ns ? walk.hold_ns * 2 : most_hold_ns;
	walk.hold_ns = walk.changed || !walk.hold_ns ? least_hold_ns : longer;
}

/* True when it came to its end. */
static bool go_on(uint64_t now_ns, uint64_t budget_ns)
{
	uint64_t start = cg_clock_ns(CLOCK_THREAD_CPUTIME_ID);
	struct cg_tables tables = {.visit = found,
	                           .deadline_ns = start + budget_ns * walk.patience,
	                           .numbers_differ = walk.self != cg_sys_getpid()};
	int r = cg_proc_entries_from(AT_FDCWD, "/proc", &walk.position, walk_process, &tables);
	walk.took_ns += cg_clock_ns(CLOCK_THREAD_CPUTIME_ID) - start;
	if (r == -ETIME)
		return false;
	finish(now_ns, r);
	return true;
}

static bool is_due(uint64_t now_ns, uint64_t since_ns, bool urgent)
{
	uint64_t since = since_ns ? since_ns : now_ns > walk.hold_ns ? now_ns - walk.hold_ns : 0;
	bool stale = walk.count && (walk.unknown || walk.last_began_ns < since);
	return walk.under_way || (stale && (urgent || now_ns >= walk.rest_until_ns));
}

void cg_holders_walk(uint64_t now_ns, uint64_t since_ns, uint64_t budget_ns, bool urgent)
{
	/* The first turn may end a walk that is too old already. */
	for (int turn = 0; turn < 2 && is_due(now_ns, since_ns, urgent); turn++) {
		if (!walk.under_way)
			begin(now_ns);
		if (!go_on(now_ns, budget_ns))
			return;
	}
}

int cg_holders_get(uint64_t inode, uint64_t since_ns, struct cg_holders *ret, struct cg_holders_view *ret_view)
{
	const struct place *place = find(inode);
	if (!place || !place->known || walk.last_began_ns < since_ns)
		return -EAGAIN;
	*ret = place->answer;
	*ret_view = walk.last_view;
	return 0;
}

void cg_holders_descend(pid_t parent)
{
	for (unsigned i = 0; i < ancestor_count && i < ANCESTORS; i++)
		if (ancestors[i] == parent)
			return;
	unsigned at = atomic_fetch_add(&ancestor_count, 1);
	if (at < ANCESTORS)
		atomic_store(&ancestors[at], parent);
}

void cg_holders_after_fork(void)
{
	memset(&walk, 0, sizeof walk);
	for (unsigned i = 0; memory && i < CG_HOLDERS_WANTED; i++)
		memory->order[i] = (uint16_t)i;
}
