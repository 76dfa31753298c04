/* procfs_tcp.c: TCP sockets as /proc/net/tcp lists them, for where netlink is refused. */
#include "procfs_tcp.h"

#include <string.h>

#include "ownfd.h"
#include "procfs_lines.h"
#include "sys.h"

enum { FIELDS = 10, INODE = 9 };

static unsigned digit(char c)
{
	return c >= '0' && c <= '9' ? (unsigned)(c - '0') : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10 : 99;
}

static uint64_t take(const char **at, unsigned base, unsigned most)
{
	uint64_t value = 0;
	for (; most && digit(**at) < base; ++*at, most--)
		value = value * base + digit(**at);
	return value;
}

/* "0100007F:1F90": words as they are in memory, then the port. */
static void take_address(const char *at, uint16_t family, struct cg_addr *ret)
{
	unsigned words = family == AF_INET ? 1 : 4;
	ret->family = family;
	for (unsigned i = 0; i < words; i++) {
		uint32_t word = (uint32_t)take(&at, 16, 8);
		memcpy(ret->bytes + (size_t)4 * i, &word, sizeof(word));
	}
	if (*at == ':')
		at++;
	ret->port = (uint16_t)take(&at, 16, 4);
}

/* The starts of the fields, which blanks separate: number, local, peer, state, queues, timer, …, inode. */
static bool split(const char *line, const char *fields[FIELDS])
{
	for (unsigned i = 0; i < FIELDS; i++) {
		while (*line == ' ')
			line++;
		if (!*line)
			return false;
		fields[i] = line;
		line += strcspn(line, " ");
	}
	return true;
}

static int take_line(const char *line, uint16_t family, cg_diag_visit *visit, void *context)
{
	static const uint8_t any[16];
	const char *fields[FIELDS], *at;
	struct cg_tcp tcp = {.has_queues = true};
	if (!split(line, fields) || !strchr(fields[1], ':'))
		return 0; /* the heading */
	take_address(fields[1], family, &tcp.local);
	take_address(fields[2], family, &tcp.peer);
	if (!tcp.peer.port && memcmp(tcp.peer.bytes, any, sizeof(any)) == 0)
		tcp.peer.family = 0;
	at = fields[3];
	tcp.state = (uint8_t)take(&at, 16, 2);
	at = fields[4];
	tcp.wqueue = (uint32_t)take(&at, 16, 8);
	at += *at == ':';
	tcp.rqueue = (uint32_t)take(&at, 16, 8);
	at = fields[INODE];
	tcp.inode = take(&at, 10, 20);
	return visit(&tcp, context);
}

static int list(const char *path, uint16_t family, cg_diag_visit *visit, void *context)
{
	struct cg_proc_lines lines = {.fd = cg_sys_open(path, O_RDONLY, 0)};
	const char *line;
	int r;
	if (lines.fd < 0)
		return lines.fd;
	lines.fd = cg_ownfd_take(lines.fd);
	while ((r = cg_proc_next_line(&lines, &line)) > 0) {
		r = take_line(line, family, visit, context);
		if (r)
			break;
	}
	cg_ownfd_close(lines.fd);
	return r;
}

int cg_proc_tcp(cg_diag_visit *visit, void *context)
{
	int r = list("/proc/self/net/tcp", AF_INET, visit, context);
	int r6 = r ? r : list("/proc/self/net/tcp6", AF_INET6, visit, context);
	return r6 == -ENOENT ? r : r6; /* a kernel without IPv6 */
}
