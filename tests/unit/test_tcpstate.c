/* test_tcpstate.c: what a descriptor tells of its TCP socket, against real connections. */
#include <fcntl.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <sys/stat.h>

#include "loopback.h"
#include "tcpstate.h"
#include "unit.h"

START_TEST(addresses_as_text)
{
	static const struct {
		const char *address, *text;
		uint16_t port;
	} rows[] = {
	    {"127.0.0.1", "127.0.0.1:80", 80},
	    {"255.255.255.255", "255.255.255.255:65535", 65535},
	    {"0.0.0.0", "0.0.0.0:0", 0},
	    {"::1", "[::1]:80", 80},
	    {"::", "[::]:443", 443},
	    {"fe80::", "[fe80::]:1", 1},
	    {"2001:db8:0:0:1:0:0:1", "[2001:db8::1:0:0:1]:1", 1},
	    {"2001:db8:0:1:1:1:1:1", "[2001:db8:0:1:1:1:1:1]:1", 1},
	    {"2001:0:0:1:0:0:0:1", "[2001:0:0:1::1]:1", 1},
	    {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", 65535},
	    {"::ffff:192.0.2.7", "192.0.2.7:5", 5},
	};
	char text[64];
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cg_addr addr = {.port = rows[i].port};
		addr.family = strchr(rows[i].address, ':') ? AF_INET6 : AF_INET;
		ck_assert_int_eq(inet_pton(addr.family, rows[i].address, addr.bytes), 1);
		ck_assert_ptr_eq(cg_addr_text(&addr, text), text);
		ck_assert_str_eq(text, rows[i].text);
	}
	struct cg_addr unknown = {0};
	ck_assert_str_eq(cg_addr_text(&unknown, text), "");
}
END_TEST

START_TEST(states_as_text)
{
	ck_assert_str_eq(cg_tcp_state_text(CG_TCP_ESTABLISHED), "ESTABLISHED");
	ck_assert_str_eq(cg_tcp_state_text(CG_TCP_CLOSE_WAIT), "CLOSE_WAIT");
	ck_assert_str_eq(cg_tcp_state_text(CG_TCP_CLOSING), "CLOSING");
	ck_assert_str_eq(cg_tcp_state_text(0), "?");
	ck_assert_str_eq(cg_tcp_state_text(12), "?");
	ck_assert_str_eq(cg_tcp_state_text(~0u), "?");
	ck_assert_int_eq(CG_TCP_CLOSING, TCP_CLOSING);
	ck_assert_int_eq(CG_TCP_CLOSE_WAIT, TCP_CLOSE_WAIT);
}
END_TEST

static int is_tcp_once(int fd)
{
	ck_assert_int_ge(fd, 0);
	int answer = cg_tcp_is_tcp(fd);
	close(fd);
	return answer;
}

START_TEST(tcp_is_told_from_the_rest)
{
	ck_assert_int_eq(is_tcp_once(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)), 1);
	ck_assert_int_eq(is_tcp_once(socket(AF_INET, SOCK_DGRAM, 0)), 0);
	ck_assert_int_eq(is_tcp_once(socket(AF_UNIX, SOCK_STREAM, 0)), 0);
	ck_assert_int_eq(is_tcp_once(socket(AF_NETLINK, SOCK_RAW, NETLINK_XFRM)), 0);
	ck_assert_int_eq(is_tcp_once(open("/dev/null", O_RDONLY)), 0);
	ck_assert_int_eq(is_tcp_once(open("/", O_PATH)), 0);
	ck_assert_int_eq(cg_tcp_is_tcp(-1), 0);
	ck_assert_int_eq(cg_tcp_is_tcp(1 << 20), 0);
	int ipv6 = socket(AF_INET6, SOCK_STREAM, 0);
	if (ipv6 >= 0)
		ck_assert_int_eq(is_tcp_once(ipv6), 1);
}
END_TEST

START_TEST(raw_socket_of_tcp_is_not_tcp)
{
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_TCP);
	if (fd < 0)
		SKIP("raw sockets need CAP_NET_RAW");
	ck_assert_int_eq(is_tcp_once(fd), 0);
}
END_TEST

