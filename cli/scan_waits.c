/*
 * scan_waits.c: whom the sockets in TIME_WAIT were connected to, by the service that was asked.
 */
#include <stdlib.h>
#include <string.h>

#include "scan_line.h"

enum { ROOM = 4096, SHOWN = 3 }; /* of more services than ROOM the later ones are in no line */

/* The lower port is the service's: those that the kernel gives out by itself are high. */
static struct cg_scan_wait service_of(const struct cg_tcp *tcp, unsigned space)
{
	struct cg_scan_wait wait = {.peer = tcp->peer, .space = space, .ours = tcp->local.port < tcp->peer.port};
	if (wait.ours)
		wait.peer.port = tcp->local.port;
	return wait;
}

static bool is_same(const struct cg_scan_wait *one, const struct cg_scan_wait *other)
{
	return one->space == other->space && one->ours == other->ours &&
	       memcmp(&one->peer, &other->peer, sizeof one->peer) == 0;
}

static size_t place_of(const struct cg_scan_wait *wait)
{
	uint32_t hash = wait->space + 1u;
	for (unsigned i = 0; i < sizeof wait->peer.bytes; i++)
		hash = (hash ^ wait->peer.bytes[i]) * 16777619u;
	return (hash ^ wait->peer.port) * 2654435761u % ROOM;
}

void cg_scan_waits_note(struct cg_scan *scan, unsigned space, const struct cg_tcp *tcp)
{
	struct cg_scan_wait wait = service_of(tcp, space);
	if (!scan->waits)
		scan->waits = calloc(ROOM, sizeof *scan->waits);
	size_t at = place_of(&wait);
	for (unsigned i = 0; scan->waits && i < ROOM; i++, at = (at + 1) % ROOM) {
		struct cg_scan_wait *there = &scan->waits[at];
		if (there->count && !is_same(there, &wait))
			continue;
		wait.count = there->gone ? 1 : there->count + 1;
		*there = wait;
		return;
	}
}

void cg_scan_waits_forget(struct cg_scan *scan, unsigned space)
{
	for (size_t i = 0; scan->waits && i < ROOM; i++)
		if (scan->waits[i].space == space)
			scan->waits[i].gone = true;
}

static int by_count(const void *a, const void *b)
{
	const struct cg_scan_wait *one = a, *other = b;
	return (one->count < other->count) - (one->count > other->count);
}

size_t cg_scan_waits_sort(struct cg_scan *scan)
{
	size_t kept = 0;
	for (size_t i = 0; scan->waits && i < ROOM; i++)
		if (scan->waits[i].count && !scan->waits[i].gone)
			scan->waits[kept++] = scan->waits[i];
	if (scan->waits)
		memset(scan->waits + kept, 0, (ROOM - kept) * sizeof *scan->waits);
	if (kept)
		qsort(scan->waits, kept, sizeof *scan->waits, by_count);
	return kept;
}

const struct cg_scan_wait *cg_scan_waits_at(const struct cg_scan *scan, size_t i)
{
	return scan->waits && i < ROOM && scan->waits[i].count ? &scan->waits[i] : NULL;
}

void cg_scan_line_waits(const struct cg_scan *scan, struct cg_buf *line)
{
	const struct cg_scan_wait *wait;
	char text[64];
	if (!cg_scan_waits_at(scan, 0))
		return;
	cg_scan_line_label(line, "peers");
	for (size_t i = 0; i < SHOWN && (wait = cg_scan_waits_at(scan, i)) != NULL; i++) {
		cg_addr_text(&wait->peer, text);
		if (wait->ours)
			*strrchr(text, ':') = '\0';
		cg_buf_fmt(line, "%s%s %s", i ? ", " : "", wait->ours ? "from" : "to", text);
		if (wait->ours)
			cg_buf_fmt(line, " at our port %u", wait->peer.port);
		cg_buf_fmt(line, " (%llu)", (unsigned long long)wait->count);
	}
	cg_scan_line_put(line, NULL);
}
