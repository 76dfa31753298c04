/*
 * suspects_survey.c: finds suspects by what the kernel lists, without touching a descriptor: for a thread with a table
 * of its own, and where descriptors do not answer.
 *
 * /proc says which socket a number is; sock_diag says how that socket is, all at once by a dump, or one by one where
 * its addresses are known from an earlier dump. What neither lists has been reset, was never connected, or is of
 * another network namespace: that one is taken over, for some microseconds, and asked.
 */
#include <errno.h>
#include <string.h>

#include "ownfd.h"
#include "procfs.h"
#include "recorder.h"
#include "suspects_parts.h"
#include "suspects_survey.h"
#include "track.h"
#include "unshare.h"

enum {
	FEW = 1024,        /* up to here every descriptor is looked up in /proc (1 us each) */
	QUIET_LOOKS = 256, /* with more of them so many are, in each look */
	GONE = 64
};

static bool mute; /* descriptors do not answer here */

bool cg_suspects_are_surveyed(void)
{
	return cg_ownfd_unshared || mute;
}

void cg_suspects_survey_when_mute(void)
{
	mute = true;
}

bool cg_suspects_sockets_are_mute(void)
{
	return mute;
}

void cg_suspects_survey_after_fork(void)
{
	mute = false;
	cg_survey_ask_after_fork();
}

static bool is_live(uint8_t kind)
{
	return kind == CG_FD_CONN || kind == CG_FD_LISTENER;
}

/* Which socket is it? False when the slot tells of none that is open here; *ret_gone: the one of `gen` is not. */
static bool identify(int fd, struct cg_slot *slot, uint32_t gen, bool *ret_gone)
{
	uint64_t inode = 0;
	int r = cg_proc_descriptor(fd, &inode);
	*ret_gone = r == 0 || r == -ENOENT || (r == 1 && slot->inode && slot->inode != inode);
	if (r != 1 || *ret_gone || atomic_load(&slot->gen) != gen)
		return false;
	if (atomic_load(&slot->flags) & CG_SLOT_UNVERIFIED) {
		int tcp = cg_proc_is_tcp(fd);
		*ret_gone = tcp == 0;
		if (tcp == 0)
			return false;
		if (tcp == 1)
			atomic_fetch_and(&slot->flags, ~(uint32_t)CG_SLOT_UNVERIFIED);
	}
	if (!slot->inode) {
		slot->inode = inode;
		atomic_thread_fence(memory_order_seq_cst);
		if (atomic_load(&slot->gen) != gen)
			slot->inode = 0; /* may be the next one's: to be asked again */
	}
	return slot->inode == inode;
}

static void enter(struct cg_survey *s, int fd, struct cg_slot *slot, bool checked)
{
	struct cg_found *f = &s->found[s->count++];
	struct cg_found **place = &s->by_inode[slot->inode % s->room];
	bool listener = atomic_load(&slot->kind) == CG_FD_LISTENER;
	*f = (struct cg_found){.fd = fd, .slot = slot, .listener = listener, .checked = checked, .next = *place};
	f->seen = cg_seen_of(fd, slot->inode);
	*place = f;
	s->listeners += listener;
}

/* In a large process only a part of what is known is compared with /proc in each look. */
static bool is_due(struct cg_survey *s, unsigned fd, const struct cg_slot *slot)
{
	if (s->room <= FEW || !slot->inode || (atomic_load(&slot->flags) & CG_SLOT_UNVERIFIED))
		return true;
	if (fd < s->sweep->rotor || s->looks == QUIET_LOOKS)
		return false;
	s->looks++;
	s->sweep->rotor = fd + 1;
	return true;
}

/*
 * The slots whose descriptors are open, with the sockets that they are now. False once the thread by which /proc shows
 * them, the first one, has left; there may be another one to go by then.
 */
