/* test_tcpdiag.c: sock_diag's view of real connections, and what a misbehaving kernel would answer. */
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "loopback.h"
#include "tcpstate.h"
#include "unit.h"

enum { BUFFER = 16 << 10, ALL_STATES = 0xfff, SEEN_MAX = 4096 };

/* What a dump saw of one local port. */
struct seen {
	unsigned port, count;
	struct cg_tcp tcp[SEEN_MAX];
};

static struct seen seen;
static _Alignas(16) char buffer[BUFFER];

static int keep(const struct cg_tcp *tcp, void *context)
{
	struct seen *s = context;
	if (tcp->local.port == s->port && s->count < SEEN_MAX)
		s->tcp[s->count++] = *tcp;
	return 0;
}

static int open_diag(void)
{
	int fd = cg_diag_open();
	if (fd < 0)
		SKIP("sock_diag is refused here");
	return fd;
}

static void dump_port(int netlink, unsigned port, uint32_t states)
{
	seen.port = port;
	seen.count = 0;
	ck_assert_int_eq(cg_diag_dump(netlink, states, buffer, sizeof(buffer), keep, &seen), 0);
}

/* The one socket of a port in a state. */
static const struct cg_tcp *only(int netlink, unsigned port, unsigned state)
{
	dump_port(netlink, port, 1u << state);
	ck_assert_uint_eq(seen.count, 1);
	ck_assert_int_eq(seen.tcp[0].state, state);
	ck_assert(seen.tcp[0].has_queues);
	return &seen.tcp[0];
}

START_TEST(descriptor_is_private)
{
	int fd = open_diag();
	ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
	close(fd);
}
END_TEST

START_TEST(queue_counts_the_unread_fin)
{
	int netlink = open_diag();
	struct loop loop;
	char bytes[16];
	loop_open(&loop, LOOP_IPV4);
	shutdown(loop.client, SHUT_WR);
	loop_wait_state(loop.server, TCP_CLOSE_WAIT);
	ck_assert_uint_eq(only(netlink, loop.port, CG_TCP_CLOSE_WAIT)->rqueue, 1);
	ck_assert_int_eq(recv(loop.server, bytes, 1, MSG_PEEK), 0);
	ck_assert_uint_eq(only(netlink, loop.port, CG_TCP_CLOSE_WAIT)->rqueue, 1);
	ck_assert_int_eq(read(loop.server, bytes, 1), 0);
	ck_assert_uint_eq(only(netlink, loop.port, CG_TCP_CLOSE_WAIT)->rqueue, 0);
	loop_close(&loop);
	close(netlink);
}
END_TEST

START_TEST(queue_counts_data_before_the_fin)
{
	int netlink = open_diag();
	struct loop loop;
	char bytes[16];
	loop_open(&loop, LOOP_IPV4);
	ck_assert_int_eq(write(loop.client, "12345", 5), 5);
	shutdown(loop.client, SHUT_WR);
	loop_wait_state(loop.server, TCP_CLOSE_WAIT);
	ck_assert_uint_eq(only(netlink, loop.port, CG_TCP_CLOSE_WAIT)->rqueue, 6);
	ck_assert_int_eq(read(loop.server, bytes, 2), 2);
	ck_assert_uint_eq(only(netlink, loop.port, CG_TCP_CLOSE_WAIT)->rqueue, 4);
	ck_assert_int_eq(read(loop.server, bytes, 16), 3);
	ck_assert_int_eq(read(loop.server, bytes, 16), 0);
	ck_assert_uint_eq(only(netlink, loop.port, CG_TCP_CLOSE_WAIT)->rqueue, 0);
	loop_close(&loop);
	close(netlink);
}
END_TEST

