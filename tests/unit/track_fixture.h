/* track_fixture.h: events as wrappers tell them, without wrappers. */
#ifndef TRACK_FIXTURE_H
#define TRACK_FIXTURE_H

#include "core_fixture.h"
#include "stack.h"
#include "track.h"
#include "unwind.h"

#include <errno.h>

enum { FD = 20 };

static inline struct cg_header *track_start(void)
{
	struct cg_header *h = core_start();
	cg_unwind_init(CG_STACKS_FP, false);
	cg_guard_tid();
	return h;
}

static inline struct cg_slot *open_as(int fd, enum cg_role role)
{
	cg_track_opening = atomic_load(&cg_track_epoch);
	cg_track_open(fd, CG_CALL_accept4, CG_FD_CONN, role, CG_ORIGIN_SEEN, 0);
	ck_assert_ptr_nonnull(cg_slot_at(fd));
	return cg_slot_at(fd);
}

static inline struct cg_slot *track_open(int fd)
{
	return open_as(fd, CG_ROLE_ACCEPTED);
}

/* A read that returned 0. */
static inline void read_end(int fd, int flags)
{
	cg_track_read(fd, 0, true, flags, CG_CALL_read, 0x5000);
}

/* A read that failed; errno is kept. */
static inline void fails(int fd, int error)
{
	errno = error;
	cg_track_read(fd, -1, true, 0, CG_CALL_read, 0x5000);
	ck_assert_int_eq(errno, error);
}

static inline void write_fails(int fd, int error)
{
	errno = error;
	cg_track_write(fd, -1, CG_CALL_send, 0x5000);
	ck_assert_int_eq(errno, error);
}

static inline struct cg_event *is_event(uint64_t seq, enum cg_event_kind kind, int fd, int error)
{
	struct cg_event *event = cg_recorder_event(seq, false);
	ck_assert_uint_eq(atomic_load(&cg_recorder_header()->count.event_seq), seq + 1);
	ck_assert_ptr_nonnull(event);
	ck_assert_uint_eq(atomic_load(&event->seq), seq);
	ck_assert_uint_eq(atomic_load(&event->kind), kind);
	ck_assert_int_eq(event->fd, fd);
	ck_assert_int_eq(event->error, error);
	return event;
}

static inline unsigned events(void)
{
	return (unsigned)atomic_load(&cg_recorder_header()->count.event_seq) - 1;
}

#endif
