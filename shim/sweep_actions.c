/* sweep_actions.c: what the log is told of the policy's decisions, and of what a policy could do. */
#include <string.h>
#include <sys/mman.h>

#include "act_parts.h"
#include "calls.h"
#include "policy.h"
#include "recorder.h"
#include "stack.h"
#include "sweep_policy.h"
#include "sweep_suppress.h"
#include "sys.h"

/* A busy rule has a line a minute, and whenever its count has doubled. */
static const uint64_t quiet_ns = 60000000000u;

static void fill_place(const struct cg_action *action, struct cg_place *ret)
{
	struct cg_stack_copy stack;
	memset(ret, 0, sizeof *ret);
	ret->known = action->call != CG_CALL_NONE;
	ret->call = action->call;
	if (!cg_stack_read(action->stack, &stack))
		return;
	ret->depth = stack.depth;
	ret->stack_flags = stack.flags;
	ret->generation = stack.generation;
	memcpy(ret->ip, stack.ip, stack.depth * sizeof stack.ip[0]);
}

static void view_of(const struct cg_action *noted, uint64_t count, struct cg_action_view *ret)
{
	struct cg_action *action = &ret->action;
	memcpy(action, noted, sizeof *action);
	action->rule_name[sizeof action->rule_name - 1] = '\0';
	ret->total = atomic_load(&action->count);
	ret->count = count;
	ret->used_again = atomic_load(&action->used_again);
	ret->option = action->kind == CG_ACTION_SETSOCKOPT ? cg_policy_option_name(action->level, action->name) : NULL;
	fill_place(action, &ret->place);
}

static bool is_due(const struct cg_sweep *sweep, const struct cg_action *action, uint64_t count, bool all)
{
	bool rare = action->kind == CG_ACTION_REAP || action->kind == CG_ACTION_FIN_WAIT2;
	if (atomic_load(&action->used_again) != action->logged_again && (all || rare))
		return true;
	return count > action->logged && (all || rare || !action->logged || count >= 2 * action->logged ||
	                                  sweep->now_ns - action->logged_ns >= quiet_ns);
}

static struct cg_action *action_at(unsigned *i)
{
	struct cg_action *action = cg_recorder_action(*i, false);
	if (!action)
		*i |= CG_CHUNK_SIZE / 256 - 1;
	return action && atomic_load(&action->key) && atomic_load(&action->kind) ? action : NULL;
}

bool cg_sweep_policy_has_news(const struct cg_sweep *sweep, bool all)
{
	for (unsigned i = 0; i < CG_MAX_ACTIONS; i++) {
		const struct cg_action *action = action_at(&i);
		if (action && is_due(sweep, action, atomic_load(&action->count), all))
			return true;
	}
	return false;
}

unsigned cg_sweep_policy_news(struct cg_sweep *sweep, bool all, struct cg_action_view *ret, unsigned max)
{
	unsigned n = 0;
	for (unsigned i = 0; i < CG_MAX_ACTIONS && n < max; i++) {
		struct cg_action *action = action_at(&i);
		uint64_t count = action ? atomic_load(&action->count) : 0;
		if (!action || !is_due(sweep, action, count, all))
			continue;
		view_of(action, count - action->logged, &ret[n++]);
		action->logged = count;
		action->logged_again = atomic_load(&action->used_again);
		action->logged_ns = sweep->now_ns;
	}
	return n;
}

unsigned cg_sweep_policy_totals(struct cg_action_view *ret, unsigned max)
{
	unsigned n = 0;
	for (unsigned i = 0; i < CG_MAX_ACTIONS && n < max; i++) {
		struct cg_action *action = action_at(&i);
		if (action)
			view_of(action, atomic_load(&action->count), &ret[n++]);
	}
	return n;
}

enum { NAMES = 128, PLACES = 4 };

/* The names of one stack's frames, as suppressions compare them. */
struct named {
	struct cg_frame frames[NAMES];
	struct cg_policy_frame names[NAMES];
	unsigned count;
};

static void name_place(const struct cg_place *place, const struct cg_report *report, struct named *ret)
{
	ret->count = 0;
	for (unsigned at = 0; place->known && at < place->depth && ret->count + CG_FRAMES_PER_IP <= NAMES; at++)
		ret->count += report->resolve(report->resolve_context, place->ip[at], place->generation,
		                              &ret->frames[ret->count], CG_FRAMES_PER_IP);
	for (unsigned i = 0; i < ret->count; i++)
		ret->names[i] = (struct cg_policy_frame){ret->frames[i].function, ret->frames[i].module};
}

