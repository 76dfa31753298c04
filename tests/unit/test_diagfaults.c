/* test_diagfaults.c: answers that a real kernel seldom gives, played by a thread at the other end of a socket pair. */
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "tcpstate.h"
#include "unit.h"

struct packet {
	struct nlmsghdr header;
	union {
		struct inet_diag_msg socket;
		int status;
	};
};

struct fake {
	int ours, theirs;
	unsigned requests;
	void (*answer)(struct fake *fake, const struct nlmsghdr *request, unsigned nth);
	pthread_t thread;
};

static void *play(void *argument)
{
	struct fake *fake = argument;
	char request[512];
	while (recv(fake->theirs, request, sizeof(request), 0) > 0)
		fake->answer(fake, (void *)request, fake->requests++);
	return NULL;
}

static void start(struct fake *fake, void (*answer)(struct fake *, const struct nlmsghdr *, unsigned))
{
	int fds[2];
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	*fake = (struct fake){.ours = fds[0], .theirs = fds[1], .answer = answer};
	ck_assert_int_eq(pthread_create(&fake->thread, NULL, play, fake), 0);
}

static void stop(struct fake *fake)
{
	shutdown(fake->ours, SHUT_RDWR);
	pthread_join(fake->thread, NULL);
	close(fake->ours);
	close(fake->theirs);
}

static void put(struct fake *fake, uint32_t seq, unsigned type, unsigned flags, const void *body, size_t len)
{
	struct packet packet = {0};
	packet.header.nlmsg_len = (uint32_t)NLMSG_LENGTH(len);
	packet.header.nlmsg_type = (uint16_t)type;
	packet.header.nlmsg_flags = (uint16_t)flags;
	packet.header.nlmsg_seq = seq;
	memcpy(&packet.socket, body, len);
	(void)!send(fake->theirs, &packet, packet.header.nlmsg_len, MSG_NOSIGNAL);
}

static void put_status(struct fake *fake, uint32_t seq, unsigned type, unsigned flags, int status)
{
	put(fake, seq, type, flags, &status, sizeof(status));
}

static void put_socket(struct fake *fake, uint32_t seq, uint16_t port, unsigned flags)
{
	struct inet_diag_msg msg = {.idiag_family = AF_INET, .idiag_state = CG_TCP_CLOSE_WAIT, .idiag_rqueue = 1};
	msg.id.idiag_sport = htons(port);
	msg.id.idiag_dport = htons(9);
	msg.id.idiag_cookie[0] = 0x11111111;
	msg.id.idiag_cookie[1] = 0x22222222;
	put(fake, seq, SOCK_DIAG_BY_FAMILY, flags, &msg, sizeof(msg));
}

static _Alignas(16) char buffer[16 << 10];
static unsigned visits;
static struct cg_tcp last;

static int count(const struct cg_tcp *tcp, void *context)
{
	(void)context;
	visits++;
	last = *tcp;
	return 0;
}

static int dump(struct fake *fake)
{
	visits = 0;
	return cg_diag_dump(fake->ours, ~0u, buffer, sizeof(buffer), count, NULL);
}

static void answer_plainly(struct fake *fake, const struct nlmsghdr *request, unsigned nth)
{
	put_socket(fake, request->nlmsg_seq, (uint16_t)(100 + nth), NLM_F_MULTI);
	put_status(fake, request->nlmsg_seq, NLMSG_DONE, NLM_F_MULTI, 0);
}

/* The app puts a connection of its own over the number while an answer is waited for. */
static int of_the_apps[2];

static void lose_the_number(struct fake *fake, const struct nlmsghdr *request, unsigned nth)
{
	(void)nth;
	ck_assert_int_eq(dup2(of_the_apps[0], fake->ours), fake->ours);
	put_status(fake, request->nlmsg_seq, NLMSG_DONE, NLM_F_MULTI, 0);
}

START_TEST(an_apps_data_is_not_taken_for_an_answer)
{
	struct fake fake;
	char got[8];
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, of_the_apps), 0);
	ck_assert_int_eq(write(of_the_apps[1], "data", 4), 4);
	start(&fake, lose_the_number);
	ck_assert_int_eq(dump(&fake), -EBADF);
	ck_assert_int_eq(recv(of_the_apps[0], got, sizeof(got), MSG_DONTWAIT), 4);
	shutdown(fake.theirs, SHUT_RDWR);
	stop(&fake);
	close(of_the_apps[0]);
	close(of_the_apps[1]);
}
END_TEST