static void check_info(int fd, int state, bool connected)
{
	struct cg_tcp tcp;
	ck_assert_int_eq(cg_tcp_info(fd, &tcp), 0);
	ck_assert_int_eq(tcp.state, state);
	ck_assert_int_eq(cg_tcp_state_of(fd), state);
	ck_assert_int_eq(tcp.has_info, state != CG_TCP_LISTEN);
	ck_assert_int_eq(tcp.has_queues, state == CG_TCP_LISTEN);
	ck_assert_int_eq(tcp.local.family, AF_INET);
	ck_assert_int_eq(tcp.peer.family, connected ? AF_INET : 0);
}

START_TEST(states_of_an_orderly_close)
{
	struct loop loop;
	loop_open(&loop, LOOP_IPV4);
	check_info(loop.listener, CG_TCP_LISTEN, false);
	check_info(loop.client, CG_TCP_ESTABLISHED, true);
	check_info(loop.server, CG_TCP_ESTABLISHED, true);
	shutdown(loop.client, SHUT_WR);
	loop_wait_state(loop.server, TCP_CLOSE_WAIT);
	loop_wait_state(loop.client, TCP_FIN_WAIT2);
	check_info(loop.server, CG_TCP_CLOSE_WAIT, true);
	check_info(loop.client, CG_TCP_FIN_WAIT2, true);
	shutdown(loop.server, SHUT_WR);
	loop_wait_state(loop.server, TCP_CLOSE);
	check_info(loop.server, CG_TCP_CLOSE, false);
	loop_close(&loop);
}
END_TEST

START_TEST(state_after_a_reset)
{
	struct loop loop;
	loop_open(&loop, LOOP_IPV4);
	loop_reset(loop.client);
	loop.client = -1;
	loop_wait_state(loop.server, TCP_CLOSE);
	check_info(loop.server, CG_TCP_CLOSE, false);
	loop_close(&loop);
}
END_TEST

START_TEST(backlog_of_a_listener)
{
	struct loop loop;
	struct cg_tcp tcp;
	loop_listen(&loop, LOOP_IPV4, 5);
	int first = loop_connect(&loop), second = loop_connect(&loop);
	ck_assert_int_eq(cg_tcp_info(loop.listener, &tcp), 0);
	ck_assert(tcp.has_queues);
	ck_assert_uint_eq(tcp.rqueue, 2);
	ck_assert_uint_eq(tcp.wqueue, 5);
	close(loop_accept(&loop));
	ck_assert_int_eq(cg_tcp_info(loop.listener, &tcp), 0);
	ck_assert_uint_eq(tcp.rqueue, 1);
	close(first);
	close(second);
	loop_close(&loop);
}
END_TEST

static void check_addresses(enum loop_kind kind, const char *host)
{
	struct loop loop;
	struct cg_tcp client, server;
	char text[64], expected[64];
	loop_open(&loop, kind);
	ck_assert_int_eq(cg_tcp_info(loop.client, &client), 0);
	ck_assert_int_eq(cg_tcp_info(loop.server, &server), 0);
	ck_assert_int_eq(client.peer.family, kind == LOOP_IPV4 ? AF_INET : AF_INET6);
	ck_assert_mem_eq(&client.local, &server.peer, sizeof(struct cg_addr));
	ck_assert_mem_eq(&client.peer, &server.local, sizeof(struct cg_addr));
	snprintf(expected, sizeof(expected), "%s:%u", host, loop.port);
	ck_assert_str_eq(cg_addr_text(&client.peer, text), expected);
	loop_close(&loop);
}

START_TEST(addresses_of_a_connection)
{
	check_addresses(LOOP_IPV4, "127.0.0.1");
}
END_TEST

START_TEST(addresses_of_an_ipv6_connection)
{
	if (!loop_has_ipv6())
		SKIP("no IPv6 on the loopback interface");
	check_addresses(LOOP_IPV6, "[::1]");
	check_addresses(LOOP_MAPPED, "127.0.0.1");
}
END_TEST

