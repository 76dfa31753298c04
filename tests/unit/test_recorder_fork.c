/* test_recorder_fork.c: after a fork the child's recorder is its own, and the parent's is untouched. */
#include "core_fixture.h"
#include "fork.h"
#include "ownfd.h"
#include "stack.h"
#include "track.h"
#include "track_inherit.h"
#include "unit.h"
#include "unwind.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* Forks as the library's atfork handlers do; the child's answer is the number of the check that failed, or 0. */
static int in_child(int (*what)(void *), void *argument)
{
	int status = -1;
	cg_fork_before();
	pid_t pid = fork();
	if (pid == 0) {
		cg_fork_child();
		_exit(what(argument));
	}
	cg_fork_parent();
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

#define EXPECT(number, condition)                                                                                      \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			return number;                                                                                 \
	} while (0)

static bool is_mapped(void *p)
{
	unsigned char resident;
	return mincore(p, 4096, &resident) == 0 || errno != ENOMEM;
}

struct parent {
	struct cg_header *header;
	struct cg_slot *slot;
	uint32_t stack;
	int fd;
};

static int has_nothing_of_the_parents(void *argument)
{
	const struct parent *parent = argument;
	EXPECT(1, !cg_recorder_header());
	EXPECT(2, !cg_slot_at(20));
	EXPECT(3, !cg_recorder_slot(20, true));
	EXPECT(4, !is_mapped(parent->header));
	EXPECT(5, !is_mapped((void *)((uintptr_t)parent->slot & ~4095ul))); // NOLINT(performance-no-int-to-ptr)
	EXPECT(6, fcntl(parent->fd, F_GETFD) < 0);
	EXPECT(7, !cg_ownfd_is(parent->fd));
	cg_recorder_finish(CG_STATE_EXITED); /* a child that ends without sockets: the parent's file stays */
	return 0;
}

static struct parent new_parent(void)
{
	uint64_t ip[] = {1 << 20, 2 << 20};
	struct cg_header *h = core_start();
	struct parent parent = {h, cg_recorder_slot(20, true), cg_stack_intern(ip, 2, 0), atomic_load(&h->fd)};
	parent.slot->open_ns = 4711;
	return parent;
}

START_TEST(a_child_without_sockets_has_no_recorder)
{
	char path[512];
	struct parent parent = new_parent();
	ck_assert_int_eq(in_child(has_nothing_of_the_parents, &parent), 0);
	core_only_file(path);
	ck_assert(cg_ownfd_valid(parent.fd));
	ck_assert_ptr_eq(cg_slot_at(20), parent.slot);
	ck_assert_uint_eq(parent.slot->open_ns, 4711);
	ck_assert_uint_eq(atomic_load(&parent.header->state), CG_STATE_LIVE);
}
END_TEST

static int makes_its_own(void *argument)
{
	char path[512];
	(void)argument;
	struct cg_header *h = cg_recorder_start();
	EXPECT(1, h && h->pid == getpid());
	EXPECT(2, core_entries(core_dir, path) == 2);
	EXPECT(3, cg_recorder_slot(20, true)->open_ns == 0);
	cg_recorder_slot(20, true)->open_ns = 1;
	cg_recorder_finish(CG_STATE_EXITED);
	EXPECT(4, core_entries(core_dir, path) == 1);
	return 0;
}

START_TEST(a_child_makes_its_own)
{
	char path[512];
	struct cg_header h;
	struct parent parent = new_parent();
	ck_assert_int_eq(in_child(makes_its_own, &parent), 0);
	core_only_file(path);
	int fd = open(path, O_RDONLY);
	ck_assert_int_eq(read(fd, &h, sizeof h), sizeof h);
	ck_assert_int_eq(h.pid, getpid());
	ck_assert_uint_eq(atomic_load(&h.state), CG_STATE_LIVE);
	ck_assert_uint_eq(parent.slot->open_ns, 4711);
}
END_TEST

