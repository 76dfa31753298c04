/*
 * top_rate.c: keeps a minute of a number's values.
 */
#include "top_rate.h"

#include <string.h>

static const uint64_t second_ns = 1000000000u, spacing_ns = 2000000000u, window_ns = 60000000000u;

static void forget_oldest(struct cg_top_rate *rate)
{
	rate->count--;
	memmove(&rate->points[0], &rate->points[1], rate->count * sizeof rate->points[0]);
}

/* The oldest point is the last one that is a minute old, so that the window is never shorter than it could be. */
static void forget_what_is_over(struct cg_top_rate *rate, uint64_t now_ns)
{
	while (rate->count > 1 && now_ns - rate->points[1].ns >= window_ns)
		forget_oldest(rate);
}

void cg_top_rate_add(struct cg_top_rate *rate, uint64_t ns, uint64_t value)
{
	rate->latest = (struct cg_top_rate_point){ns, value};
	if (rate->count && ns - rate->points[rate->count - 1].ns < spacing_ns)
		return;
	forget_what_is_over(rate, ns);
	if (rate->count == CG_TOP_RATE_POINTS)
		forget_oldest(rate);
	rate->points[rate->count++] = rate->latest;
}

bool cg_top_rate_per_minute(const struct cg_top_rate *rate, double *ret)
{
	uint64_t span_ns = rate->count ? rate->latest.ns - rate->points[0].ns : 0;
	if (span_ns < second_ns)
		return false;
	double change = (double)(int64_t)(rate->latest.value - rate->points[0].value);
	*ret = change * (double)window_ns / (double)span_ns;
	return true;
}
