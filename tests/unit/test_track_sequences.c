/* test_track_sequences.c: the slots stay right over any sequence of events, from many threads, and where none may
 * count. */
#include "clock.h"
#include "core_fixture.h"
#include "track_fixture.h"
#include "unit.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { FDS = 6, STEPS = 20000, THREADS = 4, ROUNDS = CORE_SANITIZED ? 10000 : 100000 };

/* What the slots have to say, kept in the plainest way. */
struct model {
	uint8_t kind[FDS];
	unsigned renewed[FDS]; /* how often the number was given out or forgotten */
	struct token {
		struct cg_retired retired;
		unsigned renewed;
		int fd;
		uint8_t kind;
	} token;
};

static bool is_live(uint8_t kind)
{
	return kind == CG_FD_CONN || kind == CG_FD_LISTENER;
}

static uint32_t gen_of(int n)
{
	return cg_slot_at(FD + n) ? atomic_load(&cg_slot_at(FD + n)->gen) : 0;
}

static void retire_one(struct model *m, int n)
{
	struct token token = {cg_track_retire(FD + n, CG_CALL_close, 0), m->renewed[n], n, m->kind[n]};
	ck_assert_int_eq(token.retired.slot != NULL, is_live(m->kind[n]));
	if (!token.retired.slot)
		return;
	m->kind[n] = CG_FD_CLOSED;
	m->token = token;
}

static void unretire_last(struct model *m)
{
	struct token *token = &m->token;
	cg_track_unretire(token->retired);
	if (token->retired.slot && token->renewed == m->renewed[token->fd] && m->kind[token->fd] == CG_FD_CLOSED)
		m->kind[token->fd] = token->kind;
}

static void forget_one(struct model *m, int n)
{
	cg_track_forget(FD + n);
	m->renewed[n] += m->kind[n] != CG_FD_NONE;
	m->kind[n] = CG_FD_NONE;
}

static void dup_one(struct model *m, int n, int to)
{
	cg_track_dup(FD + n, FD + to, CG_CALL_dup2);
	if (n == to && is_live(m->kind[n]))
		return;
	m->renewed[to] += is_live(m->kind[n]) || m->kind[to] != CG_FD_NONE;
	m->kind[to] = is_live(m->kind[n]) ? m->kind[n] : CG_FD_NONE;
}

static void open_one(struct model *m, int n)
{
	track_open(FD + n);
	m->renewed[n]++;
	m->kind[n] = CG_FD_CONN;
}

static void step(struct model *m)
{
	int n = rand() % FDS, to = rand() % FDS;
	switch (rand() % 7) {
	case 0:
	case 1:
		open_one(m, n);
		break;
	case 2:
		retire_one(m, n);
		break;
	case 3:
		unretire_last(m);
		break;
	case 4:
		forget_one(m, n);
		break;
	case 5:
		dup_one(m, n, to);
		break;
	default:
		cg_track_listen(FD + n);
		m->kind[n] = is_live(m->kind[n]) ? CG_FD_LISTENER : m->kind[n];
	}
}

START_TEST(slots_and_open_now_are_right_after_every_step)
{
	struct cg_header *h = core_start();
	struct model model = {0}, before;
	srand(4711);
	for (unsigned i = 0; i < STEPS; i++) {
		uint32_t gens[FDS];
		unsigned open = 0;
		before = model;
		for (int n = 0; n < FDS; n++)
			gens[n] = gen_of(n);
		step(&model);
		for (int n = 0; n < FDS; n++) {
			struct cg_slot *slot = cg_slot_at(FD + n);
			open += is_live(model.kind[n]);
			if ((slot ? atomic_load(&slot->kind) : CG_FD_NONE) != model.kind[n])
				ck_abort_msg("step %u: slot %d is not as it should be", i, n);
			if (gen_of(n) % 2 || (gen_of(n) != gens[n]) != (model.renewed[n] != before.renewed[n]))
				ck_abort_msg("step %u: gen %u of slot %d", i, gen_of(n), n);
		}
		if (atomic_load(&h->open_now) != open)
			ck_abort_msg("step %u: open_now %u, not %u", i, atomic_load(&h->open_now), open);
	}
}
END_TEST

static void *open_and_retire(void *argument)
{
	int fd = FD + (int)(intptr_t)argument;
	for (unsigned i = 0; i < ROUNDS; i++) {
		CG_EVENT(cg_track_open(fd, CG_CALL_socket, CG_FD_CONN, CG_ROLE_NONE, CG_ORIGIN_SEEN, 0));
		cg_track_used(fd, CG_CALL_read, 1);
		CG_EVENT(cg_track_retire(fd, CG_CALL_close, 0));
	}
	CG_EVENT(cg_track_open(fd, CG_CALL_socket, CG_FD_CONN, CG_ROLE_NONE, CG_ORIGIN_SEEN, 0));
	return NULL;
}

