/*
 * recording.c: reads a recorder without believing it.
 */
#include "recording.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FINDING_STRIDE = 256, RETRIES = 20 };

size_t cg_recording_read(const struct cg_recording *recording, uint64_t offset, void *data, size_t n)
{
	size_t got = 0;
	while (got < n) {
		ssize_t r = pread(recording->fd, (char *)data + got, n - got, (off_t)(offset + got));
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			break;
		got += (size_t)r;
	}
	memset((char *)data + got, 0, n - got);
	return got;
}

void cg_recording_pause(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* False where it changed under the reading. */
static bool read_finding(const struct cg_recording *recording, unsigned i, struct cg_kept_finding *ret)
{
	struct cg_kept_finding before;
	uint64_t offset = CG_OFF_FINDINGS + (uint64_t)i * FINDING_STRIDE;
	cg_recording_read(recording, offset, &before, sizeof before);
	cg_recording_read(recording, offset, ret, sizeof *ret);
	ret->label[sizeof ret->label - 1] = '\0';
	return before.gen == ret->gen && !(ret->gen & 1);
}

/* A newer build may have more kinds and causes than this one; numbers far beyond are none. */
static bool is_sound(const struct cg_kept_finding *kept)
{
	enum { MORE = 64 };
	return kept->kind < MORE && kept->cause < MORE && kept->verdict <= CG_VERDICT_INFO &&
	       kept->origin <= CG_ORIGIN_UNSEEN;
}

bool cg_recording_finding(struct cg_recording *recording, unsigned i, struct cg_kept_finding *ret)
{
	bool settled = read_finding(recording, i, ret);
	for (int tries = 0; !settled && tries < RETRIES && recording->alive; tries++) {
		cg_recording_pause();
		settled = read_finding(recording, i, ret);
	}
	if (ret->kind == CG_KIND_NONE || ret->count == 0)
		return false;
	bool sound = is_sound(ret);
	recording->lost_findings += !sound;
	recording->torn_findings += sound && !settled;
	recording->unknown_findings += sound && (ret->kind >= CG_KIND_COUNT || ret->cause >= CG_CAUSE_COUNT);
	return sound;
}

void cg_recording_stack(struct cg_recording *recording, uint32_t id, struct cg_place *place)
{
	struct cg_stack stack;
	uint64_t offset = (id - 1ull) * 8;
	if (!id)
		return;
	bool inside = offset + sizeof stack <= CG_STACK_ARENA;
	if (inside)
		cg_recording_read(recording, CG_OFF_STACK_ARENA + offset, &stack, sizeof stack);
	size_t length = inside ? stack.depth * sizeof stack.ip[0] : 0;
	/* No stack crosses the end of a chunk, so none that does is one. */
	if (!length || stack.depth > CG_MAX_DEPTH || offset % CG_CHUNK_SIZE + sizeof stack + length > CG_CHUNK_SIZE ||
	    cg_recording_read(recording, CG_OFF_STACK_ARENA + offset + sizeof stack, place->ip, length) < length) {
		recording->lost_stacks++;
		return;
	}
	place->depth = stack.depth;
	place->stack_flags = stack.flags;
	place->generation = stack.generation;
}

static bool read_course(const struct cg_recording *recording, struct cg_course *ret)
{
	struct cg_course again;
	if (cg_recording_read(recording, CG_OFF_COURSE, ret, sizeof *ret) < sizeof *ret)
		return false;
	cg_recording_read(recording, CG_OFF_COURSE, &again, offsetof(struct cg_course, points));
	return ret->gen == again.gen && !(ret->gen & 1);
}

bool cg_recording_course(const struct cg_recording *recording, struct cg_course *ret)
{
	bool settled = read_course(recording, ret);
	for (int i = 0; !settled && i < RETRIES && recording->alive; i++) {
		cg_recording_pause();
		settled = read_course(recording, ret);
	}
	unsigned kept = 0, count = ret->count < CG_COURSE_POINTS ? ret->count : CG_COURSE_POINTS;
	uint64_t last = recording->header.start_ns;
	for (unsigned i = 0; settled && i < count; i++) {
		if (ret->points[i].ns < last || ret->points[i].ns > recording->as_of_ns)
			continue;
		last = ret->points[i].ns;
		ret->points[kept++] = ret->points[i];
	}
	ret->count = kept;
	return kept > 0;
}

const struct cg_module *cg_recording_module(const struct cg_recording *recording, uint64_t ip, uint32_t generation)
{
	enum { VALID = 2 };
	for (unsigned i = 0; i < CG_MAX_MODULES; i++) {
		const struct cg_module *m = &recording->modules[i];
		if (m->state == VALID && ip > m->start && ip <= m->end && m->loaded <= generation &&
		    (!m->unloaded || generation < m->unloaded))
			return m;
	}
	return NULL;
}

const struct cg_site *cg_recording_site(const struct cg_recording *recording, uint32_t stack)
{
	for (unsigned i = 0; stack && i < CG_MAX_SITES; i++)
		if (recording->sites[i].stack == stack)
			return &recording->sites[i];
	return NULL;
}

/* The next offset with something in it, at the start of a chunk; `at` where holes cannot be told. */
static uint64_t skip_hole(const struct cg_recording *recording, uint64_t at)
{
	off_t data = lseek(recording->fd, (off_t)at, SEEK_DATA);
	if (data < 0)
		return errno == ENXIO ? CG_RECORD_SIZE : at;
	return (uint64_t)data & ~(uint64_t)(CG_CHUNK_SIZE - 1);
}

void cg_recording_slots(const struct cg_recording *recording, cg_slot_visit *visit, void *context)
{
	struct cg_slot slots[CG_CHUNK_SIZE / sizeof(struct cg_slot)];
	uint64_t end = recording->size < CG_RECORD_SIZE ? recording->size : CG_RECORD_SIZE;
	for (uint64_t at = CG_OFF_SLOTS; at < end; at += sizeof slots) {
		at = skip_hole(recording, at);
		if (at >= end)
			return;
		cg_recording_read(recording, at, slots, sizeof slots);
		for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++)
			if (slots[i].kind != CG_FD_NONE && !(slots[i].gen & 1))
				visit((int)((at - CG_OFF_SLOTS) / sizeof slots[0] + i), &slots[i], context);
	}
}
