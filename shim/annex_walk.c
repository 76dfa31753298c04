/*
 * annex_walk.c: from one DIE to its next sibling.
 *
 * gcc writes where the next sibling is; clang and rustc do not, and libdw then reads all that lies between. A large
 * unit took 20 ms for each address so; the way is remembered instead.
 */
#include "annex_parts.h"

#include <dwarf.h>
#include <string.h>

/* 1 MB, touched only as far as needed; shorter ways are walked again. */
enum { WAYS = 1 << 16, WORTH_IT = 48 };

static struct way {
	const void *from; /* where the DIE is mapped; NULL: free */
	uint32_t length;  /* 0: it is the last one */
} ways[WAYS];
static bool used;

static struct way *find(const void *from)
{
	return &ways[((uintptr_t)from * 0x9e3779b97f4a7c15u >> 40) % WAYS];
}

int cg_walk_sibling(Dwarf_Die *die)
{
	Dwarf_Die next = *die;
	struct way *way = find(die->addr);
	if (way->from == die->addr) {
		die->addr = (char *)die->addr + way->length;
		die->abbrev = NULL; /* libdw looks it up */
		return way->length ? 0 : 1;
	}
	if (!dwarf_haschildren(die))
		return dwarf_siblingof(die, die);
	int r = dwarf_siblingof(die, &next);
	if (r < 0)
		return r;
	ptrdiff_t length = r == 0 ? (char *)next.addr - (char *)die->addr : 0;
	if (r == 1 || (length > WORTH_IT && length < UINT32_MAX)) {
		*way = (struct way){die->addr, (uint32_t)length};
		used = true;
	}
	*die = next;
	return r;
}

void cg_walk_forget(void)
{
	if (used)
		memset(ways, 0, sizeof ways);
	used = false;
}
