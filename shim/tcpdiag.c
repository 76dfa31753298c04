/* tcpdiag.c: TCP sockets as sock_diag(7) lists them. */
#include "tcpstate.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

#include "clock.h"
#include "sys.h"

enum {
	DUMP_BUFFER_MIN = 16 << 10, /* the kernel never packs more into a dump's datagram than was last asked for */
	QUERY_BUFFER = 2048,        /* one socket with its tcp_info is about 500 bytes */
	ANSWER_TIMEOUT_MS = 2000,   /* the kernel answers inside the send; more than this is a broken sandbox */
	FINISHED = -4096 /* a result besides 0 (go on), visit's values and -errno: the last answer is there */
};

struct exchange {
	int netlink;
	uint32_t seq;
	void *buffer;
	uint32_t size;
	cg_diag_visit *visit;
	void *context;
	bool torn; /* the kernel says that its table changed under the dump */
};

int cg_diag_open(void)
{
	/* Connected to the kernel: no other process can put answers into our queue. */
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	int fd = cg_sys_socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
	if (fd < 0)
		return fd;
	int r = cg_sys_connect(fd, &kernel, sizeof(kernel));
	if (r == 0)
		return fd;
	cg_sys_close(fd);
	return r;
}

static int send_request(struct exchange *ex, uint16_t flags, const struct inet_diag_req_v2 *body)
{
	static _Atomic uint32_t sequence;
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 body;
	} request = {.body = *body};
	ex->seq = atomic_fetch_add_explicit(&sequence, 1, memory_order_relaxed) + 1;
	request.header.nlmsg_len = sizeof(request);
	request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
	request.header.nlmsg_flags = NLM_F_REQUEST | flags;
	request.header.nlmsg_seq = ex->seq;
	ssize_t n;
	do
		n = cg_sys_sendto(ex->netlink, &request, sizeof(request), MSG_NOSIGNAL, NULL, 0);
	while (n == -EINTR);
	return n < 0 ? (int)n : n == sizeof(request) ? 0 : -EIO;
}

/* An app that puts a connection of its own over the number is not to lose a byte of it to us. */
static bool is_the_apps(int fd)
{
	struct sockaddr_storage name = {0};
	unsigned len = sizeof(name), type_len = sizeof(int);
	int type = 0;
	if (cg_sys_getsockname(fd, &name, &len) < 0 || cg_sys_getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len) < 0)
		return true;
	return type == SOCK_STREAM || name.ss_family == AF_INET || name.ss_family == AF_INET6;
}

/* One datagram by its true length, which may be more than the buffer holds. -ETIMEDOUT once it is past the deadline. */
static ssize_t receive(const struct exchange *ex, uint64_t deadline)
{
	for (;;) {
		if (is_the_apps(ex->netlink))
			return -EBADF;
		ssize_t n = cg_sys_recvfrom(ex->netlink, ex->buffer, ex->size, MSG_DONTWAIT | MSG_TRUNC);
		if (n > 0)
			return n;
		if (n == 0)
			return -EPIPE;
		if (n != -EAGAIN && n != -EINTR)
			return n;
		uint64_t now = cg_clock_ns(CLOCK_MONOTONIC);
		if (now >= deadline)
			return -ETIMEDOUT;
		short events;
		int r = n == -EINTR
		            ? 0
		            : cg_sys_poll1(ex->netlink, POLLIN, (int)((deadline - now) / 1000000u) + 1, &events);
		if (r < 0 && r != -EINTR)
			return r;
	}
}

static uint64_t answer_deadline(void)
{
	return cg_clock_ns(CLOCK_MONOTONIC) + ANSWER_TIMEOUT_MS * 1000000ull;
}

static void take_addr(uint8_t family, uint16_t port, const uint32_t *words, struct cg_addr *ret)
{
	static const uint8_t any[16];
	size_t len = family == AF_INET ? 4 : 16;
	if (port == 0 && memcmp(words, any, len) == 0)
		return; /* a listener's peer: none, as getpeername has it */
	ret->family = family;
	ret->port = ntohs(port);
	memcpy(ret->bytes, words, len);
}