START_TEST(never_accepted_has_no_inode)
{
	int netlink = open_diag();
	struct loop loop;
	loop_listen(&loop, LOOP_IPV4, 7);
	loop.client = loop_connect(&loop);
	close(loop.client);
	loop.client = -1;
	const struct cg_tcp *tcp = NULL;
	for (int i = 0; i < 1000 && seen.count == 0; i++)
		dump_port(netlink, loop.port, 1u << CG_TCP_CLOSE_WAIT);
	tcp = only(netlink, loop.port, CG_TCP_CLOSE_WAIT);
	ck_assert_uint_eq(tcp->inode, 0);
	ck_assert_uint_ne(tcp->cookie, 0);
	ck_assert_uint_eq(tcp->rqueue, 1);
	tcp = only(netlink, loop.port, CG_TCP_LISTEN);
	ck_assert_uint_eq(tcp->rqueue, 1);
	ck_assert_uint_eq(tcp->wqueue, 7);
	ck_assert_int_eq(tcp->peer.family, 0);
	ck_assert(!tcp->has_info);
	loop.server = loop_accept(&loop);
	ck_assert_uint_ne(only(netlink, loop.port, CG_TCP_CLOSE_WAIT)->inode, 0);
	loop_close(&loop);
	close(netlink);
}
END_TEST

/* The dump, the query and the descriptor agree on who the socket is and what it does. */
static void check_views_agree(int netlink, enum loop_kind kind)
{
	struct loop loop;
	struct cg_tcp tcp;
	uint64_t inode, cookie;
	loop_open(&loop, kind);
	ck_assert_int_eq(write(loop.client, "12345", 5), 5);
	shutdown(loop.client, SHUT_WR);
	loop_wait_state(loop.server, TCP_CLOSE_WAIT);
	ck_assert_int_eq(cg_tcp_identity(loop.server, &inode, &cookie), 0);
	const struct cg_tcp *dumped = only(netlink, loop.port, CG_TCP_CLOSE_WAIT);
	ck_assert_uint_eq(dumped->inode, inode);
	ck_assert_uint_eq(dumped->cookie, cookie);
	ck_assert(dumped->has_info);
	ck_assert_int_eq(dumped->local.family, kind == LOOP_IPV4 ? AF_INET : AF_INET6);
	ck_assert_int_eq(cg_tcp_info(loop.server, &tcp), 0);
	ck_assert_mem_eq(&dumped->local, &tcp.local, sizeof(tcp.local));
	ck_assert_mem_eq(&dumped->peer, &tcp.peer, sizeof(tcp.peer));
	ck_assert_int_le((int)dumped->last_data_recv_ms, (int)tcp.last_data_recv_ms);
	ck_assert_int_eq(cg_diag_query(netlink, &tcp), 0);
	ck_assert(tcp.has_queues && tcp.has_info);
	ck_assert_int_eq(tcp.state, CG_TCP_CLOSE_WAIT);
	ck_assert_uint_eq(tcp.rqueue, 6);
	ck_assert_uint_eq(tcp.inode, inode);
	ck_assert_uint_eq(tcp.cookie, cookie);
	ck_assert_mem_eq(&dumped->peer, &tcp.peer, sizeof(tcp.peer));
	ck_assert_int_eq(cg_diag_query(netlink, &tcp), 0); /* with the cookie now */
	loop_close(&loop);
}

START_TEST(views_agree)
{
	int netlink = open_diag();
	check_views_agree(netlink, LOOP_IPV4);
	close(netlink);
}
END_TEST

START_TEST(views_agree_on_ipv6)
{
	int netlink = open_diag();
	if (!loop_has_ipv6())
		SKIP("no IPv6 on the loopback interface");
	check_views_agree(netlink, LOOP_IPV6);
	check_views_agree(netlink, LOOP_MAPPED);
	close(netlink);
}
END_TEST

