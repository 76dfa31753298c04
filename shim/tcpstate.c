/* tcpstate.c: what a descriptor itself can tell of its TCP socket. */
#include "tcpstate.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "fmt.h"
#include "sys.h"

#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif
#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62
#endif

static void put_ipv4(struct cg_buf *buf, const uint8_t *b)
{
	cg_buf_fmt(buf, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
}

static unsigned group(const uint8_t *bytes, int i)
{
	return (unsigned)bytes[2 * i] << 8 | bytes[2 * i + 1];
}

/* The first of the longest runs of two or more zero groups, which RFC 5952 writes as "::". Returns its length or 0. */
static int longest_zeros(const uint8_t *bytes, int *ret_start)
{
	int best = 0;
	for (int i = 0; i < 8; i++) {
		int n = 0;
		while (i + n < 8 && group(bytes, i + n) == 0)
			n++;
		if (n > best) {
			best = n;
			*ret_start = i;
		}
		i += n;
	}
	return best >= 2 ? best : 0;
}

static void put_ipv6(struct cg_buf *buf, const uint8_t *bytes)
{
	int start = 8, zeros = longest_zeros(bytes, &start);
	cg_buf_char(buf, '[');
	for (int i = 0; i < 8; i++) {
		if (zeros && i == start) {
			cg_buf_str(buf, "::");
			i += zeros - 1;
			continue;
		}
		if (i > 0 && !(zeros && i == start + zeros))
			cg_buf_char(buf, ':');
		cg_buf_fmt(buf, "%x", group(bytes, i));
	}
	cg_buf_char(buf, ']');
}

const char *cg_addr_text(const struct cg_addr *addr, char text[64])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct cg_buf buf;
	cg_buf_init(&buf, text, 64);
	if (addr->family == AF_INET)
		put_ipv4(&buf, addr->bytes);
	else if (addr->family == AF_INET6 && memcmp(addr->bytes, mapped, sizeof(mapped)) == 0)
		put_ipv4(&buf, addr->bytes + sizeof(mapped));
	else if (addr->family == AF_INET6)
		put_ipv6(&buf, addr->bytes);
	else
		return text;
	cg_buf_fmt(&buf, ":%u", addr->port);
	return text;
}

const char *cg_tcp_state_text(unsigned state)
{
	static const char *const names[] = {
	    [CG_TCP_ESTABLISHED] = "ESTABLISHED",
	    [CG_TCP_SYN_SENT] = "SYN_SENT",
	    [CG_TCP_SYN_RECV] = "SYN_RECV",
	    [CG_TCP_FIN_WAIT1] = "FIN_WAIT1",
	    [CG_TCP_FIN_WAIT2] = "FIN_WAIT2",
	    [CG_TCP_TIME_WAIT] = "TIME_WAIT",
	    [CG_TCP_CLOSE] = "CLOSE",
	    [CG_TCP_CLOSE_WAIT] = "CLOSE_WAIT",
	    [CG_TCP_LAST_ACK] = "LAST_ACK",
	    [CG_TCP_LISTEN] = "LISTEN",
	    [CG_TCP_CLOSING] = "CLOSING",
	};
	return state < sizeof(names) / sizeof(names[0]) && names[state] ? names[state] : "?";
}

static int int_option(int fd, int level, int name, int *ret)
{
	int value = 0;
	unsigned len = sizeof(value);
	int r = cg_sys_getsockopt(fd, level, name, &value, &len);
	if (r < 0)
		return r;
	*ret = value;
	return 0;
}

/* The type too: a raw socket for TCP's packets has the same protocol number. */
int cg_tcp_is_tcp(int fd)
{
	int protocol, type;
	int r = int_option(fd, SOL_SOCKET, SO_PROTOCOL, &protocol);
	if (r == 0)
		r = int_option(fd, SOL_SOCKET, SO_TYPE, &type);
	if (r == -ENOTSOCK || r == -EBADF)
		return 0;
	return r < 0 ? r : protocol == IPPROTO_TCP && type == SOCK_STREAM;
}

static int read_info(int fd, struct tcp_info *ret, unsigned *ret_len)
{
	unsigned len = sizeof(*ret);
	int r = cg_sys_getsockopt(fd, IPPROTO_TCP, TCP_INFO, ret, &len);
	if (r < 0)
		return r;
	*ret_len = len;
	return 0;
}

int cg_tcp_state_of(int fd)
{
	uint8_t state = 0; /* the kernel copies as much as is asked for; the state comes first */
	unsigned len = sizeof(state);
	int r = cg_sys_getsockopt(fd, IPPROTO_TCP, TCP_INFO, &state, &len);
	return r < 0 ? r : state;
}

