/* adopt.c: finds the sockets that no wrapper told of. */
#include <string.h>

#include "arena.h"
#include "ownfd.h"
#include "procfs.h"
#include "recorder.h"
#include "suspects.h"
#include "track.h"
#include "unshare.h"

enum { PENDING = 256, OTHERS = 512 };

struct seen {
	int fd;
	uint64_t inode;
};

struct look {
	struct cg_header *header;
	struct seen pending[PENDING]; /* unknown in this look */
	unsigned pending_count;
};

static struct seen last_look[PENDING] CG_LARGE;
static unsigned last_count;
static uint64_t not_tcp[OTHERS] CG_LARGE; /* inodes of other sockets, by their lower bits: asked only once */

static bool was_pending(int fd, uint64_t inode)
{
	for (unsigned i = 0; i < last_count; i++)
		if (last_look[i].fd == fd && last_look[i].inode == inode)
			return true;
	return false;
}

static void adopt(int fd, uint64_t inode, uint32_t gen)
{
	struct cg_header *h = cg_recorder_header();
	struct cg_slot *slot = cg_slot_at(fd);
	if (slot && atomic_load(&slot->gen) != gen)
		return; /* told of meanwhile, by the thread that opened it */
	/* A close that was cancelled before it happened: the slot still tells whose it is. */
	if (slot && atomic_load(&slot->kind) == CG_FD_CLOSED && slot->inode == inode) {
		atomic_store(&slot->kind, CG_FD_CONN);
		atomic_fetch_add(&h->open_now, 1);
		return;
	}
	bool listener = !cg_ownfd_unshared && cg_tcp_state_of(fd) == CG_TCP_LISTEN; /* else the survey will tell */
	cg_track_open(fd, CG_CALL_adopted, listener ? CG_FD_LISTENER : CG_FD_CONN, CG_ROLE_NONE, CG_ORIGIN_UNSEEN, 0);
	slot = cg_slot_at(fd);
	if (slot)
		slot->inode = inode;
	atomic_fetch_add(&h->count.adopted, 1);
}

/* By its name, which touches nothing; else by the socket itself. */
static int is_tcp(int fd)
{
	int tcp = cg_proc_is_tcp(fd), copy = tcp < 0 ? cg_unshare_take(fd) : -1;
	if (copy < 0)
		return tcp;
	tcp = cg_tcp_is_tcp(copy);
	cg_ownfd_close(copy);
	return tcp;
}

static int visit(int fd, uint64_t inode, void *context)
{
	struct look *look = context;
	struct cg_slot *slot = cg_slot_at(fd);
	uint32_t gen = slot ? atomic_load(&slot->gen) : 0;
	uint8_t kind = slot ? atomic_load(&slot->kind) : CG_FD_NONE;
	bool live = kind == CG_FD_CONN || kind == CG_FD_LISTENER;
	if ((live && (!slot->inode || slot->inode == inode)) || not_tcp[inode % OTHERS] == inode)
		return 0;
	int tcp = is_tcp(fd);
	if (tcp == 0)
		not_tcp[inode % OTHERS] = inode;
	if (tcp != 1)
		return 0;
	if (was_pending(fd, inode)) {
		look->header = cg_track_ready();
		if (look->header)
			adopt(fd, inode, gen);
	} else if (look->pending_count < PENDING) {
		look->pending[look->pending_count++] = (struct seen){fd, inode};
	}
	return 0;
}

bool cg_adopt_pending(void)
{
	return last_count > 0;
}

void cg_adopt_look(struct cg_sweep *sweep, bool now)
{
	struct look look;
	uint64_t period = sweep->warn_after_ns / 2;
	if (period > 10000000000u)
		period = 10000000000u;
	if (!now && !last_count && sweep->adopted_ns && sweep->now_ns - sweep->adopted_ns < period)
		return;
	look.header = cg_recorder_header();
	look.pending_count = 0;
	sweep->adopted_ns = sweep->now_ns;
	if (cg_proc_sockets(visit, &look, &sweep->open_fds) < 0)
		look.pending_count = 0;
	memcpy(last_look, look.pending, look.pending_count * sizeof look.pending[0]);
	last_count = look.pending_count;
}