START_TEST(interface_of_a_bound_socket)
{
	struct loop loop;
	struct cg_tcp tcp;
	loop_open(&loop, LOOP_IPV4);
	ck_assert_int_eq(cg_tcp_info(loop.client, &tcp), 0);
	ck_assert_uint_eq(tcp.ifindex, 0);
	if (setsockopt(loop.client, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) < 0)
		SKIP("SO_BINDTODEVICE is not permitted");
	ck_assert_int_eq(cg_tcp_info(loop.client, &tcp), 0);
	ck_assert_uint_eq(tcp.ifindex, if_nametoindex("lo"));
	loop_close(&loop);
}
END_TEST

/* Ages count from the events: 300 ms of silence lie before the FIN and 100 ms after it. */
START_TEST(times_are_plausible)
{
	struct loop loop;
	struct cg_tcp tcp;
	char byte;
	loop_open(&loop, LOOP_IPV4);
	ck_assert_int_eq(write(loop.client, "x", 1), 1);
	ck_assert_int_eq(read(loop.server, &byte, 1), 1);
	usleep(300000);
	shutdown(loop.client, SHUT_WR);
	loop_wait_state(loop.server, TCP_CLOSE_WAIT);
	usleep(100000);
	ck_assert_int_eq(cg_tcp_info(loop.server, &tcp), 0);
	ck_assert_uint_ge(tcp.last_ack_recv_ms, 90);
	ck_assert_uint_ge(tcp.last_data_recv_ms, tcp.last_ack_recv_ms + 290);
	ck_assert_uint_lt(tcp.last_data_recv_ms, 30000);
	ck_assert_int_eq(write(loop.server, "y", 1), 1);
	ck_assert_int_eq(cg_tcp_info(loop.server, &tcp), 0);
	ck_assert_uint_lt(tcp.last_data_sent_ms, 390);
	loop_close(&loop);
}
END_TEST

/* An old kernel's tcp_info is shorter: all of the times or none. */
START_TEST(short_tcp_info)
{
	struct tcp_info info = {.tcpi_last_data_sent = 1, .tcpi_last_data_recv = 2, .tcpi_last_ack_recv = 3};
	struct cg_tcp tcp = {.state = CG_TCP_CLOSE_WAIT};
	cg_tcp_take_info(&tcp, &info, offsetof(struct tcp_info, tcpi_last_ack_recv) + 3);
	ck_assert(!tcp.has_info);
	ck_assert_uint_eq(tcp.last_data_sent_ms, 0);
	cg_tcp_take_info(&tcp, &info, offsetof(struct tcp_info, tcpi_last_ack_recv) + 4);
	ck_assert(tcp.has_info);
	ck_assert_uint_eq(tcp.last_data_sent_ms, 1);
	ck_assert_uint_eq(tcp.last_data_recv_ms, 2);
	ck_assert_uint_eq(tcp.last_ack_recv_ms, 3);
}
END_TEST

/* The kernel would give the time since boot, which is no age of anything. */
START_TEST(no_times_before_a_connection)
{
	struct loop loop;
	struct cg_tcp tcp;
	int fresh = socket(AF_INET, SOCK_STREAM, 0), refused = socket(AF_INET, SOCK_STREAM, 0);
	loop_listen(&loop, LOOP_IPV4, 1);
	close(loop.listener);
	ck_assert_int_eq(connect(refused, &loop.addr.sa, loop.len), -1);
	ck_assert_int_eq(cg_tcp_info(fresh, &tcp), 0);
	ck_assert_int_eq(tcp.state, CG_TCP_CLOSE);
	ck_assert(!tcp.has_info);
	ck_assert_int_eq(cg_tcp_info(refused, &tcp), 0);
	ck_assert(!tcp.has_info);
	close(fresh);
	close(refused);
}
END_TEST

