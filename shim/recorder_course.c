/* recorder_course.c: a list of points that is thinned out when it is full. */
#include "recorder_course.h"

static const uint64_t first_step_ns = 1000000000u;

/*
 * Of each pair the larger one stays: a peak is what one looks for. The first stays too, since the course began there.
 * Returns how many are left of `count`.
 */
static uint32_t thin(struct cg_course *course, uint32_t count)
{
	uint32_t kept = 1;
	for (uint32_t i = 1; i + 1 < count; i += 2) {
		const struct cg_count_then *one = &course->points[i], *other = &course->points[i + 1];
		course->points[kept++] = one->count > other->count ? *one : *other;
	}
	course->step_ns *= 2;
	return kept;
}

/* Returns how many points there are then. */
static uint32_t add(struct cg_course *course, uint32_t points, uint64_t now_ns, uint32_t count)
{
	struct cg_count_then *last = points ? &course->points[points - 1] : NULL;
	if (!course->step_ns)
		course->step_ns = first_step_ns;
	if (last && now_ns - last->ns < course->step_ns) {
		last->count = count > last->count ? count : last->count;
		return points;
	}
	if (points == CG_COURSE_POINTS)
		points = thin(course, points);
	course->points[points] = (struct cg_count_then){.ns = now_ns, .count = count};
	return points + 1;
}

/* The program can write to what is mapped: how many there are is read once, and is believed as far as there is room. */
void cg_course_note(struct cg_course *course, uint64_t now_ns, uint32_t count)
{
	uint32_t gen = atomic_load(&course->gen) | 1, points = *(volatile uint32_t *)&course->count;
	if (points > CG_COURSE_POINTS)
		points = CG_COURSE_POINTS;
	if (points ? course->points[points - 1].count == count : !count)
		return;
	atomic_store(&course->gen, gen);
	course->count = add(course, points, now_ns, count);
	atomic_store(&course->gen, gen + 1);
}
