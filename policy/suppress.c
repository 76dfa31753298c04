/* suppress.c: findings that a policy bears, and frames that it passes over. */
#include <string.h>

#include "policy.h"

/* A module may come with its folder; the pattern may leave that out. */
static bool is_frame(const char *glob, const struct cg_policy_frame *frame)
{
	const char *slash = strrchr(frame->module, '/');
	return (frame->function[0] && cg_policy_glob(glob, frame->function)) || cg_policy_glob(glob, frame->module) ||
	       (slash && cg_policy_glob(glob, slash + 1));
}

/* The first frame that fits is as good as any: what comes after it is the most that can be left for the next glob. */
static bool is_stack(const struct cg_policy_suppression *suppression, const struct cg_policy_frame *stack,
                     unsigned count)
{
	unsigned found = 0;
	for (unsigned i = 0; i < count && found < suppression->glob_count; i++)
		found += is_frame(suppression->stack[found], &stack[i]);
	return found == suppression->glob_count;
}

static bool is_any_stack(const struct cg_policy_suppression *suppression, const struct cg_policy_frame *const stacks[],
                         const unsigned counts[], unsigned stack_count)
{
	if (!suppression->glob_count)
		return true;
	for (unsigned i = 0; i < stack_count; i++)
		if (is_stack(suppression, stacks[i], counts[i]))
			return true;
	return false;
}

bool cg_policy_passes_over(const struct cg_policy *policy, const char *function, const char *module)
{
	const struct cg_policy_frame frame = {function, module};
	for (unsigned i = 0; i < policy->pass_over_count; i++)
		if (is_frame(policy->pass_over[i], &frame))
			return true;
	return false;
}

static bool is_word(const char *wanted, const char *word)
{
	return !wanted[0] || strcmp(wanted, word) == 0;
}

int cg_policy_suppressed_by(const struct cg_policy_suppression *list, unsigned count, const char *kind,
                            const char *cause, const struct cg_policy_frame *const stacks[], const unsigned counts[],
                            unsigned stack_count)
{
	for (unsigned i = 0; i < count; i++)
		if (is_word(list[i].kind, kind) && is_word(list[i].cause, cause) &&
		    is_any_stack(&list[i], stacks, counts, stack_count))
			return (int)i;
	return -1;
}

int cg_policy_suppressed(const struct cg_policy *policy, const char *kind, const char *cause,
                         const struct cg_policy_frame *const stacks[], const unsigned counts[], unsigned stack_count)
{
	return cg_policy_suppressed_by(policy->suppressions, policy->suppression_count, kind, cause, stacks, counts,
	                               stack_count);
}
