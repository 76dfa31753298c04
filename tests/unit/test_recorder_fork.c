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
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* Forks as the library's atfork handlers do; the child's answer is the number of the check that failed, or 0. */
static int in_child(int (*what)(void *), void *argument)
{
	int status = -1;
	cg_fork_before(true);
	pid_t pid = fork();
	if (pid == 0) {
		cg_fork_child(true);
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

/* Is any part of a recorder in this process's memory? */
static bool maps_a_recorder(void)
{
	char line[512];
	bool found = false;
	FILE *maps = fopen("/proc/self/maps", "re");
	while (maps && fgets(line, sizeof line, maps))
		found |= strstr(line, ".rec") != NULL;
	return fclose(maps) != 0 || found;
}

static int has_no_page_of_it(void *argument)
{
	(void)argument;
	return maps_a_recorder();
}

/* The kernel's own fork, of which no handler tells: the child may be anything. */
static int in_raw_child(int (*what)(void *))
{
	int status = -1;
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		_exit(what(NULL));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* A child that gives up its rights could write to what its parent, which has them still, goes by. */
START_TEST(no_part_of_the_recorder_is_in_a_child)
{
	struct parent parent = new_parent();
	ck_assert_ptr_nonnull(cg_recorder_module(0, true));
	ck_assert_ptr_nonnull(cg_recorder_event(1, true));
	ck_assert(maps_a_recorder());
	ck_assert_int_eq(in_child(has_no_page_of_it, NULL), 0);
	if (!CORE_TSAN) /* its runtime does not bear one */
		ck_assert_int_eq(in_raw_child(has_no_page_of_it), 0);
	ck_assert(core_stack(parent.stack) != NULL);
}
END_TEST

static struct cg_stack_copy opened_at; /* as the parent has it */

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
	EXPECT(7, core_stack(slot->open_stack) && core_stack(slot->open_stack)->depth == opened_at.depth);
	EXPECT(11, memcmp(core_stack(slot->open_stack)->ip, opened_at.ip, opened_at.depth * sizeof(uint64_t)) == 0);
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
	ck_assert(cg_stack_read(cg_slot_at(fds[0])->open_stack, &opened_at));
	ck_assert_uint_gt(opened_at.depth, 1);
	ck_assert_int_eq(in_child(takes_over_the_socket, fds), 0);
	ck_assert_int_eq(cg_slot_at(fds[0])->origin, CG_ORIGIN_SEEN);
	ck_assert(!cg_inherit_has(fds[0]));
}
END_TEST

enum { PLACES = 700, HANDED_OVER = 512 };

/* As many places as there is room for come along, each socket with its own or with none. */
static int knows_its_places(void *argument)
{
	unsigned with = 0;
	(void)argument;
	EXPECT(1, cg_track_ready() != NULL);
	for (int fd = 100; fd < 100 + PLACES; fd++) {
		const struct cg_slot *slot = cg_slot_at(fd);
		const struct cg_stack_copy *stack = slot ? core_stack(slot->open_stack) : NULL;
		EXPECT(2, slot && atomic_load(&slot->kind) == CG_FD_CONN);
		EXPECT(3, !stack || (stack->depth == 2 && stack->ip[0] == 0x10000u + (unsigned)fd));
		with += stack != NULL;
	}
	EXPECT(4, with == HANDED_OVER);
	return 0;
}

START_TEST(every_place_of_many_is_handed_over)
{
	struct rlimit limit = {1024, 1024};
	setrlimit(RLIMIT_NOFILE, &limit);
	core_start();
	int first = socket(AF_INET, SOCK_STREAM, 0);
	for (int fd = 100; fd < 100 + PLACES; fd++) {
		uint64_t ip[] = {0x10000u + (unsigned)fd, 1 << 20};
		ck_assert_int_eq(dup2(first, fd), fd);
		cg_track_open(fd, CG_CALL_accept4, CG_FD_CONN, CG_ROLE_ACCEPTED, CG_ORIGIN_SEEN, 0);
		cg_slot_at(fd)->open_stack = cg_stack_intern(ip, 2, 0);
	}
	ck_assert_int_eq(in_child(knows_its_places, NULL), 0);
}
END_TEST

static void cases(TCase *tc)
{
	core_fixtures(tc);
	tcase_add_test(tc, a_child_without_sockets_has_no_recorder);
	tcase_add_test(tc, a_child_makes_its_own);
	tcase_add_test(tc, no_part_of_the_recorder_is_in_a_child);
	tcase_add_test(tc, every_place_of_many_is_handed_over);
	tcase_add_test(tc, open_sockets_are_handed_over);
}
