/* recorder_course.c: a list of points that is thinned out when it is full. */
#include "recorder_course.h"

static const uint64_t first_step_ns = 1000000000u;

/* Of each pair the larger one stays: a peak is what one looks for. The first stays too, since the course began there.
 */
static void thin(struct cg_course *course)
{
	unsigned kept = 1;
	for (unsigned i = 1; i + 1 < course->count; i += 2) {
		const struct cg_count_then *one = &course->points[i], *other = &course->points[i + 1];
		course->points[kept++] = one->count > other->count ? *one : *other;
	}
	course->count = kept;
	course->step_ns *= 2;
}

static void add(struct cg_course *course, uint64_t now_ns, uint32_t count)
{
	struct cg_count_then *last = course->count ? &course->points[course->count - 1] : NULL;
	if (!course->step_ns)
		course->step_ns = first_step_ns;
	if (last && now_ns - last->ns < course->step_ns) {
		last->count = count > last->count ? count : last->count;
		return;
	}
	if (course->count == CG_COURSE_POINTS)
		thin(course);
	course->points[course->count++] = (struct cg_count_then){.ns = now_ns, .count = count};
}

void cg_course_note(struct cg_course *course, uint64_t now_ns, uint32_t count)
{
	uint32_t gen = atomic_load(&course->gen) | 1;
	if (course->count ? course->points[course->count - 1].count == count : !count)
		return;
	atomic_store(&course->gen, gen);
	add(course, now_ns, count);
	atomic_store(&course->gen, gen + 1);
}