START_TEST(identity_of_a_socket)
{
	struct loop loop;
	struct stat st;
	uint64_t inode = 0, cookie = 0, inode2 = 0, cookie2 = 0, expected = 0;
	socklen_t len = sizeof(expected);
	loop_open(&loop, LOOP_IPV4);
	ck_assert_int_eq(cg_tcp_identity(loop.server, &inode, &cookie), 0);
	ck_assert_int_eq(fstat(loop.server, &st), 0);
	ck_assert_uint_eq(inode, st.st_ino);
	ck_assert_int_eq(getsockopt(loop.server, SOL_SOCKET, SO_COOKIE, &expected, &len), 0);
	ck_assert_uint_eq(cookie, expected);
	ck_assert_uint_ne(cookie, 0);
	int copy = dup(loop.server);
	ck_assert_int_eq(cg_tcp_identity(copy, &inode2, &cookie2), 0);
	ck_assert(inode2 == inode && cookie2 == cookie);
	ck_assert_int_eq(cg_tcp_identity(loop.client, &inode2, &cookie2), 0);
	ck_assert(inode2 != inode && cookie2 != cookie);
	close(copy);
	loop_close(&loop);
}
END_TEST

START_TEST(unread_does_not_count_the_fin)
{
	struct loop loop;
	uint32_t bytes = 99;
	char byte;
	loop_open(&loop, LOOP_IPV4);
	ck_assert_int_eq(write(loop.client, "12345", 5), 5);
	shutdown(loop.client, SHUT_WR);
	loop_wait_state(loop.server, TCP_CLOSE_WAIT);
	ck_assert_int_eq(cg_tcp_unread(loop.server, &bytes), 0);
	ck_assert_uint_eq(bytes, 5);
	while (read(loop.server, &byte, 1) > 0)
		;
	ck_assert_int_eq(cg_tcp_unread(loop.server, &bytes), 0);
	ck_assert_uint_eq(bytes, 0);
	loop_close(&loop);
}
END_TEST

START_TEST(failures_touch_nothing)
{
	struct cg_tcp tcp, before;
	uint64_t inode = 11, cookie = 12;
	uint32_t bytes = 13;
	int file = open("/dev/null", O_RDONLY), udp = socket(AF_INET, SOCK_DGRAM, 0);
	memset(&tcp, 0xa5, sizeof(tcp));
	before = tcp;
	errno = 77;
	ck_assert_int_eq(cg_tcp_info(-1, &tcp), -EBADF);
	ck_assert_int_eq(cg_tcp_info(file, &tcp), -ENOTSOCK);
	ck_assert_int_lt(cg_tcp_info(udp, &tcp), 0);
	ck_assert_mem_eq(&tcp, &before, sizeof(tcp));
	ck_assert_int_eq(cg_tcp_state_of(file), -ENOTSOCK);
	ck_assert_int_eq(cg_tcp_identity(file, &inode, &cookie), -ENOTSOCK);
	ck_assert_int_eq(cg_tcp_identity(-1, &inode, &cookie), -EBADF);
	ck_assert_int_eq(cg_tcp_unread(-1, &bytes), -EBADF);
	ck_assert(inode == 11 && cookie == 12 && bytes == 13);
	ck_assert_int_eq(errno, 77);
	close(file);
	close(udp);
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_test(tc, addresses_as_text);
	tcase_add_test(tc, states_as_text);
	tcase_add_test(tc, tcp_is_told_from_the_rest);
	tcase_add_test(tc, raw_socket_of_tcp_is_not_tcp);
	tcase_add_test(tc, states_of_an_orderly_close);
	tcase_add_test(tc, state_after_a_reset);
	tcase_add_test(tc, backlog_of_a_listener);
	tcase_add_test(tc, addresses_of_a_connection);
	tcase_add_test(tc, addresses_of_an_ipv6_connection);
	tcase_add_test(tc, interface_of_a_bound_socket);
	tcase_add_test(tc, times_are_plausible);
	tcase_add_test(tc, short_tcp_info);
	tcase_add_test(tc, no_times_before_a_connection);
	tcase_add_test(tc, identity_of_a_socket);
	tcase_add_test(tc, unread_does_not_count_the_fin);
	tcase_add_test(tc, failures_touch_nothing);
}
