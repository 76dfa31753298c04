/*
 * scan_procnet.c: TCP sockets as /proc/PID/net/tcp and tcp6 list them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cli.h"
#include "scan.h"

/* The kernel prints each 32-bit word of an address, which is in network order, as a number of this machine. */
static bool take_address(const char *text, struct cg_addr *ret)
{
	size_t digits = strspn(text, "0123456789ABCDEFabcdef");
	unsigned words = (unsigned)digits / 8;
	*ret = (struct cg_addr){0};
	if ((digits != 8 && digits != 32) || text[digits] != ':')
		return false;
	for (unsigned i = 0; i < words; i++) {
		char word[9];
		memcpy(word, text + (size_t)8 * i, 8);
		word[8] = '\0';
		uint32_t value = (uint32_t)strtoul(word, NULL, 16);
		memcpy(ret->bytes + (size_t)4 * i, &value, 4);
	}
	ret->port = (uint16_t)strtoul(text + digits + 1, NULL, 16);
	ret->family = digits == 8 ? AF_INET : AF_INET6;
	return true;
}

/* A line such as "0: 0100007F:9A81 00000000:0000 0A 00000000:00000002 00:00000000 00000000 0 0 11093498 …". */
static bool take_line(const char *line, struct cg_tcp *ret)
{
	char local[48], peer[48];
	unsigned state, wqueue, rqueue;
	unsigned long long inode;
	static const char format[] = " %*u: %47s %47s %x %x:%x %*x:%*x %*x %*u %*u %llu";
	/* What the kernel prints has no number too large for its place. NOLINTNEXTLINE(cert-err34-c) */
	if (sscanf(line, format, local, peer, &state, &wqueue, &rqueue, &inode) != 6)
		return false;
	*ret = (struct cg_tcp){
	    .state = (uint8_t)state, .has_queues = true, .rqueue = rqueue, .wqueue = wqueue, .inode = inode};
	return take_address(local, &ret->local) && take_address(peer, &ret->peer);
}

static int read_table(pid_t pid, const char *name, cg_diag_visit *visit, void *context)
{
	char path[64], line[512];
	int error = 0;
	cg_common_print(path, sizeof path, "/proc/%d/net/%s", pid, name);
	FILE *table = fopen(path, "re");
	if (!table)
		return -errno;
	while (!error && fgets(line, sizeof line, table)) {
		struct cg_tcp tcp;
		if (take_line(line, &tcp))
			error = visit(&tcp, context);
	}
	fclose(table);
	return error;
}

int cg_scan_procnet(pid_t pid, cg_diag_visit *visit, void *context)
{
	int error = read_table(pid, "tcp", visit, context);
	if (error)
		return error;
	error = read_table(pid, "tcp6", visit, context);
	return error == -ENOENT ? 0 : error; /* a kernel without IPv6 */
}
