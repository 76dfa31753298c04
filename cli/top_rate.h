/*
 * top_rate.h: how fast a number grows: its change over the last minute, or since it was first seen.
 */
#ifndef CG_TOP_RATE_H
#define CG_TOP_RATE_H

#include <stdbool.h>
#include <stdint.h>

/* One kept every two seconds covers the minute. */
enum { CG_TOP_RATE_POINTS = 31 };

struct cg_top_rate_point {
	uint64_t ns, value;
};

struct cg_top_rate {
	unsigned count; /* of points, the oldest first */
	struct cg_top_rate_point points[CG_TOP_RATE_POINTS];
	struct cg_top_rate_point latest;
};

/* The number's value at a time (CLOCK_MONOTONIC nanoseconds), which does not go back. */
void cg_top_rate_add(struct cg_top_rate *rate, uint64_t ns, uint64_t value);

/* The change per minute; false where it was not watched for a second yet. */
bool cg_top_rate_per_minute(const struct cg_top_rate *rate, double *ret);

#endif