START_TEST(threads_with_descriptors_of_their_own_agree)
{
	pthread_t threads[THREADS];
	core_watch(core_dir); /* which of them makes the recorder is open too */
	for (intptr_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, open_and_retire, (void *)i), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	struct cg_header *h = cg_recorder_header();
	ck_assert_uint_eq(atomic_load(&h->open_now), THREADS);
	ck_assert_uint_eq(atomic_load(&h->count.opened), THREADS * (ROUNDS + 1));
	ck_assert_uint_eq(atomic_load(&h->count.closed), THREADS * ROUNDS);
	ck_assert_uint_eq(atomic_load(&h->next_conn), THREADS * (ROUNDS + 1) + 1);
	ck_assert_uint_eq(cg_recorder_fd_end(), FD + THREADS);
	for (int i = 0; i < THREADS; i++)
		ck_assert_uint_eq(atomic_load(&cg_slot_at(FD + i)->kind), CG_FD_CONN);
}
END_TEST

START_TEST(a_vfork_child_writes_nothing)
{
	struct cg_header *h = track_start();
	struct cg_slot before, *slot = track_open(FD);
	memcpy(&before, slot, sizeof before);
	atomic_store(&cg_self.pid, getpid() + 1); /* as it looks to a child that shares this memory */
	CG_EVENT(cg_track_open(FD, CG_CALL_socket, CG_FD_CONN, CG_ROLE_NONE, CG_ORIGIN_SEEN, 0));
	CG_EVENT(cg_track_retire(FD, CG_CALL_close, 1));
	CG_EVENT(cg_track_forget(FD));
	CG_EVENT(cg_track_dup(FD, FD + 1, CG_CALL_dup));
	read_end(FD, 0);
	fails(FD, ECONNRESET);
	ck_assert_mem_eq(slot, &before, sizeof before);
	ck_assert(!cg_track_knows(FD + 1));
	ck_assert_uint_eq(atomic_load(&h->open_now), 1);
	ck_assert_uint_eq(atomic_load(&h->next_conn), 2);
	atomic_store(&cg_self.pid, getpid());
	read_end(FD, 0);
	ck_assert_uint_eq(atomic_load(&slot->flags), CG_SLOT_EOF);
}
END_TEST

/* Nothing but what a program that computes and answers needs; all else ends the process. */
static int enter_sandbox(void)
{
#define ALLOW(name) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
	struct sock_filter filter[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    ALLOW(read),
	    ALLOW(write),
	    ALLOW(exit_group),
	    ALLOW(rt_sigreturn),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -1 : prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void every_event(int fd)
{
	CG_EVENT(cg_track_open(fd, CG_CALL_accept4, CG_FD_CONN, CG_ROLE_ACCEPTED, CG_ORIGIN_SEEN, 0));
	CG_EVENT(cg_track_dup(fd, fd + 1, CG_CALL_dup));
	CG_EVENT(cg_track_connect(fd, 0, 0));
	cg_track_read(fd, 1, true, 0, CG_CALL_read, 1);
	cg_track_write(fd, 1, CG_CALL_send, 1);
	read_end(fd, MSG_PEEK);
	read_end(fd, 0);
	fails(fd, ECONNRESET);
	write_fails(fd, EPIPE);
	CG_EVENT(cg_track_shutdown(fd, SHUT_RDWR));
	CG_EVENT(cg_track_polled(fd, false); cg_track_stdio(fd); cg_track_sent(fd); cg_track_spawned());
	CG_EVENT(cg_track_listen(fd + 1));
	CG_EVENT(cg_track_exhausted(fd, CG_CALL_accept4, EMFILE));
	cg_track_first_use(fd);
	cg_track_close_row(fd, 1);
	CG_EVENT(cg_track_unretire(cg_track_retire(fd, CG_CALL_close, 0x1000)));
	CG_EVENT(cg_track_retire(fd, CG_CALL_close, 0x1000));
	CG_EVENT(cg_track_close_failed(fd, CG_CALL_close, 1));
	fails(fd, EBADF);
	CG_EVENT(cg_track_forget(fd + 1));
}

static int events_in_sandbox(bool with_recorder)
{
	core_watch(core_dir);
	cg_clock_init();
	cg_unwind_init(CG_STACKS_FULL, true);
	if (with_recorder)
		track_open(FD);
	if (enter_sandbox() < 0)
		return 77;
	atomic_store(&cg_guard.sealed, true);
	every_event(FD);
	every_event(5000); /* whose slots were not there yet */
	if (!with_recorder)
		return cg_recorder_header() ? 1 : 0;
	return atomic_load(&cg_slot_at(FD)->kind) == CG_FD_CLOSED && !cg_slot_at(5000) ? 0 : 2;
}

START_TEST(a_sealed_process_makes_no_system_call)
{
	int status = -1;
	if (CORE_SANITIZED)
		SKIP("a sanitizer makes system calls of its own");
	pid_t pid = fork();
	if (pid == 0)
		_exit(events_in_sandbox(_i != 0));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		SKIP("seccomp is not available");
	ck_assert_msg(WIFEXITED(status), "killed by signal %d", WTERMSIG(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

static void cases(TCase *tc)
{
	core_fixtures(tc);
	tcase_add_test(tc, slots_and_open_now_are_right_after_every_step);
	tcase_add_test(tc, threads_with_descriptors_of_their_own_agree);
	tcase_add_test(tc, a_vfork_child_writes_nothing);
	tcase_add_loop_test(tc, a_sealed_process_makes_no_system_call, 0, 2);
}