static int still_reads_old_stacks(void *argument)
{
	const struct parent *parent = argument;
	const struct cg_stack *old = cg_recorder_old_stack(parent->stack);
	EXPECT(1, old && old->depth == 2 && old->ip[0] == 1 << 20 && old->ip[1] == 2 << 20);
	EXPECT(2, !cg_recorder_old_stack(0));
	EXPECT(3, !cg_recorder_old_stack(CG_STACK_ARENA / 8 + 1));
	EXPECT(4, !cg_stack_get(parent->stack));
	cg_recorder_start();
	EXPECT(5, !cg_stack_get(parent->stack));
	EXPECT(6, cg_recorder_old_stack(parent->stack) == old);
	cg_recorder_drop_old();
	EXPECT(7, !cg_recorder_old_stack(parent->stack));
	EXPECT(8, !is_mapped((void *)((uintptr_t)old & ~4095ul))); // NOLINT(performance-no-int-to-ptr)
	return 0;
}

START_TEST(the_parents_stacks_can_be_read_until_they_are_dropped)
{
	struct parent parent = new_parent();
	ck_assert_int_eq(in_child(still_reads_old_stacks, &parent), 0);
	ck_assert_ptr_nonnull(cg_stack_get(parent.stack));
}
END_TEST

static int takes_over_the_socket(void *argument)
{
	const int *fds = argument;
	EXPECT(1, cg_inherit_has(fds[0]));
	EXPECT(2, atomic_load(&cg_guard.inherited));
	EXPECT(3, cg_track_ready() != NULL);
	struct cg_slot *slot = cg_slot_at(fds[0]);
	EXPECT(4, slot && atomic_load(&slot->kind) == CG_FD_CONN);
	EXPECT(5, slot->origin == CG_ORIGIN_INHERITED && (atomic_load(&slot->flags) & CG_SLOT_INHERITED));
	EXPECT(6, slot->conn == 1 && slot->role == CG_ROLE_ACCEPTED && slot->open_call == CG_CALL_accept4);
	EXPECT(7, cg_stack_get(slot->open_stack) && cg_stack_get(slot->open_stack)->depth > 1);
	EXPECT(8, atomic_load(&cg_recorder_header()->open_now) == 1);
	EXPECT(9, atomic_load(&cg_recorder_header()->next_conn) >= 2);
	EXPECT(10, !cg_slot_at(fds[1]) || atomic_load(&cg_slot_at(fds[1])->kind) == CG_FD_NONE);
	return 0;
}

START_TEST(open_sockets_are_handed_over)
{
	core_watch(core_dir);
	cg_unwind_init(CG_STACKS_FP, false);
	int fds[2] = {socket(AF_INET, SOCK_STREAM, 0), socket(AF_INET, SOCK_STREAM, 0)};
	ck_assert_int_ge(fds[1], 0);
	cg_track_open(fds[0], CG_CALL_accept4, CG_FD_CONN, CG_ROLE_ACCEPTED, CG_ORIGIN_SEEN, 0);
	cg_track_open(fds[1], CG_CALL_accept4, CG_FD_CONN, CG_ROLE_ACCEPTED, CG_ORIGIN_SEEN, 0);
	cg_track_retire(fds[1], CG_CALL_close, 0);
	close(fds[1]);
	ck_assert_int_eq(in_child(takes_over_the_socket, fds), 0);
	ck_assert_int_eq(cg_slot_at(fds[0])->origin, CG_ORIGIN_SEEN);
	ck_assert(!cg_inherit_has(fds[0]));
}
END_TEST

static void cases(TCase *tc)
{
	core_fixtures(tc);
	tcase_add_test(tc, a_child_without_sockets_has_no_recorder);
	tcase_add_test(tc, a_child_makes_its_own);
	tcase_add_test(tc, the_parents_stacks_can_be_read_until_they_are_dropped);
	tcase_add_test(tc, open_sockets_are_handed_over);
}
