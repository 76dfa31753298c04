/* option_names.c: the socket options that a policy can name. */
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "option_names.h"
#include "policy.h"

/* Newer than the headers that this may be built with; the kernel's numbers do not change. */
enum { NEW_TCP_RTO_MAX_MS = 44, NEW_SO_PREFER_BUSY_POLL = 69, NEW_SO_BUSY_POLL_BUDGET = 70 };

#define SOCKET(name)                                                                                                   \
	{                                                                                                              \
#name, SOL_SOCKET, name                                                                                \
	}
#define TCP(name)                                                                                                      \
	{                                                                                                              \
#name, IPPROTO_TCP, name                                                                               \
	}
#define IPV4(name)                                                                                                     \
	{                                                                                                              \
#name, IPPROTO_IP, name                                                                                \
	}
#define IPV6(name)                                                                                                     \
	{                                                                                                              \
#name, IPPROTO_IPV6, name                                                                              \
	}

const struct cg_option_name cg_option_names[] = {
    IPV6(IPV6_RECVTCLASS),
    IPV6(IPV6_TCLASS),
    IPV6(IPV6_UNICAST_HOPS),
    IPV6(IPV6_V6ONLY),
    IPV4(IP_BIND_ADDRESS_NO_PORT),
    IPV4(IP_FREEBIND),
    IPV4(IP_MTU_DISCOVER),
    IPV4(IP_RECVTOS),
    IPV4(IP_TOS),
    IPV4(IP_TRANSPARENT),
    IPV4(IP_TTL),
    SOCKET(SO_ATTACH_FILTER),
    SOCKET(SO_BINDTODEVICE),
    SOCKET(SO_BROADCAST),
    SOCKET(SO_BUSY_POLL),
    {"SO_BUSY_POLL_BUDGET", SOL_SOCKET, NEW_SO_BUSY_POLL_BUDGET},
    SOCKET(SO_DEBUG),
    SOCKET(SO_DONTROUTE),
    SOCKET(SO_INCOMING_CPU),
    SOCKET(SO_KEEPALIVE),
    SOCKET(SO_LINGER),
    SOCKET(SO_MARK),
    SOCKET(SO_MAX_PACING_RATE),
    SOCKET(SO_OOBINLINE),
    {"SO_PREFER_BUSY_POLL", SOL_SOCKET, NEW_SO_PREFER_BUSY_POLL},
    SOCKET(SO_PRIORITY),
    SOCKET(SO_RCVBUF),
    SOCKET(SO_RCVBUFFORCE),
    SOCKET(SO_RCVLOWAT),
    SOCKET(SO_RCVTIMEO),
    SOCKET(SO_REUSEADDR),
    SOCKET(SO_REUSEPORT),
    SOCKET(SO_SNDBUF),
    SOCKET(SO_SNDBUFFORCE),
    SOCKET(SO_SNDTIMEO),
    SOCKET(SO_TIMESTAMP),
    SOCKET(SO_TIMESTAMPNS),
    SOCKET(SO_ZEROCOPY),
    TCP(TCP_CONGESTION),
    TCP(TCP_CORK),
    TCP(TCP_DEFER_ACCEPT),
    TCP(TCP_FASTOPEN),
    TCP(TCP_FASTOPEN_CONNECT),
    TCP(TCP_FASTOPEN_NO_COOKIE),
    TCP(TCP_INQ),
    TCP(TCP_KEEPCNT),
    TCP(TCP_KEEPIDLE),
    TCP(TCP_KEEPINTVL),
    TCP(TCP_LINGER2),
    TCP(TCP_MAXSEG),
    TCP(TCP_MD5SIG),
    TCP(TCP_NODELAY),
    TCP(TCP_NOTSENT_LOWAT),
    TCP(TCP_QUICKACK),
    {"TCP_RTO_MAX_MS", IPPROTO_TCP, NEW_TCP_RTO_MAX_MS},
    TCP(TCP_SAVE_SYN),
    TCP(TCP_SYNCNT),
    TCP(TCP_THIN_DUPACK),
    TCP(TCP_THIN_LINEAR_TIMEOUTS),
    TCP(TCP_TIMESTAMP),
    TCP(TCP_TX_DELAY),
    TCP(TCP_ULP),
    TCP(TCP_USER_TIMEOUT),
    TCP(TCP_WINDOW_CLAMP),
    {NULL, 0, 0},
};

const struct cg_option_name *cg_option_names_find(const char *name)
{
	for (const struct cg_option_name *option = cg_option_names; option->name; option++)
		if (strcmp(option->name, name) == 0)
			return option;
	return NULL;
}

const char *cg_policy_option_name(int level, int name)
{
	for (const struct cg_option_name *option = cg_option_names; option->name; option++)
		if (option->level == level && option->number == name)
			return option->name;
	return NULL;
}
