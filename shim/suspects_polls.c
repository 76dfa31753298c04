/* suspects_polls.c: which epoll sets watch the suspects. */
#include "procfs.h"
#include "suspects.h"

/* Of CPU time: 20,000 descriptors, or 50,000 registrations. */
static const uint64_t budget_ns = 15000000;

struct table {
	struct cg_suspect **places;
	size_t room;
	const struct cg_sweep *sweep;
};

static size_t place_of(const struct table *table, uint64_t inode)
{
	size_t place = inode * 0x9e3779b97f4a7c15u % table->room;
	while (table->places[place] && table->places[place]->facts.slot.inode != inode)
		place = (place + 1) % table->room;
	return place;
}

/* Before 4.13 the kernel names only the number under which it was registered. */
static struct cg_suspect *by_number(const struct cg_sweep *sweep, int fd)
{
	struct cg_suspect *c = sweep->suspects;
	while (c && c->facts.fd != fd)
		c = c->next;
	return c;
}

static int note(int epfd, int fd, uint64_t inode, void *context)
{
	const struct table *table = context;
	struct cg_suspect *c = inode ? table->places[place_of(table, inode)] : by_number(table->sweep, fd);
	if (c && c->polled_by < 0)
		c->polled_by = epfd;
	return 0;
}

static void look(struct cg_sweep *sweep, struct table *table)
{
	for (struct cg_suspect *c = sweep->suspects; c; c = c->next) {
		if (c->facts.slot.inode)
			table->places[place_of(table, c->facts.slot.inode)] = c;
		c->polled_by = -1;
	}
	int r = cg_proc_epolls(budget_ns, note, table);
	for (struct cg_suspect *c = sweep->suspects; c && r < 0; c = c->next)
		if (c->polled_by == -1)
			c->polled_by = -2;
}

void cg_suspects_find_polls(struct cg_sweep *sweep)
{
	struct table table = {.room = 16, .sweep = sweep};
	if (sweep->polls_found)
		return;
	sweep->polls_found = true;
	while (table.room < 2 * (size_t)sweep->suspect_count)
		table.room *= 2;
	table.places = cg_arena_alloc(&sweep->arena, table.room * sizeof(struct cg_suspect *));
	if (table.places)
		look(sweep, &table);
	for (struct cg_suspect *c = sweep->suspects; c && !table.places; c = c->next)
		c->polled_by = -2;
}