static bool enter_slots(struct cg_survey *s)
{
	unsigned end = cg_recorder_fd_end(), gone_count = 0;
	struct {
		struct cg_slot *slot;
		uint32_t gen;
	} gone[GONE];
	for (unsigned fd = 0; fd < end && s->count < s->room; fd++) {
		struct cg_slot *slot = cg_slot_at((int)fd);
		bool closed = false;
		if (!slot) {
			fd |= 127;
			continue;
		}
		if (!is_live(atomic_load_explicit(&slot->kind, memory_order_acquire)))
			continue;
		uint32_t gen = atomic_load(&slot->gen);
		if (cg_suspects_is_busy(s->sweep, slot))
			continue;
		bool due = is_due(s, fd, slot);
		if (!due || identify((int)fd, slot, gen, &closed)) {
			enter(s, (int)fd, slot, due);
		} else if (closed && gone_count < GONE) { /* more of them: in the next look */
			gone[gone_count].slot = slot;
			gone[gone_count++].gen = gen;
		}
	}
	if (s->looks < QUIET_LOOKS)
		s->sweep->rotor = 0;
	if (gone_count && !cg_proc_shows_table()) {
		s->moved = cg_proc_follow_table();
		return false;
	}
	for (unsigned i = 0; i < gone_count; i++)
		cg_suspects_closed_unseen(s->sweep, gone[i].slot, gone[i].gen);
	return true;
}

/* A socket that nobody connected is no connection, and may be about to be bound, or closed and bound again. */
static bool is_fresh(const struct cg_slot *slot)
{
	return slot->origin == CG_ORIGIN_SEEN && slot->role == CG_ROLE_NONE && !atomic_load(&slot->last_use) &&
	       !(atomic_load(&slot->flags) & CG_SLOT_CONNECT);
}

/* Asks the socket itself. Returns 0 and its state, times and addresses, or -errno. */
static int ask_itself(const struct cg_found *f, struct cg_tcp *ret)
{
	uint64_t inode, cookie;
	uint32_t unread;
	int copy = cg_unshare_take(f->fd);
	if (copy < 0)
		return copy;
	int r = cg_tcp_identity(copy, &inode, &cookie);
	if (r == 0 && inode != f->slot->inode)
		r = -ESTALE;
	if (r == 0)
		r = cg_tcp_info(copy, ret);
	if (r == 0 && cg_tcp_unread(copy, &unread) == 0)
		ret->rqueue = unread;
	cg_ownfd_close(copy);
	ret->inode = f->slot->inode;
	ret->cookie = f->slot->cookie;
	return r;
}

/*
 * Not listed, though open. Where it cannot be asked, one that was listed before and is missed twice has been reset; any
 * other may be of another network namespace, and nothing is said of it.
 */
static bool resolve(struct cg_found *f, const struct cg_sweep *sweep)
{
	f->tcp = (struct cg_tcp){0};
	if (f->listener || is_fresh(f->slot))
		return false;
	f->seen->missed_ns = sweep->now_ns;
	if (f->seen->missed < 2)
		f->seen->missed++;
	if (cg_unshare_takes() && ask_itself(f, &f->tcp) == 0)
		return true;
	f->tcp = (struct cg_tcp){.state = CG_TCP_CLOSE,
	                         .was_connected = true,
	                         .inode = f->slot->inode,
	                         .cookie = f->slot->cookie,
	                         .local = f->seen->local,
	                         .peer = f->seen->peer};
	return f->seen->inode == f->slot->inode && f->seen->connected && f->seen->missed > 1;
}

/* What /proc lists is without times. */
static void add_times(struct cg_found *f)
{
	struct cg_tcp asked = {0};
	if (f->tcp.has_info || f->tcp.state == CG_TCP_LISTEN || !cg_unshare_takes() || ask_itself(f, &asked) < 0)
		return;
	f->tcp.has_info = asked.has_info;
	f->tcp.was_connected = asked.was_connected;
	f->tcp.last_data_sent_ms = asked.last_data_sent_ms;
	f->tcp.last_data_recv_ms = asked.last_data_recv_ms;
	f->tcp.last_ack_recv_ms = asked.last_ack_recv_ms;
}

static void judge_listener(struct cg_sweep *sweep, struct cg_found *f)
{
	if (f->listed && f->tcp.rqueue && cg_suspects_add(sweep, f->fd, f->slot, &f->tcp))
		sweep->waiting = true;
}

/*
 * A listener's number that the kernel does not list as one: another socket has been put over it past us, which is asked
 * once, after two looks, since a listener that is taken over would stay bound; at once where a look has to tell all.
 */
