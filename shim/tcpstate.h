/*
 * tcpstate.h: a snapshot of the kernel's view of TCP sockets, by sock_diag(7) and TCP_INFO.
 *
 * Sweep only (or the command). No malloc: results go to the caller's memory. Functions return 0 or -errno.
 */
#ifndef CG_TCPSTATE_H
#define CG_TCPSTATE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The kernel's numbers (include/net/tcp_states.h); netinet/tcp.h's TCP_ names are the same ones. */
enum cg_tcp_state {
	CG_TCP_ESTABLISHED = 1,
	CG_TCP_SYN_SENT,
	CG_TCP_SYN_RECV,
	CG_TCP_FIN_WAIT1,
	CG_TCP_FIN_WAIT2,
	CG_TCP_TIME_WAIT,
	CG_TCP_CLOSE,
	CG_TCP_CLOSE_WAIT,
	CG_TCP_LAST_ACK,
	CG_TCP_LISTEN,
	CG_TCP_CLOSING
};

/* An address as the kernel gives it; family 0: unknown. IPv4 mapped into IPv6 stays AF_INET6. */
struct cg_addr {
	uint16_t family;
	uint16_t port;     /* host order */
	uint8_t bytes[16]; /* network order; IPv4 in the first four */
};

struct cg_tcp {
	uint8_t state;      /* enum cg_tcp_state; 0: the kernel would not tell */
	bool has_queues;    /* rqueue and wqueue are sock_diag's, or of a listener, where TCP_INFO gives the same */
	bool has_info;      /* the three times below are TCP_INFO's; false before the first segment has come in */
	bool was_connected; /* the handshake was completed once: tells a dead connection from a socket that never was
	                       one */
	uint32_t rqueue;    /* unread bytes, and 1 for an unread FIN; a listener's backlog now */
	uint32_t wqueue;    /* unacknowledged bytes, our FIN included; a listener's backlog limit */
	uint32_t ifindex;   /* the interface it is bound to (SO_BINDTODEVICE, link-local addresses), or 0 */
	uint32_t last_data_sent_ms;
	uint32_t last_data_recv_ms;
	uint32_t last_ack_recv_ms;
	uint64_t bytes_received;
	bool has_sent; /* data, ever: before, last_data_sent is the handshake's time */
	uint64_t inode; /* 0 in a dump: never accepted, or an orphan */
	uint64_t cookie;
	struct cg_addr local, peer;
};

/* "127.0.0.1:80", "[::1]:80"; a mapped address is shown as IPv4. Returns text (buffer). "" for family 0. */
const char *cg_addr_text(const struct cg_addr *addr, char text[64]);

/* "ESTABLISHED", "CLOSE_WAIT", …; "?" out of range. */
const char *cg_tcp_state_text(unsigned state);

/* Is it a TCP socket? 1 yes, 0 no (or no socket at all), -errno when it cannot be known. Two getsockopt calls. */
int cg_tcp_is_tcp(int fd);

/*
 * The state, times, interface and addresses of one descriptor by TCP_INFO, SO_BINDTOIFINDEX, getsockname, getpeername.
 * -ENOTCONN is no error.
 */
int cg_tcp_info(int fd, struct cg_tcp *ret);

/* The addresses alone, by getsockname and getpeername; -ENOTCONN is no error and leaves the peer's family 0. */
int cg_tcp_addresses(int fd, struct cg_tcp *tcp);

/* The same, and the peer of a connection that is still being made, which getpeername does not tell. */
int cg_tcp_addresses_early(int fd, struct cg_tcp *tcp);

/* Takes the times, or a listener's backlog, from the first `len` bytes of a struct tcp_info; tcp->state is given. */
void cg_tcp_take_info(struct cg_tcp *tcp, const void *info, size_t len);

/* Only the state, by TCP_INFO: about 0.5 us. Returns enum cg_tcp_state or -errno. */
int cg_tcp_state_of(int fd);

/* Identity: the inode by fstat and the cookie by SO_COOKIE (0 where that is not answered, as before Linux 4.12). */
int cg_tcp_identity(int fd, uint64_t *ret_inode, uint64_t *ret_cookie);

/* Unread bytes by SIOCINQ, which does not count the FIN: what remains where netlink is refused. */
int cg_tcp_unread(int fd, uint32_t *ret_bytes);

/*
 * A netlink socket for the dumps below: close-on-exec, non-blocking with a timeout of its own, never shared between
 * threads, for the caller to move out of the app's way (cg_ownfd_take). Returns the descriptor or -errno (seccomp,
 * RestrictAddressFamilies, an old container).
 */
int cg_diag_open(void);

/*
 * Calls visit for each TCP socket of this network namespace, IPv4 and IPv6, whose state's bit (1 << state) is set.
 * Stops early with visit's value where that is not 0. `buffer` of `size` (at least 16 KiB, and the same for one netlink
 * socket each time) is the caller's, aligned as malloc's. Times are given. Where the kernel says that its table changed
 * meanwhile the dump is done once more, so visit may see a socket twice.
 * Returns 0 or -errno; -ETIMEDOUT after 2 s without an answer, -EOPNOTSUPP where the kernel has no inet_diag.
 */
typedef int cg_diag_visit(const struct cg_tcp *tcp, void *context);
int cg_diag_dump(int netlink, uint32_t states, void *buffer, uint32_t size, cg_diag_visit *visit, void *context);

/*
 * Fills in queues, inode, cookie, times and the state of that moment for the one socket with ret's addresses, interface
 * and, where it is not 0, cookie, by an exact query. -ENOENT: no such socket (gone, in CLOSE, or in another network
 * namespace).
 */
int cg_diag_query(int netlink, struct cg_tcp *ret);

#endif
