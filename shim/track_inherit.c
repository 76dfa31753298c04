/* track_inherit.c: hands sockets over from before an exec or a fork. */
#include "track_inherit.h"

#include <string.h>
#include <sys/mman.h>

#include "fdtable.h"
#include "guard.h"
#include "modules.h"
#include "ownfd.h"
#include "procfs.h"
#include "procfs_holders.h"
#include "recorder.h"
#include "stack.h"
#include "sys.h"
#include "tcpstate.h"
#include "track.h"
#include "track_claims.h"
#include "track_share.h"

enum {
	SCANNED = 64, /* descriptors looked at when the program starts; the sweep adopts what is above */
	STACKS = 512, /* places in the code that a child is told of; sockets of more have none there */
	INDEX = 2 * STACKS
};

/* The ids of stacks in the slot are here numbers in the snapshot's list, from 1. */
struct kept {
	int fd;
	struct cg_slot slot;
};

struct kept_stack {
	uint32_t id; /* the parent's */
	struct cg_stack_copy stack;
};

/*
 * What was open before the fork, in private memory: the recorder itself is not in the child. Of the room for stacks
 * only what is used is ever touched.
 */
struct snapshot {
	size_t size; /* of the mapping */
	unsigned count, room, stack_count, stack_room;
	uint32_t next_conn;
	uint16_t index[INDEX]; /* stacks by their ids */
	struct kept_stack *stacks;
	bool foreign; /* the parent's pid namespace is not this process's: it cannot be seen from here */
	struct kept kept[];
};

static uint64_t from_exec; /* bits of descriptors, with exec's; a listener's bit is in `listening` too */
static uint64_t listening;
static struct snapshot *_Atomic from_fork;
static _Atomic bool taken;

void cg_inherit_scan(void)
{
	for (int fd = 0; fd < SCANNED; fd++) {
		if (!cg_fdtable_is_socket(fd) || cg_tcp_is_tcp(fd) != 1)
			continue;
		from_exec |= 1ull << fd;
		if (cg_tcp_state_of(fd) == CG_TCP_LISTEN)
			listening |= 1ull << fd;
	}
	if (from_exec)
		atomic_store(&cg_guard.inherited, true);
}

static bool is_kept_kind(uint8_t kind)
{
	return kind == CG_FD_CONN || kind == CG_FD_LISTENER;
}

static struct snapshot *new_snapshot(unsigned room)
{
	unsigned stacks = 2 * room < STACKS ? 2 * room : STACKS;
	size_t slots = sizeof(struct snapshot) + room * sizeof(struct kept);
	size_t size = slots + stacks * sizeof(struct kept_stack);
	struct snapshot *s = cg_sys_mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (cg_sys_failed(s))
		return NULL;
	s->size = size;
	s->room = room;
	s->stack_room = stacks;
	s->stacks = (struct kept_stack *)(void *)((char *)s + slots);
	return s;
}

static void drop_snapshot(void)
{
	struct snapshot *s = atomic_exchange(&from_fork, NULL);
	if (s)
		cg_sys_munmap(s, s->size);
}

/* Most sockets come from few places: each is kept once. Returns its number in the list, 0 for none. */
static uint32_t keep_stack(struct snapshot *s, uint32_t id)
{
	unsigned at = id * 2654435761u % INDEX;
	if (!id)
		return 0;
	while (s->index[at] && s->stacks[s->index[at] - 1].id != id)
		at = (at + 1) % INDEX;
	if (s->index[at])
		return s->index[at];
	if (s->stack_count == s->stack_room || !cg_stack_read(id, &s->stacks[s->stack_count].stack))
		return 0;
	s->stacks[s->stack_count].id = id;
	s->index[at] = (uint16_t)++s->stack_count;
	return s->stack_count;
}

static void keep(struct snapshot *s, int fd, const struct cg_slot *slot)
{
	struct kept *kept = &s->kept[s->count++];
	kept->fd = fd;
	memcpy(&kept->slot, slot, sizeof *slot);
	kept->slot.open_stack = keep_stack(s, kept->slot.open_stack);
	kept->slot.conn_stack = keep_stack(s, kept->slot.conn_stack);
}

void cg_inherit_before_fork(void)
{
	struct cg_header *h = cg_recorder_header();
	unsigned open_now = h ? atomic_load(&h->open_now) : 0, end = cg_recorder_fd_end();
	cg_track_spawn_begin();
	if (!open_now || atomic_load(&cg_guard.sealed))
		return;
	cg_track_share_before_fork();
	cg_holders_descend(h->pid);
	struct snapshot *s = new_snapshot((open_now < end ? open_now : end) + 16), *none = NULL;
	if (!s)
		return;
	s->next_conn = atomic_load(&h->next_conn);
	for (unsigned fd = 0; fd < end && s->count < s->room; fd++) {
		struct cg_slot *slot = cg_slot_at((int)fd);
		if (!slot)
			fd |= 127; /* the whole chunk is empty */
		else if (is_kept_kind(atomic_load(&slot->kind)))
			keep(s, (int)fd, slot);
		if (slot && atomic_load(&slot->kind) == CG_FD_LISTENER)
			cg_claims_before_fork();
	}
	/* Two threads fork at once: each child gets one of the two copies, and both are right. */
	if (!atomic_compare_exchange_strong(&from_fork, &none, s))
		cg_sys_munmap(s, s->size);
}

