/* suspects_walk.c: asks each descriptor about its socket: for a thread in the program's own table. */
#include "procfs.h"
#include "recorder.h"
#include "suspects_listing.h"
#include "suspects_parts.h"
#include "sys.h"
#include "track.h"

enum {
	FEW = 1024,        /* up to here TCP_INFO on every socket is cheaper than a dump (0.5 us each against 1.3 ms) */
	QUIET_LOOKS = 256, /* with more than FEW: so many quiet ones are looked at per sweep, for what no dump shows */
	EXACT = 16         /* up to so many suspects are queried one by one */
};

/* Is the descriptor closed, or something else by now? What needs no answer of the socket's. */
static bool is_gone(int fd, const struct cg_slot *slot)
{
	struct stat st;
	if (cg_sys_fcntl(fd, F_GETFD, 0) == -EBADF)
		return true;
	return cg_sys_fstat(fd, &st) == 0 && (!S_ISSOCK(st.st_mode) || (slot->inode && slot->inode != st.st_ino));
}

/*
 * A question about the socket was not answered. It may be closed, or no TCP socket: closed past us. Else questions are
 * refused here, and the kernel's lists have to tell, where /proc says which socket is which.
 */
static void no_answer(struct cg_sweep *sweep, int fd, struct cg_slot *slot, uint32_t gen)
{
	uint64_t inode = 0;
	bool gone = is_gone(fd, slot);
	int tcp = gone ? 0 : cg_proc_is_tcp(fd);
	if (tcp < 0)
		tcp = cg_tcp_is_tcp(fd);
	if (tcp == 0)
		cg_suspects_closed_unseen(sweep, slot, gen);
	else if (cg_proc_descriptor(fd, &inode) == 1)
		cg_suspects_survey_when_mute();
	else
		sweep->unanswered++;
}

/* Makes sure of a slot once: is it TCP, and which socket is it. False when it is not what it seemed. */
static bool identify(struct cg_sweep *sweep, int fd, struct cg_slot *slot)
{
	uint32_t gen = atomic_load(&slot->gen);
	uint64_t inode, cookie;
	if ((atomic_load(&slot->flags) & CG_SLOT_UNVERIFIED)) {
		int tcp = cg_tcp_is_tcp(fd);
		if (tcp == 0)
			cg_suspects_closed_unseen(sweep, slot, gen);
		else if (tcp < 0)
			no_answer(sweep, fd, slot, gen);
		if (tcp != 1)
			return false;
		atomic_fetch_and(&slot->flags, ~(uint32_t)CG_SLOT_UNVERIFIED);
	}
	if (slot->inode)
		return true;
	if (cg_tcp_identity(fd, &inode, &cookie) == 0 && atomic_load(&slot->gen) == gen) {
		slot->inode = inode;
		slot->cookie = cookie;
		atomic_thread_fence(memory_order_seq_cst);
		if (atomic_load(&slot->gen) != gen)
			slot->inode = slot->cookie = 0; /* may be the next one's: to be asked again */
	}
	return true;
}

static bool same_socket(int fd, const struct cg_slot *slot)
{
	uint64_t inode, cookie;
	return cg_tcp_identity(fd, &inode, &cookie) == 0 && inode == slot->inode;
}

bool cg_suspects_state_matters(const struct cg_sweep *sweep, int state)
{
	return state == CG_TCP_CLOSE_WAIT || state == CG_TCP_CLOSE || (state == CG_TCP_FIN_WAIT2 && sweep->fin_wait2);
}

static void look_at_listener(struct cg_sweep *sweep, int fd, struct cg_slot *slot)
{
	uint32_t gen = atomic_load(&slot->gen);
	struct cg_tcp tcp = {0};
	if (cg_tcp_info(fd, &tcp) < 0) {
		no_answer(sweep, fd, slot, gen);
		return;
	}
	if (tcp.state != CG_TCP_LISTEN)
		cg_suspects_closed_unseen(sweep, slot, gen); /* shut down, or another socket by now: adopted later */
	if (tcp.state == CG_TCP_LISTEN && tcp.rqueue) {
		struct cg_suspect *c = cg_suspects_add(sweep, fd, slot, &tcp);
		if (c)
			sweep->waiting = true;
	}
}

