/* detect_growth.c: two earlier counts, of which the older one is the base until the younger one is old enough. */
#include "detect_growth.h"

static const uint64_t window_ns = 30000000000u, least_ns = 1000000000u, minute_ns = 60000000000u;

void cg_growth_note(struct cg_kept_finding *kept, uint64_t now_ns)
{
	struct cg_count_then now = {.ns = now_ns, .count = kept->count};
	struct cg_count_then *older = &kept->then[0], *younger = &kept->then[1];
	if (!older->ns)
		*older = *younger = now;
	if (now_ns < younger->ns + window_ns)
		return;
	*older = *younger;
	*younger = now;
}

bool cg_growth_per_minute(const struct cg_kept_finding *kept, uint64_t now_ns, int64_t *ret)
{
	const struct cg_count_then *base = &kept->then[0];
	if (!base->ns || now_ns < base->ns + least_ns)
		return false;
	int64_t grown = (int64_t)kept->count - (int64_t)base->count;
	*ret = grown * 10 * (int64_t)(minute_ns / 1000000) / (int64_t)((now_ns - base->ns) / 1000000);
	return true;
}