START_TEST(one_request_for_each_family)
{
	struct fake fake;
	start(&fake, answer_plainly);
	ck_assert_int_eq(dump(&fake), 0);
	ck_assert_uint_eq(visits, 2);
	ck_assert_uint_eq(last.local.port, 101);
	ck_assert(last.cookie == 0x2222222211111111ull);
	ck_assert(!last.has_info);
	stop(&fake);
	ck_assert_uint_eq(fake.requests, 2);
}
END_TEST

static void answer_stale_first(struct fake *fake, const struct nlmsghdr *request, unsigned nth)
{
	put_socket(fake, request->nlmsg_seq - 1, 1, NLM_F_MULTI);
	put_status(fake, request->nlmsg_seq - 1, NLMSG_ERROR, 0, -EBUSY);
	put_status(fake, request->nlmsg_seq - 1, NLMSG_DONE, NLM_F_MULTI, 0);
	answer_plainly(fake, request, nth);
}

START_TEST(stale_answers_are_skipped)
{
	struct fake fake;
	start(&fake, answer_stale_first);
	ck_assert_int_eq(dump(&fake), 0);
	ck_assert_uint_eq(visits, 2);
	ck_assert_uint_eq(last.local.port, 101);
	stop(&fake);
}
END_TEST

START_TEST(stale_answers_are_drained)
{
	struct fake fake;
	start(&fake, answer_plainly);
	for (uint16_t i = 0; i < 10; i++)
		put_socket(&fake, 0xfffffff0, i, NLM_F_MULTI);
	ck_assert_int_eq(dump(&fake), 0);
	ck_assert_uint_eq(visits, 2);
	stop(&fake);
}
END_TEST

static void answer_torn_once(struct fake *fake, const struct nlmsghdr *request, unsigned nth)
{
	unsigned torn = nth == 0 ? NLM_F_DUMP_INTR : 0;
	put_socket(fake, request->nlmsg_seq, 100, NLM_F_MULTI);
	put_status(fake, request->nlmsg_seq, NLMSG_DONE, NLM_F_MULTI | torn, 0);
}

static void answer_torn_always(struct fake *fake, const struct nlmsghdr *request, unsigned nth)
{
	(void)nth;
	put_socket(fake, request->nlmsg_seq, 100, NLM_F_MULTI | NLM_F_DUMP_INTR);
	put_status(fake, request->nlmsg_seq, NLMSG_DONE, NLM_F_MULTI | NLM_F_DUMP_INTR, 0);
}

START_TEST(torn_dump_is_repeated_once)
{
	struct fake fake;
	start(&fake, answer_torn_once);
	ck_assert_int_eq(dump(&fake), 0);
	stop(&fake);
	ck_assert_uint_eq(fake.requests, 3);
	start(&fake, answer_torn_always);
	ck_assert_int_eq(dump(&fake), 0);
	stop(&fake);
	ck_assert_uint_eq(fake.requests, 4);
}
END_TEST

static _Atomic int error_to_give;
static _Atomic unsigned type_to_give;

static void answer_error(struct fake *fake, const struct nlmsghdr *request, unsigned nth)
{
	(void)nth;
	put_status(fake, request->nlmsg_seq, type_to_give, 0, error_to_give);
}

START_TEST(errors_are_passed_on)
{
	struct fake fake;
	struct cg_tcp tcp = {.local.family = AF_INET, .local.port = 7}, before = tcp;
	start(&fake, answer_error);
	type_to_give = NLMSG_ERROR;
	error_to_give = -EBUSY;
	ck_assert_int_eq(dump(&fake), -EBUSY);
	ck_assert_int_eq(cg_diag_query(fake.ours, &tcp), -EBUSY);
	error_to_give = -ENOENT;
	ck_assert_int_eq(dump(&fake), -EOPNOTSUPP);
	ck_assert_int_eq(cg_diag_query(fake.ours, &tcp), -ENOENT);
	error_to_give = -ESTALE;
	ck_assert_int_eq(cg_diag_query(fake.ours, &tcp), -ENOENT);
	error_to_give = 0;
	ck_assert_int_eq(cg_diag_query(fake.ours, &tcp), -EBADMSG);
	type_to_give = NLMSG_DONE;
	error_to_give = -ENOMEM;
	ck_assert_int_eq(dump(&fake), -ENOMEM);
	ck_assert_mem_eq(&tcp, &before, sizeof(tcp));
	stop(&fake);
}
END_TEST