/* One sweep at a time uses it; mapped for the first policy that suppresses anything. */
static struct named *room_for_names(void)
{
	static struct named *room;
	if (!room) {
		void *made = cg_sys_mmap(NULL, PLACES * sizeof *room, PROT_READ | PROT_WRITE,
		                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		room = cg_sys_failed(made) ? NULL : made;
	}
	return room;
}

/* Which of the list bears it, as far as the names and the number of its sockets tell; NULL: none. */
static const struct cg_policy_suppression *find_in(const struct cg_policy_suppression *list, unsigned count,
                                                   const struct cg_finding *finding, const struct cg_report *report)
{
	const struct cg_place *places[PLACES] = {&finding->opened, &finding->eof, &finding->last_use, &finding->here};
	const struct cg_policy_frame *names[PLACES];
	unsigned counts[PLACES];
	struct named *stacks = count ? room_for_names() : NULL;
	if (!stacks)
		return NULL;
	for (unsigned i = 0; i < PLACES; i++) {
		name_place(places[i], report, &stacks[i]);
		names[i] = stacks[i].names;
		counts[i] = stacks[i].count;
	}
	int found = cg_policy_suppressed_by(list, count, cg_kind_name(finding->kind), cg_cause_name(finding->cause),
	                                    names, counts, PLACES);
	return found < 0 || finding->count > list[found].max ? NULL : &list[found];
}

const char *cg_sweep_policy_suppresses(const struct cg_finding *finding, const struct cg_report *report)
{
	const struct cg_policy *policy = cg_act_enter();
	cg_act_leave(); /* only the sweep replaces it */
	const struct cg_policy_suppression *found =
	    policy ? find_in(policy->suppressions, policy->suppression_count, finding, report) : NULL;
	if (!found)
		return NULL;
	return found->reason[0] ? found->reason : "no reason given";
}

bool cg_sweep_bears(struct cg_kept_finding *kept, struct cg_finding *finding, const struct cg_report *report)
{
	unsigned count = 0;
	bool may_be = finding->verdict != CG_VERDICT_INFO || kept->suppressed == CG_SUPPRESSED_AS_SHIPPED;
	const struct cg_policy_suppression *list = may_be ? cg_sweep_shipped(&count) : NULL;
	const struct cg_policy_suppression *found = list ? find_in(list, count, finding, report) : NULL;
	struct cg_buf text;
	if (!found)
		return false;
	kept->suppressed = CG_SUPPRESSED_AS_SHIPPED;
	kept->verdict = finding->verdict = CG_VERDICT_INFO;
	finding->advice = cg_detect_advice(finding->kind, finding->cause, CG_VERDICT_INFO, false);
	cg_buf_init(&text, finding->suppressed, sizeof finding->suppressed);
	cg_buf_str(&text, found->reason);
	return true;
}

bool cg_sweep_policy_passes_over(const struct cg_frame *frame)
{
	const struct cg_policy *policy = cg_act_enter();
	cg_act_leave(); /* only the sweep replaces it */
	return policy && cg_policy_passes_over(policy, frame->function, frame->module);
}

/* The function that opened it, or its module: what a rule's site can name. */
static const char *site_of(const struct cg_finding *finding, const struct cg_report *report, struct cg_frame *frames)
{
	const struct cg_place *place = &finding->opened;
	for (unsigned at = 0; place->known && at < place->depth; at++) {
		unsigned n = report->resolve(report->resolve_context, place->ip[at], place->generation, frames,
		                             CG_FRAMES_PER_IP);
		for (unsigned i = 0; i < n; i++)
			if (frames[i].function[0])
				return frames[i].function;
	}
	return place->known && place->depth ? frames[0].module : "";
}

/* A name as it stands in a glob within a string: what is special in either is escaped. */
static void put_glob(struct cg_buf *out, const char *name)
{
	for (; *name; name++) {
		if (strchr("*?[]\\", *name))
			cg_buf_str(out, "\\\\");
		if (*name == '"' || (unsigned char)*name < ' ')
			cg_buf_char(out, '?');
		else
			cg_buf_char(out, *name);
	}
}

static bool can_be_reaped(const struct cg_finding *finding)
{
	return finding->verdict == CG_VERDICT_LEAK && finding->kind == CG_KIND_CLOSE_WAIT &&
	       (finding->cause == CG_CAUSE_EOF_IGNORED || finding->cause == CG_CAUSE_DATA_UNREAD ||
	        finding->cause == CG_CAUSE_FIN_UNREAD);
}

void cg_sweep_policy_suggest(struct cg_finding *finding, const struct cg_report *report)
{
	struct cg_frame frames[CG_FRAMES_PER_IP];
	struct cg_buf out;
	cg_buf_init(&out, finding->suggested_rule, sizeof finding->suggested_rule);
	if (!can_be_reaped(finding))
		return;
	const char *site = site_of(finding, report, frames);
	unsigned call = finding->opened.call;
	bool accepted = call == CG_CALL_accept || call == CG_CALL_accept4;
	bool connected = finding->connected.known || call == CG_CALL_socket || call == CG_CALL_connect;
	cg_buf_str(&out, "{ name = \"leak\"; match = {");
	if (accepted || connected)
		cg_buf_fmt(&out, " role = \"%s\";", accepted ? "accepted" : "connected");
	if (*site) {
		cg_buf_str(&out, " site = \"");
		put_glob(&out, site);
		cg_buf_str(&out, "\";");
	}
	cg_buf_str(&out, " }; eof = { reap_after = \"5m\"; }; }");
	if (out.truncated)
		finding->suggested_rule[0] = '\0';
}
