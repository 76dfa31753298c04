/* procfs_holders.c: which other processes hold a socket. */
#include "procfs.h"

#include <string.h>

#include "clock.h"
#include "fmt.h"
#include "sys.h"

enum {
	TOLD_ONCE = 4096,     /* inodes for which a visit is not repeated: half a kilobyte of stack */
	LINKS_PER_CLOCK = 64, /* descriptors read between two looks at the clock: about 50 us */
	INIT = 1
};

struct holders {
	const uint64_t *inodes;
	unsigned count;
	pid_t self, pid;
	uint64_t start, budget;
	cg_holder_visit *visit;
	void *context;
	unsigned links;
	bool unreadable, saw_init;
	int stopped; /* why the walk ended early */
	uint64_t told[TOLD_ONCE / 64];
};

static bool out_of_time(const struct holders *h)
{
	return cg_clock_ns(CLOCK_MONOTONIC) - h->start >= h->budget;
}

static int find_inode(const struct holders *h, uint64_t inode, unsigned *ret_index)
{
	unsigned low = 0, high = h->count;
	while (low < high) {
		unsigned middle = low + (high - low) / 2;
		if (h->inodes[middle] < inode)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == h->count || h->inodes[low] != inode)
		return -ENOENT;
	*ret_index = low;
	return 0;
}

static bool told_before(struct holders *h, unsigned index)
{
	if (index >= TOLD_ONCE)
		return false;
	uint64_t bit = 1ull << index % 64, *word = &h->told[index / 64];
	bool before = *word & bit;
	*word |= bit;
	return before;
}

static int walk_link(int dir, const char *name, unsigned number, void *context)
{
	struct holders *h = context;
	uint64_t inode;
	unsigned index;
	(void)number;
	if (++h->links % LINKS_PER_CLOCK == 0 && out_of_time(h))
		return h->stopped = -ETIME;
	if (cg_proc_socket_inode(dir, name, &inode) <= 0 || find_inode(h, inode, &index) < 0 || told_before(h, index))
		return 0;
	return h->stopped = h->visit(index, h->pid, h->context);
}

/* Kernel threads and zombies have no executable, and hold no descriptors. They may be most of what /proc lists. */
static bool has_program(int dir, const char *name)
{
	char text[32], target[1];
	struct cg_buf path;
	cg_buf_init(&path, text, sizeof(text));
	cg_buf_fmt(&path, "%s/exe", name);
	return cg_sys_readlinkat(dir, text, target, sizeof(target)) != -ENOENT;
}

static int walk_process(int dir, const char *name, unsigned number, void *context)
{
	struct holders *h = context;
	char text[32];
	struct cg_buf path;
	h->saw_init |= number == INIT;
	h->pid = (pid_t)number;
	if (h->pid == h->self)
		return 0;
	if (out_of_time(h))
		return h->stopped = -ETIME;
	if (!has_program(dir, name))
		return 0;
	memset(h->told, 0, sizeof(h->told));
	cg_buf_init(&path, text, sizeof(text));
	cg_buf_fmt(&path, "%s/fd", name);
	int r = cg_proc_entries(dir, text, walk_link, h);
	if (r < 0 && !h->stopped && r != -ENOENT && r != -ESRCH)
		h->unreadable = true;
	return h->stopped;
}

int cg_proc_holders(const uint64_t *inodes, unsigned count, pid_t self, uint64_t budget_ns, cg_holder_visit *visit,
                    void *context)
{
	struct holders h = {.inodes = inodes, .count = count, .self = self, .visit = visit, .context = context};
	if (count == 0)
		return 0;
	h.start = cg_clock_ns(CLOCK_MONOTONIC);
	h.budget = budget_ns;
	int r = cg_proc_entries(AT_FDCWD, "/proc", walk_process, &h);
	if (r)
		return r;
	return h.unreadable || !h.saw_init; /* every pid namespace has a pid 1: where it is hidden, others are */
}