static bool has_stopped_listening(const struct cg_survey *s, struct cg_found *f)
{
	enum { OFTEN = 2, ASKED };
	struct cg_tcp tcp;
	if (!f->listener || f->listed || !s->answered || !(s->states & CG_SURVEY_LISTEN) || f->seen->missed == ASKED)
		return false;
	if (f->seen->missed < OFTEN && !s->sweep->thorough) {
		f->seen->missed++;
		return false;
	}
	f->seen->missed = ASKED;
	return cg_unshare_takes() && ask_itself(f, &tcp) == 0 && tcp.state != CG_TCP_LISTEN;
}

static void judge(struct cg_survey *s, struct cg_found *f)
{
	if (has_stopped_listening(s, f)) {
		cg_suspects_closed_unseen(s->sweep, f->slot, atomic_load(&f->slot->gen));
		return;
	}
	uint8_t kind = CG_FD_CONN;
	bool missing = !f->listed && (f->missing || !s->answered || s->states == CG_SURVEY_ALL || f->seen->missed),
	     gone = false;
	if (missing ? !resolve(f, s->sweep) : !f->listed) {
		s->sweep->unanswered += !s->answered && !f->listener && !is_fresh(f->slot);
		return;
	}
	uint32_t gen = atomic_load(&f->slot->gen);
	if (!f->checked && !identify(f->fd, f->slot, gen, &gone)) {
		if (gone && cg_proc_shows_table())
			cg_suspects_closed_unseen(s->sweep, f->slot, gen);
		return;
	}
	if (f->tcp.state == CG_TCP_LISTEN) {
		/* It may have begun to listen past us. */
		(void)atomic_compare_exchange_strong(&f->slot->kind, &kind, CG_FD_LISTENER);
		judge_listener(s->sweep, f);
	} else if (!f->listener && cg_suspects_state_matters(s->sweep, f->tcp.state)) {
		if (!missing)
			add_times(f);
		cg_suspects_add(s->sweep, f->fd, f->slot, &f->tcp);
	}
}

static void restart(struct cg_survey *s)
{
	memset(s->by_inode, 0, s->room * sizeof(struct cg_found *));
	s->count = s->listeners = s->looks = 0;
	s->moved = false;
}

bool cg_suspects_survey(struct cg_sweep *sweep, bool departed, struct cg_listing *ret_list)
{
	struct cg_header *h = cg_recorder_header();
	struct cg_survey s = {.sweep = sweep,
	                      .list = ret_list,
	                      .closable = CG_SURVEY_CLOSE_WAIT | (sweep->fin_wait2 ? 1u << CG_TCP_FIN_WAIT2 : 0),
	                      .room = atomic_load(&h->open_now) + 64};
	s.found = cg_arena_alloc(&sweep->arena, s.room * sizeof *s.found);
	s.by_inode = cg_arena_alloc(&sweep->arena, s.room * sizeof(struct cg_found *));
	sweep->rest_ns = 0;
	sweep->blind = false;
	if (!s.found || !s.by_inode)
		return false;
	sweep->blind = !enter_slots(&s);
	if (s.moved) {
		cg_proc_keep_another();
		restart(&s);
		sweep->blind = !enter_slots(&s);
	}
	if (sweep->blind || (!s.count && !departed))
		return false;
	s.answered = cg_survey_ask(&s, departed);
	if (!s.answered && !cg_unshare_takes())
		sweep->blind = true; /* neither the kernel's lists nor the sockets answer */
	for (unsigned i = 0; i < s.count; i++)
		judge(&s, &s.found[i]);
	return s.states & CG_SURVEY_CLOSE_WAIT;
}

int cg_suspects_state_of(struct cg_sweep *sweep, int fd, struct cg_slot *slot)
{
	struct cg_survey s = {.sweep = sweep};
	struct cg_found f = {.fd = fd, .slot = slot};
	bool gone;
	if (!cg_suspects_are_surveyed())
		return cg_tcp_state_of(fd);
	if (!slot->inode && !identify(fd, slot, atomic_load(&slot->gen), &gone))
		return 0;
	f.seen = cg_seen_of(fd, slot->inode);
	if (f.seen->seen_ns == sweep->now_ns)
		return f.seen->state;
	if (f.seen->local.family)
		cg_survey_query(&s, &f);
	if (!f.listed && cg_unshare_takes())
		(void)ask_itself(&f, &f.tcp);
	return f.tcp.state;
}
