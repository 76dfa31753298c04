/* act_open.c: what a rule sets on a new connection. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "act_parts.h"
#include "policy.h"
#include "sys.h"
#include "track.h"

static int set_number(int fd, int level, int name, uint32_t value)
{
	return cg_sys_setsockopt(fd, level, name, &value, sizeof value);
}

/* The times first: probes that begin before they are set would go by the system's. */
static int set_keepalive(int fd, const struct cg_policy_keepalive *keepalive)
{
	int r = keepalive->idle_s ? set_number(fd, IPPROTO_TCP, TCP_KEEPIDLE, keepalive->idle_s) : 0;
	if (r == 0 && keepalive->interval_s)
		r = set_number(fd, IPPROTO_TCP, TCP_KEEPINTVL, keepalive->interval_s);
	if (r == 0 && keepalive->count)
		r = set_number(fd, IPPROTO_TCP, TCP_KEEPCNT, keepalive->count);
	return r < 0 ? r : set_number(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}

static void note_open(struct cg_act_note *note, bool enforce, int r)
{
	note->result = !enforce ? CG_RESULT_WOULD : r < 0 ? CG_RESULT_FAILED : CG_RESULT_DONE;
	note->error = r < 0 ? -r : 0;
	(void)cg_act_note(note);
}

static void apply(const struct cg_policy *policy, int index, int fd, const struct cg_slot *slot)
{
	const struct cg_policy_rule *rule = &policy->rules[index];
	struct cg_act_note note = {.phase = CG_AT_OPEN,
	                           .rule = (unsigned)index,
	                           .rule_name = rule->name,
	                           .stack = slot->open_stack,
	                           .call = slot->open_call,
	                           .fd = fd};
	if (rule->keepalive.said) {
		note.kind = CG_ACTION_KEEPALIVE;
		note.value = rule->keepalive.idle_s;
		note_open(&note, policy->enforce, policy->enforce ? set_keepalive(fd, &rule->keepalive) : 0);
	}
	if (rule->open_user_timeout_ms) {
		uint32_t ms = rule->open_user_timeout_ms;
		note.kind = CG_ACTION_USER_TIMEOUT;
		note.value = ms;
		note_open(&note, policy->enforce,
		          policy->enforce ? set_number(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, ms) : 0);
	}
}

void cg_act_opened(int fd)
{
	struct cg_slot *slot = cg_track_conn(fd);
	if (!slot || slot->role == CG_ROLE_NONE || atomic_load(&cg_guard.sealed))
		return;
	/* A program may ask connect more than once how far it is. */
	if (atomic_load(&slot->flags) & CG_SLOT_ARRANGED)
		return;
	const struct cg_policy *policy = cg_act_enter();
	int rule = policy ? cg_act_rule(policy, fd, slot) : CG_POLICY_NO_RULE;
	if (rule != CG_POLICY_UNDECIDED)
		atomic_fetch_or(&slot->flags, CG_SLOT_ARRANGED);
	if (rule >= 0)
		apply(policy, rule, fd, slot);
	cg_act_leave();
}