START_TEST(queries_for_what_is_not_there)
{
	int netlink = open_diag();
	struct loop loop;
	struct cg_tcp tcp, open, before;
	loop_open(&loop, LOOP_IPV4);
	ck_assert_int_eq(cg_tcp_info(loop.server, &open), 0);
	tcp = open;
	ck_assert_int_eq(cg_diag_query(netlink, &tcp), 0);
	tcp.cookie++;
	before = tcp;
	ck_assert_int_eq(cg_diag_query(netlink, &tcp), -ENOENT);
	loop_reset(loop.client);
	loop.client = -1;
	loop_wait_state(loop.server, TCP_CLOSE);
	ck_assert_mem_eq(&tcp, &before, sizeof(tcp));
	/* The kernel would answer these with the listener, which has the same local port. */
	tcp = open;
	ck_assert_int_eq(cg_diag_query(netlink, &tcp), -ENOENT);
	tcp.state = 0;
	ck_assert_int_eq(cg_diag_query(netlink, &tcp), -ENOENT);
	ck_assert_int_eq(cg_tcp_info(loop.server, &tcp), 0);
	ck_assert_int_eq(cg_diag_query(netlink, &tcp), -ENOENT);
	memset(&tcp, 0, sizeof(tcp));
	ck_assert_int_eq(cg_diag_query(netlink, &tcp), -EAFNOSUPPORT);
	loop_close(&loop);
	close(netlink);
}
END_TEST

START_TEST(query_of_a_listener)
{
	int netlink = open_diag();
	struct loop loop;
	struct cg_tcp tcp;
	struct stat st;
	loop_listen(&loop, LOOP_IPV4, 9);
	loop.client = loop_connect(&loop);
	ck_assert_int_eq(cg_tcp_info(loop.listener, &tcp), 0);
	ck_assert_int_eq(cg_diag_query(netlink, &tcp), 0);
	ck_assert_int_eq(fstat(loop.listener, &st), 0);
	ck_assert_uint_eq(tcp.inode, st.st_ino);
	ck_assert_uint_eq(tcp.rqueue, 1);
	ck_assert_uint_eq(tcp.wqueue, 9);
	loop_close(&loop);
	close(netlink);
}
END_TEST

/* Without its interface the kernel would not find such a socket. */
START_TEST(query_of_a_socket_bound_to_a_device)
{
	int netlink = open_diag();
	struct loop loop;
	struct cg_tcp tcp;
	loop_open(&loop, LOOP_IPV4);
	if (setsockopt(loop.server, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) < 0)
		SKIP("SO_BINDTODEVICE is not permitted");
	ck_assert_int_eq(cg_tcp_info(loop.server, &tcp), 0);
	ck_assert_int_eq(cg_diag_query(netlink, &tcp), 0);
	ck_assert_uint_eq(tcp.ifindex, if_nametoindex("lo"));
	loop_close(&loop);
	close(netlink);
}
END_TEST

START_TEST(states_are_filtered)
{
	int netlink = open_diag();
	struct loop loop;
	loop_open(&loop, LOOP_IPV4);
	dump_port(netlink, loop.port, ALL_STATES);
	ck_assert_uint_eq(seen.count, 2);
	dump_port(netlink, loop.port, 1u << CG_TCP_CLOSE_WAIT | 1u << CG_TCP_FIN_WAIT2);
	ck_assert_uint_eq(seen.count, 0);
	shutdown(loop.server, SHUT_WR);
	loop_wait_state(loop.server, TCP_FIN_WAIT2);
	dump_port(netlink, loop.port, 1u << CG_TCP_CLOSE_WAIT | 1u << CG_TCP_FIN_WAIT2);
	ck_assert_uint_eq(seen.count, 1);
	ck_assert_int_eq(seen.tcp[0].state, CG_TCP_FIN_WAIT2);
	loop_close(&loop);
	close(netlink);
}
END_TEST

enum { MANY = 1000 };

static void open_many(struct loop *loop, int clients[MANY], int servers[MANY])
{
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < 2 * MANY + 64)
		SKIP("too few descriptors are allowed");
	loop_listen(loop, LOOP_IPV4, 16);
	for (int i = 0; i < MANY; i++) {
		clients[i] = loop_connect(loop);
		servers[i] = loop_accept(loop);
	}
}

static int compare_inodes(const void *a, const void *b)
{
	const struct cg_tcp *x = a, *y = b;
	return (x->inode > y->inode) - (x->inode < y->inode);
}

