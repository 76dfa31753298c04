/* track.c: openings, ends of file and other things that happen to an open descriptor. */
#include "track.h"

#include <string.h>

#include "bypass.h"
#include "clock.h"
#include "loader.h"
#include "track_inherit.h"
#include "stack.h"
#include "unwind.h"

_Atomic uint16_t cg_track_epoch;
_Atomic int cg_track_forking;
static _Atomic uint64_t forking_until_ns; /* a fork is under way whose end is not seen */
__thread uint16_t cg_track_opening;
void (*cg_track_wake)(bool in_signal);
_Atomic bool cg_track_wanted = true;
void (*cg_track_exiting)(const char *how);
void (*cg_track_sealing)(void);
void (*cg_track_giving_up)(bool root);
void (*cg_track_reaped)(int fd);
void (*cg_track_main_left)(void);
void (*cg_track_ending)(void);
_Atomic uint64_t cg_track_shutdown_ns;

uint64_t cg_track_clock(void)
{
	struct cg_header *h = cg_recorder_header();
	uint64_t now = cg_clock_now();
	if (h) {
		uint32_t tick = (uint32_t)((now - h->start_ns) / 100000000);
		atomic_store_explicit(&cg_self.tick, tick, memory_order_relaxed);
		atomic_store_explicit(&h->tick, tick, memory_order_relaxed);
	}
	return now;
}

struct cg_header *cg_track_ready(void)
{
	struct cg_header *h = cg_recorder_header();
	if (h)
		return h;
	if (cg_unwind_is_cramped())
		return NULL; /* the sweep adopts what is opened there, once something else has started it */
	h = cg_recorder_start();
	if (h) {
		atomic_store(&cg_guard.bypassed, false); /* the sweep looks from here on */
		cg_unwind_prepare();
		cg_inherit_import();
	}
	return h;
}

static void wake_sweep(uint32_t stack)
{
	if (atomic_load_explicit(&cg_track_wanted, memory_order_relaxed) && cg_track_wake)
		cg_track_wake(stack ? cg_stack_flags(stack) & CG_STACK_IN_SIGNAL : cg_unwind_is_cramped());
}

struct cg_site *cg_track_site(uint32_t stack, bool make)
{
	struct cg_header *h = cg_recorder_header();
	for (unsigned i = 0; stack && i < 16; i++) {
		struct cg_site *site = cg_recorder_site((stack * 2654435761u + i) % CG_MAX_SITES, make);
		uint32_t there = 0;
		if (!site)
			return NULL;
		if (atomic_load(&site->stack) == stack)
			return site;
		if (make && atomic_compare_exchange_strong(&site->stack, &there, stack))
			return site;
		if (there == stack)
			return site;
	}
	if (make && stack && h)
		atomic_fetch_add(&h->count.site_overflows, 1);
	return NULL;
}

