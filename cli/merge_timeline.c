/*
 * merge_timeline.c: how many sockets were in CLOSE_WAIT when, in a bounded number of points.
 */
#include <stdlib.h>
#include <string.h>

#include "merge.h"

/* More than a screen has columns for each of many processes, and a page still draws them at once. */
enum { POINTS_MAX = 4096 };

/* Of each process every second point stays, the first too; where that is all there is, no more are taken. */
static void thin(struct cg_merge *merge)
{
	size_t kept = 0, before = merge->point_count;
	uint32_t *seen = calloc(merge->process_count, sizeof *seen);
	for (size_t i = 0; seen && i < merge->point_count; i++)
		if (seen[merge->points[i].process->index]++ % 2 == 0)
			merge->points[kept++] = merge->points[i];
	merge->point_count = seen ? kept : before;
	if (merge->point_count > before / 4 * 3)
		merge->points_full = true;
	else
		merge->stride *= 2;
	free(seen);
}

static void add(struct cg_merge *merge, struct cg_merge_process *process, int64_t ms)
{
	if (!cg_memory_grow(&merge->memory, (void **)&merge->points, &merge->point_room, merge->point_count,
	                    sizeof *merge->points))
		return;
	merge->points[merge->point_count++] = (struct cg_merge_point){ms, process, process->close_wait};
	process->kept_ms = ms;
}

void cg_merge_timeline(struct cg_merge *merge, struct cg_merge_process *process, int64_t ms)
{
	process->point_ms = ms;
	if (process->points++ % merge->stride || merge->points_full)
		return;
	if (merge->point_count >= POINTS_MAX)
		thin(merge);
	if (merge->point_count < POINTS_MAX)
		add(merge, process, ms);
}

void cg_merge_timeline_at(struct cg_merge *merge, struct cg_merge_process *process, int64_t ms, json_int_t count)
{
	json_int_t now = process->close_wait;
	process->close_wait = count;
	cg_merge_timeline(merge, process, ms);
	process->close_wait = now;
}

static int by_time(const void *a, const void *b)
{
	const struct cg_merge_point *one = a, *other = b;
	if (one->ms != other->ms)
		return one->ms < other->ms ? -1 : 1;
	return (one->process->index > other->process->index) - (one->process->index < other->process->index);
}

void cg_merge_timeline_end(struct cg_merge *merge)
{
	for (size_t i = 0; i < merge->process_count; i++) {
		struct cg_merge_process *process = merge->processes[i];
		if (process->points && process->kept_ms != process->point_ms && merge->point_count < 2 * POINTS_MAX)
			add(merge, process, process->point_ms);
	}
	if (merge->point_count)
		qsort(merge->points, merge->point_count, sizeof *merge->points, by_time);
}