static void take_attributes(const uint8_t *at, size_t left, struct cg_tcp *tcp)
{
	while (left >= sizeof(struct rtattr)) {
		const struct rtattr *attr = (const void *)at;
		if (attr->rta_len < sizeof(*attr) || attr->rta_len > left)
			return;
		if (attr->rta_type == INET_DIAG_INFO)
			cg_tcp_take_info(tcp, at + RTA_LENGTH(0), attr->rta_len - RTA_LENGTH(0));
		size_t step = RTA_ALIGN(attr->rta_len);
		at += step;
		left = step < left ? left - step : 0;
	}
}

static int take_socket(const struct exchange *ex, const struct nlmsghdr *header)
{
	const struct inet_diag_msg *msg = NLMSG_DATA(header);
	struct cg_tcp tcp = {0};
	if (header->nlmsg_len < NLMSG_LENGTH(sizeof(*msg)))
		return -EBADMSG;
	if (msg->idiag_family != AF_INET && msg->idiag_family != AF_INET6)
		return 0;
	tcp.state = msg->idiag_state;
	take_attributes((const uint8_t *)(msg + 1), header->nlmsg_len - NLMSG_LENGTH(sizeof(*msg)), &tcp);
	tcp.has_queues = true;
	tcp.rqueue = msg->idiag_rqueue;
	tcp.wqueue = msg->idiag_wqueue;
	tcp.inode = msg->idiag_inode;
	tcp.ifindex = msg->id.idiag_if;
	tcp.cookie = (uint64_t)msg->id.idiag_cookie[1] << 32 | msg->id.idiag_cookie[0];
	take_addr(msg->idiag_family, msg->id.idiag_sport, msg->id.idiag_src, &tcp.local);
	take_addr(msg->idiag_family, msg->id.idiag_dport, msg->id.idiag_dst, &tcp.peer);
	return ex->visit(&tcp, ex->context);
}

/* NLMSG_ERROR and NLMSG_DONE both begin with an int: 0 or -errno. Older kernels' NLMSG_DONE may lack it. */
static int take_status(const struct nlmsghdr *header)
{
	int status = 0;
	if (header->nlmsg_len >= NLMSG_LENGTH(sizeof(status)))
		memcpy(&status, NLMSG_DATA(header), sizeof(status));
	else if (header->nlmsg_type == NLMSG_ERROR)
		return -EBADMSG;
	return status < 0 ? status : FINISHED;
}

static int take_message(struct exchange *ex, const struct nlmsghdr *header)
{
	if (header->nlmsg_seq != ex->seq)
		return 0; /* of an earlier exchange that was given up */
	if (header->nlmsg_flags & NLM_F_DUMP_INTR)
		ex->torn = true;
	switch (header->nlmsg_type) {
	case SOCK_DIAG_BY_FAMILY:
		return take_socket(ex, header);
	case NLMSG_ERROR:
	case NLMSG_DONE:
		return take_status(header);
	default:
		return 0;
	}
}

static int take_datagram(struct exchange *ex, size_t len)
{
	const uint8_t *at = ex->buffer;
	size_t left = len < ex->size ? len : ex->size;
	bool ours = false;
	while (left >= sizeof(struct nlmsghdr)) {
		const struct nlmsghdr *header = (const void *)at;
		ours = header->nlmsg_seq == ex->seq;
		if (header->nlmsg_len < sizeof(*header) || header->nlmsg_len > left)
			return !ours ? 0 : len > ex->size ? -EMSGSIZE : -EBADMSG;
		int r = take_message(ex, header);
		if (r)
			return r;
		size_t step = NLMSG_ALIGN(header->nlmsg_len);
		at += step;
		left = step < left ? left - step : 0;
	}
	return ours && len > ex->size ? -EMSGSIZE : 0;
}

/* Reads answers until the last one. Returns FINISHED, visit's value or -errno. */
static int collect(struct exchange *ex)
{
	int r = 0;
	while (r == 0) {
		ssize_t n = receive(ex, answer_deadline());
		r = n < 0 ? (int)n : take_datagram(ex, (size_t)n);
	}
	return r;
}

/*
 * Reads away what an abandoned dump left: the kernel refuses a second dump while one is unfinished, and goes on with it
 * at each read. So who stops a dump early pays for the rest of it at the next one. What was dropped is told of once; an
 * answer that stays the same is not to be asked for until the deadline.
 */