/* The slot's fields are being rewritten until slot_end; readers that saw an even gen look again. */
static uint32_t slot_begin(struct cg_slot *slot)
{
	uint32_t gen = atomic_load_explicit(&slot->gen, memory_order_relaxed) | 1;
	atomic_store_explicit(&slot->gen, gen, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	return gen;
}

static void slot_end(struct cg_slot *slot, uint32_t gen, uint8_t kind)
{
	atomic_store_explicit(&slot->kind, kind, memory_order_release);
	atomic_store_explicit(&slot->gen, gen + 1, memory_order_release);
}

static bool is_live(uint8_t kind)
{
	return kind == CG_FD_CONN || kind == CG_FD_LISTENER;
}

static void note_highest(struct cg_header *h, int fd)
{
	uint32_t highest = atomic_load_explicit(&h->highest_fd, memory_order_relaxed);
	while ((uint32_t)fd > highest && !atomic_compare_exchange_weak(&h->highest_fd, &highest, (uint32_t)fd))
		;
}

/* Empties the slot of a number that is being given out anew; what it told of was closed unseen, if it was live. */
static struct cg_slot *fresh_slot(struct cg_header *h, int fd, uint32_t *ret_gen)
{
	struct cg_slot *slot = cg_recorder_slot(fd, true);
	if (!slot) {
		atomic_fetch_add(&h->count.beyond_limit, 1);
		return NULL;
	}
	uint8_t kind = atomic_load(&slot->kind);
	bool was_live = is_live(kind);
	if (kind == CG_FD_CONN)
		cg_track_closed_unseen(slot->open_stack, slot->first_seen_ns, cg_track_clock());
	*ret_gen = slot_begin(slot);
	memset((char *)slot + offsetof(struct cg_slot, role), 0, sizeof *slot - offsetof(struct cg_slot, role));
	if (!was_live)
		atomic_fetch_add(&h->open_now, 1);
	note_highest(h, fd);
	return slot;
}

void cg_track_open(int fd, enum cg_call call, enum cg_kind_of_fd kind, enum cg_role role, enum cg_origin origin,
                   uint32_t flags)
{
	struct cg_header *h = cg_track_ready();
	uint32_t gen, stack = h ? cg_stack_here() : 0;
	struct cg_slot *slot = h ? fresh_slot(h, fd, &gen) : NULL;
	if (!slot)
		return;
	slot->role = (uint8_t)role;
	slot->origin = (uint8_t)origin;
	slot->open_call = (uint8_t)call;
	slot->open_ns = cg_track_clock();
	slot->open_stack = stack;
	slot->open_tid = cg_guard_tid();
	slot->conn = atomic_fetch_add(&h->next_conn, 1);
	slot->epoch = cg_track_opening;
	if (slot->open_ns < atomic_load_explicit(&forking_until_ns, memory_order_relaxed))
		slot->epoch--;
	atomic_store_explicit(&slot->flags, flags, memory_order_relaxed);
	slot_end(slot, gen, (uint8_t)kind);
	atomic_fetch_add(&h->count.opened, 1);
	struct cg_site *site = kind == CG_FD_CONN ? cg_track_site(stack, true) : NULL;
	if (site)
		atomic_fetch_add(&site->opened, 1);
	if (site && atomic_load_explicit(&site->watched, memory_order_relaxed))
		atomic_fetch_or(&slot->flags, CG_SLOT_WATCHED);
	if (atomic_load_explicit(&cg_track_shutdown_ns, memory_order_relaxed))
		atomic_store(&cg_track_shutdown_ns, 0);
	wake_sweep(stack);
}

void cg_track_forget(int fd)
{
	struct cg_header *h = cg_recorder_header();
	struct cg_slot *slot = cg_slot_at(fd);
	if (!slot || atomic_load_explicit(&slot->kind, memory_order_relaxed) == CG_FD_NONE)
		return;
	bool was_live = is_live(atomic_load(&slot->kind));
	uint32_t gen = slot_begin(slot);
	slot_end(slot, gen, CG_FD_NONE);
	if (was_live && h)
		atomic_fetch_sub(&h->open_now, 1);
}

void cg_track_dup(int fd, int newfd, enum cg_call call)
{
	struct cg_header *h = cg_recorder_header();
	struct cg_slot *from = cg_slot_at(fd), *to;
	uint32_t gen, stack;
	if (!h || !from || !is_live(atomic_load(&from->kind))) {
		cg_track_forget(newfd);
		return;
	}
	if (fd == newfd)
		return;
	stack = cg_stack_here();
	to = fresh_slot(h, newfd, &gen);
	if (!to)
		return;
	memcpy((char *)to + offsetof(struct cg_slot, role), (char *)from + offsetof(struct cg_slot, role),
	       sizeof *to - offsetof(struct cg_slot, role));
	to->open_call = (uint8_t)call;
	to->open_ns = cg_track_clock();
	to->open_stack = stack;
	to->open_tid = cg_guard_tid();
	to->epoch = atomic_load(&cg_track_epoch);
	atomic_fetch_or(&from->flags, CG_SLOT_DUPPED);
	atomic_fetch_or(&to->flags, CG_SLOT_DUPPED);
	slot_end(to, gen, atomic_load(&from->kind));
	atomic_fetch_add(&h->count.opened, 1);
	struct cg_site *site = cg_track_site(stack, true);
	if (site)
		atomic_fetch_add(&site->opened, 1);
	wake_sweep(stack);
}

static struct cg_slot *live_slot(int fd)
{
	struct cg_slot *slot = cg_slot_at(fd);
	return slot && is_live(atomic_load(&slot->kind)) ? slot : NULL;
}

/* Of a connect() that made no attempt: the socket is what it was. */
static bool says_nothing(int error)
{
	return error == EALREADY || error == EISCONN || error == EBADF || error == ENOTSOCK || error == EFAULT ||
	       error == EINVAL || error == EAFNOSUPPORT;
}

/* Each attempt begins anew: how long it was seen unconnected before is no part of its age. */
void cg_track_connect(int fd, int result, int error)
{
	static const uint32_t outcome = CG_SLOT_CONNECT | CG_SLOT_REFUSED;
	struct cg_slot *slot = live_slot(fd);
	bool under_way = result < 0 && (error == EINPROGRESS || error == EINTR), failed = result < 0 && !under_way;
	if (!slot || (failed && says_nothing(error)))
		return;
	if (!failed)
		slot->role = CG_ROLE_CONNECTED;
	slot->conn_stack = cg_stack_here();
	slot->first_seen_ns = 0;
	atomic_fetch_and(&slot->flags, ~outcome);
	if (failed) {
		cg_track_note_inode(fd, slot);
		atomic_fetch_or(&slot->flags, outcome);
	} else if (under_way) {
		atomic_fetch_or(&slot->flags, CG_SLOT_CONNECT);
	}
	cg_track_clock();
}

void cg_track_listen(int fd)
{
	struct cg_slot *slot = live_slot(fd);
	if (!slot)
		return;
	atomic_fetch_and(&slot->flags, ~(uint32_t)(CG_SLOT_CONNECT | CG_SLOT_REFUSED));
	atomic_store(&slot->kind, CG_FD_LISTENER);
}

void cg_track_shutdown(int fd, int how)
{
	struct cg_slot *slot = live_slot(fd);
	if (!slot)
		return;
	slot->shut_stack = cg_stack_here();
	slot->shut_ns = cg_track_clock();
	slot->shut_tid = cg_guard_tid();
	atomic_fetch_or(&slot->flags,
	                (how != SHUT_WR ? CG_SLOT_SHUT_RD : 0u) | (how != SHUT_RD ? CG_SLOT_SHUT_WR : 0u));
}

void cg_track_polled(int fd, bool added)
{
	struct cg_slot *slot = live_slot(fd);
	if (slot && added)
		atomic_fetch_and(&slot->flags, ~(uint32_t)CG_SLOT_UNPOLLED);
	else if (slot)
		atomic_fetch_or(&slot->flags, CG_SLOT_UNPOLLED);
	if (slot && added)
		atomic_fetch_or(&slot->flags, CG_SLOT_POLLED);
	else if (slot)
		atomic_fetch_and(&slot->flags, ~(uint32_t)CG_SLOT_POLLED);
}

void cg_track_stdio(int fd)
{
	struct cg_slot *slot = live_slot(fd);
	if (slot)
		atomic_fetch_or(&slot->flags, CG_SLOT_STDIO);
}

void cg_track_sent(int fd)
{
	struct cg_slot *slot = live_slot(fd), *other;
	unsigned end = slot && (atomic_load(&slot->flags) & CG_SLOT_DUPPED) ? cg_recorder_fd_end() : 0;
	if (slot)
		atomic_fetch_or(&slot->flags, CG_SLOT_DUPPED | CG_SLOT_SENT);
	for (unsigned i = 0; i < end; i++)
		if ((other = live_slot((int)i)) != NULL && other->conn == slot->conn)
			atomic_fetch_or(&other->flags, CG_SLOT_SENT);
}

void cg_track_spawned(void)
{
	atomic_fetch_add(&cg_track_epoch, 1);
}

void cg_track_spawn_begin(void)
{
	atomic_fetch_add(&cg_track_forking, 1);
	cg_track_spawned();
}

void cg_track_spawn_end(void)
{
	cg_track_spawned();
	atomic_fetch_sub(&cg_track_forking, 1);
}

void cg_track_spawn_and_wait(void)
{
	static const uint64_t soon_ns = 1000000000;
	cg_track_spawned();
	atomic_store(&forking_until_ns, cg_track_clock() + soon_ns);
}

void cg_track_first_use(int fd)
{
	if (cg_inherit_has(fd))
		CG_EVENT(if (cg_track_ready()) wake_sweep(0));
	else if (atomic_load_explicit(&cg_guard.bypassed, memory_order_relaxed) && !cg_loader_is_orphan() &&
	         cg_bypass_due() && cg_track_wake)
		CG_EVENT(if (cg_bypass_look()) cg_track_wake(false));
}

/* A loop that tries again at once would fill the ring of events, and keep the sweep busy with nothing new. */
static bool is_worth_noting(enum cg_call call)
{
	static const uint64_t pause_ns = 100000000;
	static _Atomic uint64_t noted_ns;
	static _Atomic unsigned noted_call;
	uint64_t now = cg_track_clock(), before = atomic_load(&noted_ns);
	if (atomic_load(&noted_call) == call && now >= before && now - before < pause_ns)
		return false;
	atomic_store(&noted_call, call);
	atomic_store(&noted_ns, now);
	return true;
}

void cg_track_exhausted(int fd, enum cg_call call, int error)
{
	struct cg_header *h = cg_track_ready();
	struct cg_slot *slot = cg_slot_at(fd);
	if (!h)
		return;
	atomic_fetch_add(&h->count.exhausted, 1);
	if (!is_worth_noting(call))
		return;
	cg_track_event(CG_EVENT_FD_EXHAUSTED, fd, error, call, cg_stack_here(), slot);
	atomic_store(&cg_track_wanted, true);
	wake_sweep(0);
}
