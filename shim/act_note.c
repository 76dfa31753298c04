/* act_note.c: the table of decisions in the recorder. */
#include <string.h>

#include "act_parts.h"
#include "clock.h"
#include "fmt.h"
#include "recorder.h"
#include "sys.h"
#include "track.h"

enum { PROBES = 16 };

static uint64_t mix(uint64_t h, uint64_t v)
{
	h ^= v + 0x9e3779b97f4a7c15u + (h << 6) + (h >> 2);
	return h * 0xff51afd7ed558ccdu;
}

static uint64_t key_of(const struct cg_act_note *note, uint32_t stack)
{
	uint64_t h = mix(cg_act_serial(), (uint64_t)note->kind << 24 | (uint64_t)note->phase << 16 |
	                                      (uint64_t)note->result << 8 | (uint64_t)note->reason);
	h = mix(h, (uint64_t)(uint32_t)note->error << 32 | note->rule);
	h = mix(h, (uint64_t)(uint32_t)note->level << 32 | (uint32_t)note->name);
	h = mix(h, stack);
	return h ? h : 1;
}

static void describe(struct cg_action *action, const struct cg_act_note *note, uint32_t stack)
{
	struct cg_buf name;
	action->phase = (uint8_t)note->phase;
	action->result = (uint8_t)note->result;
	action->reason = (uint8_t)note->reason;
	action->error = note->error;
	action->rule = note->rule;
	action->stack = stack;
	action->level = note->level;
	action->name = note->name;
	action->value = note->value;
	action->call = note->call;
	cg_buf_init(&name, action->rule_name, sizeof action->rule_name);
	cg_buf_str(&name, note->rule_name);
}

/* The place of this kind of decision; *ret_new when it was made now. */
static struct cg_action *place_of(const struct cg_act_note *note, uint32_t stack, bool *ret_new)
{
	uint64_t key = key_of(note, stack);
	for (unsigned i = 0; i < PROBES; i++) {
		struct cg_action *action = cg_recorder_action((unsigned)(key + i) % CG_MAX_ACTIONS, true);
		uint64_t there = 0;
		if (!action)
			return NULL;
		if (atomic_load_explicit(&action->key, memory_order_acquire) == key)
			return action;
		if (atomic_compare_exchange_strong(&action->key, &there, key)) {
			describe(action, note, stack);
			*ret_new = true;
			return action;
		}
		if (there == key)
			return action;
	}
	return NULL;
}

static void ask_addresses(int fd, struct cg_tcp *tcp)
{
	if (fd < 0 || cg_tcp_addresses_early(fd, tcp) < 0)
		*tcp = (struct cg_tcp){0};
}

/* One writer at a time; the loser's example is not kept. */
static void keep_example(struct cg_action *action, const struct cg_act_note *note, const struct cg_tcp *tcp)
{
	uint32_t gen = atomic_load(&action->gen);
	if ((gen & 1) || !atomic_compare_exchange_strong(&action->gen, &gen, gen + 1))
		return;
	action->fd = note->fd;
	action->value = note->value;
	cg_act_map_address(&tcp->local, action->local);
	cg_act_map_address(&tcp->peer, action->peer);
	action->local_port = tcp->local.port;
	action->peer_port = tcp->peer.port;
	atomic_store(&action->gen, gen + 2);
}

struct cg_action *cg_act_note(const struct cg_act_note *note)
{
	bool new_place = false;
	struct cg_tcp asked = {0};
	struct cg_action *action = cg_recorder_header() ? place_of(note, note->stack, &new_place) : NULL;
	if (!action && cg_recorder_header())
		action = place_of(note, 0, &new_place); /* too many places in the code: counted together */
	if (!action)
		return NULL;
	/* Addresses cost three system calls: one example is enough where the caller does not have them. */
	if (new_place && !note->tcp)
		ask_addresses(note->fd, &asked);
	if (new_place || note->tcp)
		keep_example(action, note, note->tcp ? note->tcp : &asked);
	if (new_place)
		atomic_store(&action->kind, (uint8_t)note->kind);
	atomic_store(&action->last_ns, cg_track_clock());
	atomic_fetch_add(&action->count, 1);
	return action;
}