static int keep_both_ends(const struct cg_tcp *tcp, void *context)
{
	struct seen *s = context;
	if ((tcp->local.port == s->port || tcp->peer.port == s->port) && s->count < SEEN_MAX)
		s->tcp[s->count++] = *tcp;
	return 0;
}

START_TEST(two_thousand_sockets_in_the_smallest_buffer)
{
	static int clients[MANY], servers[MANY];
	int netlink = open_diag();
	struct loop loop;
	open_many(&loop, clients, servers);
	ck_assert_int_eq(cg_diag_dump(netlink, ALL_STATES, buffer, BUFFER - 1, keep, &seen), -EINVAL);
	seen.port = loop.port;
	seen.count = 0;
	uint32_t states = 1u << CG_TCP_ESTABLISHED;
	ck_assert_int_eq(cg_diag_dump(netlink, states, buffer, BUFFER, keep_both_ends, &seen), 0);
	ck_assert_uint_eq(seen.count, 2 * MANY);
	qsort(seen.tcp, seen.count, sizeof(seen.tcp[0]), compare_inodes);
	for (unsigned i = 0; i < seen.count; i++)
		ck_assert(seen.tcp[i].has_info && (i == 0 || seen.tcp[i].inode != seen.tcp[i - 1].inode));
	for (int i = 0; i < MANY; i++) {
		struct cg_tcp key;
		ck_assert_int_eq(cg_tcp_identity(servers[i], &key.inode, &key.cookie), 0);
		const struct cg_tcp *found = bsearch(&key, seen.tcp, seen.count, sizeof(key), compare_inodes);
		ck_assert(found && found->cookie == key.cookie);
	}
	close(netlink);
}
END_TEST

static int stop_at_once(const struct cg_tcp *tcp, void *context)
{
	(void)tcp;
	++*(int *)context;
	return 42;
}

/* The kernel allows one dump at a time: what was left unread must not disturb the next. */
START_TEST(stopping_early)
{
	static int clients[MANY], servers[MANY];
	int netlink = open_diag(), calls = 0;
	struct loop loop;
	struct cg_tcp tcp;
	open_many(&loop, clients, servers);
	ck_assert_int_eq(cg_diag_dump(netlink, ALL_STATES, buffer, BUFFER, stop_at_once, &calls), 42);
	ck_assert_int_eq(calls, 1);
	ck_assert_int_eq(cg_tcp_info(servers[0], &tcp), 0);
	ck_assert_int_eq(cg_diag_query(netlink, &tcp), 0);
	ck_assert_int_eq(cg_diag_dump(netlink, ALL_STATES, buffer, BUFFER, stop_at_once, &calls), 42);
	dump_port(netlink, loop.port, 1u << CG_TCP_ESTABLISHED);
	ck_assert_uint_eq(seen.count, MANY);
	close(netlink);
}
END_TEST

/* In a child: a sandbox that refuses netlink sockets. Exits with 0 when cg_diag_open says so. */
static void refuse_netlink(void)
{
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		_exit(77);
	_exit(cg_diag_open() == -EPERM ? 0 : 1);
}

START_TEST(netlink_refused)
{
	int status;
	pid_t child = fork();
	if (child == 0)
		refuse_netlink();
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		SKIP("no seccomp filters here");
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_test(tc, descriptor_is_private);
	tcase_add_test(tc, queue_counts_the_unread_fin);
	tcase_add_test(tc, queue_counts_data_before_the_fin);
	tcase_add_test(tc, never_accepted_has_no_inode);
	tcase_add_test(tc, views_agree);
	tcase_add_test(tc, views_agree_on_ipv6);
	tcase_add_test(tc, queries_for_what_is_not_there);
	tcase_add_test(tc, query_of_a_listener);
	tcase_add_test(tc, query_of_a_socket_bound_to_a_device);
	tcase_add_test(tc, states_are_filtered);
	tcase_add_test(tc, two_thousand_sockets_in_the_smallest_buffer);
	tcase_add_test(tc, stopping_early);
	tcase_add_test(tc, netlink_refused);
}
