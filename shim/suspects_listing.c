/* suspects_listing.c: one dump of the kernel's sockets in the states of interest, to be asked by inode. */
#include "suspects_listing.h"

#include <errno.h>
#include <string.h>

#include "ownfd.h"

enum { DUMP_BUFFER = 32 << 10 };

static int sockets[2] = {-1, -1}; /* one in each table */

int cg_listing_netlink(struct cg_sweep *sweep)
{
	int *socket = &sockets[cg_ownfd_unshared];
	if (*socket >= 0 && !cg_ownfd_valid(*socket)) {
		cg_ownfd_lose(*socket);
		*socket = -1;
	}
	if (*socket < 0 && !sweep->netlink_refused) {
		int fd = cg_diag_open();
		*socket = fd >= 0 ? cg_ownfd_take(fd) : -1;
		sweep->netlink_refused = fd < 0 && fd != -EMFILE && fd != -ENFILE;
	}
	return *socket;
}

void cg_listing_after_fork(void)
{
	cg_ownfd_close(sockets[false]);
	sockets[false] = sockets[true] = -1;
}

int cg_listing_add(struct cg_listing *list, const struct cg_tcp *tcp)
{
	if (list->count == list->room) {
		unsigned room = list->room ? list->room * 2 : 256;
		struct cg_tcp *grown = cg_arena_alloc(&list->sweep->arena, room * sizeof *grown);
		if (!grown)
			return -ENOMEM;
		if (list->count)
			memcpy(grown, list->tcp, list->count * sizeof *grown);
		list->tcp = grown;
		list->room = room;
	}
	list->tcp[list->count++] = *tcp;
	return 0;
}

static void sift(struct cg_tcp *a, unsigned root, unsigned n)
{
	for (unsigned child; (child = 2 * root + 1) < n; root = child) {
		if (child + 1 < n && a[child].inode < a[child + 1].inode)
			child++;
		if (a[root].inode >= a[child].inode)
			return;
		struct cg_tcp swap = a[root];
		a[root] = a[child];
		a[child] = swap;
	}
}

/* A heap sort: libc's qsort may call malloc. */
static void sort_by_inode(struct cg_tcp *a, unsigned n)
{
	for (unsigned i = n / 2; i-- > 0;)
		sift(a, i, n);
	for (unsigned end = n; end-- > 1;) {
		struct cg_tcp swap = a[0];
		a[0] = a[end];
		a[end] = swap;
		sift(a, 0, end);
	}
}

void cg_listing_sort(struct cg_listing *list)
{
	sort_by_inode(list->tcp, list->count);
}

static int list_one(const struct cg_tcp *tcp, void *context)
{
	return cg_listing_add(context, tcp);
}

const struct cg_tcp *cg_listing_find(const struct cg_listing *list, uint64_t inode)
{
	unsigned low = 0, high = list->count;
	while (low < high) {
		unsigned mid = low + (high - low) / 2;
		if (list->tcp[mid].inode < inode)
			low = mid + 1;
		else
			high = mid;
	}
	return low < list->count && list->tcp[low].inode == inode ? &list->tcp[low] : NULL;
}

bool cg_listing_take(struct cg_sweep *sweep, struct cg_listing *list)
{
	void *buffer = cg_arena_alloc(&sweep->arena, DUMP_BUFFER);
	int netlink = cg_listing_netlink(sweep);
	list->sweep = sweep;
	if (!buffer || netlink < 0)
		return false;
	uint32_t states = 1u << CG_TCP_CLOSE_WAIT | (sweep->fin_wait2 ? 1u << CG_TCP_FIN_WAIT2 : 0);
	if (cg_diag_dump(netlink, states, buffer, DUMP_BUFFER, list_one, list) < 0)
		return false;
	cg_listing_sort(list);
	return true;
}