/* `listed`: a dump will name those in CLOSE_WAIT. */
static void look_at_connection(struct cg_sweep *sweep, int fd, struct cg_slot *slot, bool listed)
{
	uint32_t gen = atomic_load(&slot->gen);
	struct cg_tcp tcp = {0};
	int state = cg_tcp_state_of(fd);
	if (state < 0) {
		no_answer(sweep, fd, slot, gen);
		return;
	}
	if (state == CG_TCP_LISTEN && identify(sweep, fd, slot)) {
		/* It began to listen past us, or the number is a listener's that was opened past us. */
		uint8_t kind = CG_FD_CONN;
		if (atomic_compare_exchange_strong(&slot->kind, &kind, CG_FD_LISTENER))
			look_at_listener(sweep, fd, slot);
		return;
	}
	if (!identify(sweep, fd, slot) || !cg_suspects_state_matters(sweep, state) || (listed && state != CG_TCP_CLOSE))
		return;
	if (!same_socket(fd, slot)) {
		cg_suspects_closed_unseen(sweep, slot, gen); /* another socket by now: adoption will find it */
		return;
	}
	tcp.state = (uint8_t)state;
	cg_suspects_add(sweep, fd, slot, &tcp);
}

/* Walks the slots; in a large process only listeners and a part of the connections are looked at here. */
static void walk_slots(struct cg_sweep *sweep, bool few)
{
	unsigned end = cg_recorder_fd_end(), looks = 0, from = sweep->rotor < end ? sweep->rotor : 0;
	for (unsigned fd = 0; fd < end; fd++) {
		struct cg_slot *slot = cg_slot_at((int)fd);
		if (!slot) {
			fd |= 127;
			continue;
		}
		uint8_t kind = atomic_load_explicit(&slot->kind, memory_order_acquire);
		if (kind == CG_FD_LISTENER) {
			if (identify(sweep, (int)fd, slot))
				look_at_listener(sweep, (int)fd, slot);
		} else if (kind == CG_FD_CONN && !cg_suspects_is_busy(sweep, slot) &&
		           (few || !slot->inode || (fd >= from && looks < QUIET_LOOKS))) {
			looks += slot->inode != 0;
			look_at_connection(sweep, (int)fd, slot, !few);
			sweep->rotor = fd + 1;
		}
	}
	if (looks < QUIET_LOOKS)
		sweep->rotor = 0;
}

/* With many sockets the dump names the suspects: those in it whose inode is one of ours. */
static void match_slots(struct cg_sweep *sweep, const struct cg_listing *list)
{
	unsigned end = cg_recorder_fd_end();
	for (unsigned fd = 0; list->count && fd < end; fd++) {
		struct cg_slot *slot = cg_slot_at((int)fd);
		if (!slot) {
			fd |= 127;
			continue;
		}
		if (atomic_load(&slot->kind) != CG_FD_CONN || !slot->inode || cg_suspects_is_busy(sweep, slot))
			continue;
		uint32_t gen = atomic_load(&slot->gen);
		const struct cg_tcp *tcp = cg_listing_find(list, slot->inode);
		if (tcp && same_socket((int)fd, slot))
			cg_suspects_add(sweep, (int)fd, slot, tcp);
		else if (tcp)
			cg_suspects_closed_unseen(sweep, slot, gen);
	}
}

/* Without sock_diag: what TCP_INFO, SIOCINQ and the descriptor itself can tell. */
static void details_from_fd(struct cg_suspect *c)
{
	struct cg_tcp tcp = {0};
	uint32_t unread;
	if (cg_tcp_info(c->facts.fd, &tcp) < 0)
		return;
	tcp.inode = c->facts.slot.inode;
	tcp.cookie = c->facts.slot.cookie;
	if (cg_tcp_unread(c->facts.fd, &unread) == 0)
		tcp.rqueue = unread;
	c->facts.tcp = tcp;
}

static void fill_details(struct cg_sweep *sweep, const struct cg_listing *list)
{
	for (struct cg_suspect *c = sweep->suspects; c; c = c->next) {
		if (c->facts.fd < 0 || c->facts.tcp.state == CG_TCP_LISTEN || c->facts.tcp.has_queues)
			continue;
		const struct cg_tcp *listed = list ? cg_listing_find(list, c->facts.slot.inode) : NULL;
		if (listed) {
			c->facts.tcp = *listed;
			continue;
		}
		details_from_fd(c);
		if (!list && c->facts.tcp.state == CG_TCP_CLOSE_WAIT && cg_listing_netlink(sweep) >= 0)
			(void)cg_diag_query(cg_listing_netlink(sweep), &c->facts.tcp);
	}
}

bool cg_suspects_walk(struct cg_sweep *sweep, bool departed, struct cg_listing *list)
{
	struct cg_header *h = cg_recorder_header();
	bool few = atomic_load(&h->open_now) <= FEW || cg_listing_netlink(sweep) < 0;
	walk_slots(sweep, few);
	if (cg_suspects_are_surveyed()) {
		sweep->suspects = NULL;
		sweep->suspect_count = 0;
		return cg_suspects_survey(sweep, departed, list);
	}
	bool listed =
	    (!few || departed || sweep->waiting || sweep->suspect_count > EXACT) && cg_listing_take(sweep, list);
	if (listed && !few)
		match_slots(sweep, list);
	fill_details(sweep, listed ? list : NULL);
	return listed;
}