void cg_tcp_take_info(struct cg_tcp *tcp, const void *info, size_t len)
{
	struct tcp_info known = {0};
	if (len < offsetof(struct tcp_info, tcpi_pmtu))
		return;
	memcpy(&known, info, len < sizeof(known) ? len : sizeof(known));
	if (tcp->state == CG_TCP_LISTEN) {
		tcp->has_queues = true;
		tcp->rqueue = known.tcpi_unacked;
		tcp->wqueue = known.tcpi_sacked;
		return;
	}
	/* Before the first segment the times are those since boot. Kernels before 4.2 do not count segments. */
	if (len >= offsetof(struct tcp_info, tcpi_notsent_bytes) && known.tcpi_segs_in == 0)
		return;
	tcp->has_info = true;
	/* The handshake measures the round trip; a refused connect counts a segment too, but measures nothing. */
	tcp->was_connected = known.tcpi_rtt || known.tcpi_bytes_acked || known.tcpi_bytes_received;
	tcp->last_data_sent_ms = known.tcpi_last_data_sent;
	tcp->last_data_recv_ms = known.tcpi_last_data_recv;
	tcp->last_ack_recv_ms = known.tcpi_last_ack_recv;
	tcp->bytes_received = known.tcpi_bytes_received;
	tcp->has_sent = known.tcpi_data_segs_out != 0;
}

union any_addr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static void take_addr(const union any_addr *from, struct cg_addr *to, uint32_t *ifindex)
{
	if (from->sa.sa_family == AF_INET) {
		to->family = AF_INET;
		to->port = ntohs(from->in.sin_port);
		memcpy(to->bytes, &from->in.sin_addr, 4);
	} else if (from->sa.sa_family == AF_INET6) {
		to->family = AF_INET6;
		to->port = ntohs(from->in6.sin6_port);
		memcpy(to->bytes, &from->in6.sin6_addr, 16);
		if (from->in6.sin6_scope_id)
			*ifindex = from->in6.sin6_scope_id;
	}
}

int cg_tcp_addresses(int fd, struct cg_tcp *tcp)
{
	union any_addr addr = {0};
	unsigned len = sizeof(addr);
	int r = cg_sys_getsockname(fd, &addr, &len);
	if (r < 0)
		return r;
	take_addr(&addr, &tcp->local, &tcp->ifindex);
	len = sizeof(addr);
	r = cg_sys_getpeername(fd, &addr, &len);
	if (r == 0)
		take_addr(&addr, &tcp->peer, &tcp->ifindex);
	return r == -ENOTCONN ? 0 : r;
}

int cg_tcp_addresses_early(int fd, struct cg_tcp *tcp)
{
	union any_addr addr = {0};
	int r = cg_tcp_addresses(fd, tcp);
	if (r < 0 || tcp->peer.family)
		return r;
	unsigned len = tcp->local.family == AF_INET6 ? sizeof(addr.in6) : sizeof(addr.in); /* not a byte more */
	if (cg_sys_getsockopt(fd, SOL_SOCKET, SO_PEERNAME, &addr, &len) == 0)
		take_addr(&addr, &tcp->peer, &tcp->ifindex);
	return 0;
}

int cg_tcp_info(int fd, struct cg_tcp *ret)
{
	struct tcp_info info = {0};
	struct cg_tcp tcp = {0};
	unsigned info_len;
	int bound = 0, r = read_info(fd, &info, &info_len);
	if (r < 0)
		return r;
	tcp.state = info.tcpi_state;
	cg_tcp_take_info(&tcp, &info, info_len);
	if (int_option(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &bound) == 0)
		tcp.ifindex = (uint32_t)bound;
	r = cg_tcp_addresses(fd, &tcp);
	if (r < 0)
		return r;
	*ret = tcp;
	return 0;
}

int cg_tcp_identity(int fd, uint64_t *ret_inode, uint64_t *ret_cookie)
{
	struct stat st;
	uint64_t cookie = 0;
	unsigned len = sizeof(cookie);
	int r = cg_sys_getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len);
	if (r == -ENOTSOCK || r == -EBADF)
		return r;
	if (r < 0)
		cookie = 0; /* an old kernel, an emulator, a sandbox: the inode has to do */
	r = cg_sys_fstat(fd, &st);
	if (r < 0)
		return r;
	*ret_inode = st.st_ino;
	*ret_cookie = cookie;
	return 0;
}

int cg_tcp_unread(int fd, uint32_t *ret_bytes)
{
	int bytes = 0;
	int r = cg_sys_ioctl(fd, SIOCINQ, &bytes);
	if (r < 0)
		return r;
	*ret_bytes = (uint32_t)bytes;
	return 0;
}