void cg_inherit_fork_parent(void)
{
	cg_track_spawn_end();
	drop_snapshot();
}

void cg_inherit_fork_child(void)
{
	struct snapshot *s = atomic_load(&from_fork);
	atomic_store(&taken, false);
	if (s && CG_SYS3(SYS_getppid, 0, 0, 0) == 0)
		s->foreign = true;
	atomic_store(&cg_track_forking, 0);
	cg_claims_fork_child();
	atomic_store(&cg_guard.inherited, s != NULL || from_exec != 0);
}

bool cg_inherit_has(int fd)
{
	struct snapshot *s = atomic_load(&from_fork);
	if (!atomic_load(&cg_guard.inherited) || fd < 0)
		return false;
	if (fd < SCANNED && (from_exec >> fd & 1))
		return true;
	for (unsigned i = 0; s && i < s->count; i++)
		if (s->kept[i].fd == fd)
			return true;
	return false;
}

void cg_inherit_forget(int fd)
{
	struct snapshot *s = atomic_load(&from_fork);
	if (fd >= 0 && fd < SCANNED)
		from_exec &= ~(1ull << fd);
	for (unsigned i = 0; s && i < s->count; i++)
		if (s->kept[i].fd == fd)
			s->kept[i].fd = -1;
}

static uint32_t copy_stack(const struct snapshot *s, uint32_t number)
{
	const struct cg_stack_copy *old = number ? &s->stacks[number - 1].stack : NULL;
	return old ? cg_stack_intern(old->ip, old->depth, old->flags & ~(unsigned)CG_STACK_IN_SIGNAL) : 0;
}

/* Is the descriptor still what was noted? Between then and now the program went on unwatched. */
static bool still_there(int fd, uint64_t inode)
{
	struct stat st;
	uint64_t its_inode;
	if (cg_ownfd_unshared)
		return cg_proc_descriptor(fd, &its_inode) == 1 && (!inode || its_inode == inode);
	return cg_sys_fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode) && (!inode || st.st_ino == inode);
}

static void import_kept(const struct snapshot *s, const struct kept *kept)
{
	if (!still_there(kept->fd, kept->slot.inode))
		return;
	uint8_t kind = atomic_load(&kept->slot.kind);
	cg_track_open(kept->fd, CG_CALL_inherited, kind, kept->slot.role, CG_ORIGIN_INHERITED, CG_SLOT_INHERITED);
	struct cg_slot *slot = cg_slot_at(kept->fd);
	if (!slot)
		return;
	uint32_t flags = atomic_load(&kept->slot.flags) & (CG_SLOT_SHUT_RD | CG_SLOT_SHUT_WR | CG_SLOT_DUPPED |
	                                                   CG_SLOT_IGNORED | CG_SLOT_SENT | CG_SLOT_KIN);
	if (kept->slot.origin == CG_ORIGIN_SEEN)
		flags |= CG_SLOT_KIN;
	if (s->foreign)
		flags &= ~(uint32_t)CG_SLOT_KIN;
	slot->open_call = kept->slot.open_call;
	slot->open_ns = kept->slot.open_ns;
	slot->open_tid = kept->slot.open_tid;
	slot->open_stack = copy_stack(s, kept->slot.open_stack);
	slot->conn_stack = copy_stack(s, kept->slot.conn_stack);
	slot->conn = kept->slot.conn;
	slot->inode = kept->slot.inode;
	slot->cookie = kept->slot.cookie;
	atomic_fetch_or(&slot->flags, flags);
}

void cg_inherit_import(void)
{
	struct cg_header *h = cg_recorder_header();
	struct snapshot *s = atomic_load(&from_fork);
	if (!h || atomic_exchange(&taken, true))
		return;
	atomic_store(&cg_guard.inherited, false);
	if (s)
		atomic_store(&h->next_conn, s->next_conn);
	for (unsigned i = 0; s && i < s->count; i++)
		import_kept(s, &s->kept[i]);
	for (int fd = 0; fd < SCANNED; fd++) {
		bool listener = listening >> fd & 1;
		struct cg_slot *slot = cg_slot_at(fd);
		bool free_place = !slot || atomic_load(&slot->kind) == CG_FD_NONE;
		if ((from_exec >> fd & 1) && free_place && still_there(fd, 0))
			cg_track_open(fd, CG_CALL_inherited, listener ? CG_FD_LISTENER : CG_FD_CONN,
			              listener ? CG_ROLE_NONE : CG_ROLE_ACCEPTED, CG_ORIGIN_INHERITED,
			              CG_SLOT_INHERITED | CG_SLOT_UNVERIFIED);
	}
	drop_snapshot();
}