/* Datagrams cut by the buffer within a message and between two, and one that ends in the middle of a message. */
static void answer_too_much(struct fake *fake, const struct nlmsghdr *request, unsigned nth)
{
	static _Alignas(16) char big[20 << 10];
	struct nlmsghdr *header = (void *)big;
	(void)nth;
	header->nlmsg_len = sizeof(big);
	header->nlmsg_seq = request->nlmsg_seq;
	header->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	(void)!send(fake->theirs, big, sizeof(big), MSG_NOSIGNAL);
}

static void answer_more_than_fits(struct fake *fake, const struct nlmsghdr *request, unsigned nth)
{
	static _Alignas(16) char big[20 << 10];
	struct nlmsghdr *header = (void *)big;
	(void)nth;
	header->nlmsg_len = 16 << 10;
	header->nlmsg_seq = request->nlmsg_seq;
	header->nlmsg_type = NLMSG_NOOP;
	(void)!send(fake->theirs, big, sizeof(big), MSG_NOSIGNAL);
}

static void answer_half(struct fake *fake, const struct nlmsghdr *request, unsigned nth)
{
	struct nlmsghdr header = {.nlmsg_len = 100, .nlmsg_seq = request->nlmsg_seq, .nlmsg_type = SOCK_DIAG_BY_FAMILY};
	(void)nth;
	(void)!send(fake->theirs, &header, sizeof(header), MSG_NOSIGNAL);
}

static void answer_short_socket(struct fake *fake, const struct nlmsghdr *request, unsigned nth)
{
	(void)nth;
	put(fake, request->nlmsg_seq, SOCK_DIAG_BY_FAMILY, 0, "abcdefg", 8);
}

START_TEST(broken_datagrams)
{
	struct fake fake;
	start(&fake, answer_too_much);
	ck_assert_int_eq(dump(&fake), -EMSGSIZE);
	stop(&fake);
	start(&fake, answer_more_than_fits);
	ck_assert_int_eq(dump(&fake), -EMSGSIZE);
	stop(&fake);
	start(&fake, answer_half);
	ck_assert_int_eq(dump(&fake), -EBADMSG);
	stop(&fake);
	start(&fake, answer_short_socket);
	ck_assert_int_eq(dump(&fake), -EBADMSG);
	ck_assert_uint_eq(visits, 0);
	stop(&fake);
}
END_TEST

static uint64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void answer_nothing(struct fake *fake, const struct nlmsghdr *request, unsigned nth)
{
	(void)fake;
	(void)request;
	(void)nth;
}

static _Atomic unsigned signals;

static void on_alarm(int number)
{
	(void)number;
	signals++;
}

/* Signals keep interrupting the wait; it lasts its 2 s all the same. */
START_TEST(silence_times_out)
{
	struct fake fake;
	struct sigaction action = {.sa_handler = on_alarm};
	struct itimerval often = {{0, 20000}, {0, 20000}}, never = {0};
	sigset_t alarm_only;
	sigemptyset(&alarm_only);
	sigaddset(&alarm_only, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &alarm_only, NULL);
	start(&fake, answer_nothing);
	pthread_sigmask(SIG_UNBLOCK, &alarm_only, NULL);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	uint64_t begin = now_ms();
	ck_assert_int_eq(dump(&fake), -ETIMEDOUT);
	uint64_t took = now_ms() - begin;
	setitimer(ITIMER_REAL, &never, NULL);
	ck_assert_uint_ge(took, 1990);
	ck_assert_uint_lt(took, 10000);
#ifndef __SANITIZE_THREAD__ /* which runs a handler when a wrapper of its own is left, and ours go past them */
	ck_assert_uint_gt(signals, 10);
#endif
	stop(&fake);
}
END_TEST

START_TEST(closed_descriptor)
{
	struct cg_tcp tcp = {.local.family = AF_INET, .local.port = 7};
	ck_assert_int_eq(cg_diag_dump(-1, ~0u, buffer, sizeof(buffer), count, NULL), -EBADF);
	ck_assert_int_eq(cg_diag_query(-1, &tcp), -EBADF);
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_test(tc, one_request_for_each_family);
	tcase_add_test(tc, an_apps_data_is_not_taken_for_an_answer);
	tcase_add_test(tc, stale_answers_are_skipped);
	tcase_add_test(tc, stale_answers_are_drained);
	tcase_add_test(tc, torn_dump_is_repeated_once);
	tcase_add_test(tc, errors_are_passed_on);
	tcase_add_test(tc, broken_datagrams);
	tcase_add_test(tc, silence_times_out);
	tcase_add_test(tc, closed_descriptor);
}