static int drain(const struct exchange *ex)
{
	enum { OVERRUNS_MAX = 8 };
	uint64_t deadline = answer_deadline();
	for (unsigned overruns = 0;;) {
		ssize_t n = receive(ex, 0);
		if (n == -ETIMEDOUT)
			return 0;
		if (n < 0 && (n != -ENOBUFS || ++overruns > OVERRUNS_MAX))
			return (int)n;
		if (cg_clock_ns(CLOCK_MONOTONIC) >= deadline)
			return -ETIMEDOUT;
	}
}

static int dump_family(struct exchange *ex, uint8_t family, uint32_t states)
{
	struct inet_diag_req_v2 body = {
	    .sdiag_family = family,
	    .sdiag_protocol = IPPROTO_TCP,
	    .idiag_ext = 1 << (INET_DIAG_INFO - 1),
	    .idiag_states = states,
	};
	ex->torn = false;
	int r = send_request(ex, NLM_F_DUMP, &body);
	if (r == 0)
		r = collect(ex);
	if (r == -ENOENT)
		return -EOPNOTSUPP; /* the kernel has no inet_diag for this family */
	return r == FINISHED ? 0 : r;
}

int cg_diag_dump(int netlink, uint32_t states, void *buffer, uint32_t size, cg_diag_visit *visit, void *context)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct exchange ex = {.netlink = netlink, .buffer = buffer, .size = size, .visit = visit, .context = context};
	if (size < DUMP_BUFFER_MIN)
		return -EINVAL;
	int r = drain(&ex);
	for (unsigned i = 0; r == 0 && i < sizeof(families); i++) {
		r = dump_family(&ex, families[i], states);
		/* Once only: a table that never rests would keep us here, and the next sweep looks again anyway. */
		if (r == 0 && ex.torn)
			r = dump_family(&ex, families[i], states);
	}
	return r;
}

struct wanted {
	const struct cg_tcp *tcp;
	struct cg_tcp found;
};

/* Where the connection is gone, the kernel answers with the listener of its local address. */
static int take_wanted(const struct cg_tcp *tcp, void *context)
{
	struct wanted *wanted = context;
	if (memcmp(&tcp->local, &wanted->tcp->local, sizeof(tcp->local)) != 0 ||
	    memcmp(&tcp->peer, &wanted->tcp->peer, sizeof(tcp->peer)) != 0)
		return -ENOENT;
	if (wanted->tcp->state && (wanted->tcp->state == CG_TCP_LISTEN) != (tcp->state == CG_TCP_LISTEN))
		return -ENOENT;
	wanted->found = *tcp;
	return FINISHED;
}

static void give_addr(const struct cg_addr *addr, uint16_t *port, uint32_t *words)
{
	*port = htons(addr->port);
	memcpy(words, addr->bytes, sizeof(addr->bytes));
}

int cg_diag_query(int netlink, struct cg_tcp *ret)
{
	_Alignas(struct nlmsghdr) uint8_t buffer[QUERY_BUFFER];
	struct wanted wanted = {.tcp = ret};
	struct exchange ex = {.netlink = netlink, .buffer = buffer, .size = sizeof(buffer), .visit = take_wanted};
	struct inet_diag_req_v2 body = {.sdiag_protocol = IPPROTO_TCP, .idiag_ext = 1 << (INET_DIAG_INFO - 1)};
	ex.context = &wanted;
	if (ret->local.family != AF_INET && ret->local.family != AF_INET6)
		return -EAFNOSUPPORT;
	body.sdiag_family = (uint8_t)ret->local.family;
	body.idiag_states = ~0u;
	body.id.idiag_if = ret->ifindex;
	body.id.idiag_cookie[0] = ret->cookie ? (uint32_t)ret->cookie : INET_DIAG_NOCOOKIE;
	body.id.idiag_cookie[1] = ret->cookie ? (uint32_t)(ret->cookie >> 32) : INET_DIAG_NOCOOKIE;
	give_addr(&ret->local, &body.id.idiag_sport, body.id.idiag_src);
	give_addr(&ret->peer, &body.id.idiag_dport, body.id.idiag_dst);
	int r = send_request(&ex, 0, &body);
	if (r == 0)
		r = collect(&ex);
	if (r != FINISHED)
		return r == -ESTALE ? -ENOENT : r;
	if (wanted.found.state == 0)
		return -EBADMSG;
	*ret = wanted.found;
	return 0;
}
