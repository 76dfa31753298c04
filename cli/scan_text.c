/*
 * scan_text.c: what `closeguard scan` found, for a person.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "scan_line.h"
#include "watched.h"

enum { LINE_ROOM = 2048 };

static const char *cause_text(enum cg_cause cause)
{
	switch (cause) {
	case CG_CAUSE_EOF_IGNORED:
		return "the end was read, and it was not closed";
	case CG_CAUSE_DATA_UNREAD:
		return "data waits in front of the end";
	case CG_CAUSE_FIN_UNREAD:
		return "only the end is unread";
	case CG_CAUSE_NEVER_ACCEPTED:
		return "never accepted";
	case CG_CAUSE_HALF_CLOSE:
		return "a half-close in use";
	default:
		return "";
	}
}

/* How many of the listed sockets are of each class, and of each cause. */
struct tally {
	size_t class[CG_SCAN_CLASSES];
	size_t cause[CG_CAUSE_COUNT];
	size_t old, shared;
	const struct cg_scan_socket *oldest;
};

static struct tally tally_of(const struct cg_scan *scan, const size_t *list, size_t count)
{
	struct tally tally = {.oldest = NULL};
	for (size_t i = 0; i < count; i++) {
		const struct cg_scan_socket *socket = &scan->sockets[list[i]];
		tally.class[socket->class]++;
		tally.cause[socket->judgement.cause]++;
		tally.shared += cg_scan_holders(scan, socket) > 1;
		if (socket->class != CG_SCAN_CLOSE_WAIT)
			continue;
		tally.old += socket->old;
		if (!tally.oldest)
			tally.oldest = socket; /* the list begins with it */
	}
	return tally;
}

static const char *headline_of(enum cg_scan_class class)
{
	static const char *const texts[CG_SCAN_CLASSES] = {
	    [CG_SCAN_CLOSE_WAIT] = "in CLOSE_WAIT",
	    [CG_SCAN_LAST_ACK] = "in LAST_ACK",
	    [CG_SCAN_CLOSING] = "in CLOSING",
	    [CG_SCAN_FIN_WAIT1] = "in FIN_WAIT1",
	    [CG_SCAN_FIN_WAIT2] = "in FIN_WAIT2",
	    [CG_SCAN_DEAD] = "dead and still held",
	    [CG_SCAN_UNCONNECTED] = "dead or not connected",
	    [CG_SCAN_BACKLOG] = "waiting for accept()",
	    [CG_SCAN_TIME_WAIT] = "in TIME_WAIT",
	};
	return texts[class];
}

static void put_counts(const struct tally *tally, struct cg_buf *line)
{
	const char *comma = "";
	for (unsigned i = 0; i < CG_SCAN_CLASSES; i++) {
		if (!tally->class[i])
			continue;
		cg_buf_fmt(line, "%s%zu %s", comma, tally->class[i], headline_of(i));
		comma = ", ";
	}
}

static void put_causes(const struct tally *tally, struct cg_buf *line)
{
	for (unsigned i = 1; i < CG_CAUSE_COUNT; i++) {
		if (!tally->cause[i])
			continue;
		cg_scan_line_label(line, cg_cause_name(i));
		cg_buf_fmt(line, "%zu: %s", tally->cause[i], cause_text(i));
		cg_scan_line_put(line, NULL);
	}
}

static void put_watched(pid_t pid, struct cg_buf *line)
{
	struct cg_watched *watched = malloc(sizeof *watched);
	if (!watched)
		return;
	cg_watched_look(pid, watched);
	cg_scan_line_label(line, "watched");
	if (watched->recorded && watched->searched)
		cg_buf_fmt(line, "yes: `closeguard report %d` knows the lines", pid);
	else if (watched->recorded)
		cg_buf_fmt(line, "yes: `closeguard report %s` knows the lines", watched->recorder);
	else if (watched->loaded == 1)
		cg_buf_str(line, "the library is loaded, and keeps no record that can be found");
	else
		cg_buf_fmt(line, "no: `closeguard explain %d` says why", pid);
	cg_scan_line_put(line, NULL);
	free(watched);
}

static void tell_list(const struct cg_scan *scan, const size_t *list, size_t count, unsigned limit, struct cg_buf *line)
{
	for (size_t i = 0; i < count && i < limit; i++)
		cg_scan_line_socket(scan, &scan->sockets[list[i]], line);
	if (count > limit && limit) {
		cg_buf_fmt(line, "  ... and %zu more", count - limit);
		cg_scan_line_put(line, NULL);
	}
}

static void tell_owner(const struct cg_scan *scan, long owner, unsigned limit, struct cg_buf *line)
{
	size_t count;
	size_t *list = cg_scan_of(scan, owner, &count);
	struct tally tally = tally_of(scan, list, count);
	if (count && owner >= 0)
		cg_scan_line_process(scan, owner, line);
	else if (count)
		cg_buf_str(line, owner == CG_SCAN_NOBODY ? "no process any more" : "processes that cannot be seen");
	if (count) {
		cg_buf_str(line, ": ");
		put_counts(&tally, line);
		if (tally.oldest && tally.oldest->has_age) {
			cg_buf_str(line, ", oldest");
			cg_scan_line_age(tally.oldest, line);
		}
		cg_scan_line_put(line, tally.old ? "1;31" : "1");
		put_causes(&tally, line);
		if (owner >= 0)
			put_watched(scan->processes[owner].pid, line);
		if (owner >= 0 && tally.oldest)
			cg_scan_line_next(scan, owner, line);
		cg_scan_line_peers(scan, list, count, line);
		tell_list(scan, list, count, limit, line);
	}
	free(list);
}

static void tell_listener(const struct cg_scan *scan, size_t index, unsigned limit, struct cg_buf *line)
{
	const struct cg_scan_listener *listener = &scan->listeners[index];
	char text[64];
	unsigned told = 0;
	if (!listener->waiting && !listener->abandoned)
		return;
	cg_scan_line_process(scan, listener->owner, line);
	cg_buf_fmt(line, ": listener %s", cg_addr_text(&listener->tcp.local, text));
	if (listener->sockets > 1)
		cg_buf_fmt(line, " (%u sockets)", listener->sockets);
	cg_buf_fmt(line, ", %u of %u in its backlog: %u never accepted and in CLOSE_WAIT, %u waiting",
	           listener->tcp.rqueue, listener->tcp.wqueue, listener->abandoned, listener->waiting);
	cg_scan_line_put(line, listener->abandoned ? "1;31" : "1");
	if (listener->abandoned && listener->owner >= 0)
		cg_scan_line_next(scan, listener->owner, line);
	for (size_t i = 0; i < scan->socket_count; i++) {
		if (scan->sockets[i].listener != (long)index || told++ >= limit)
			continue;
		cg_scan_line_socket(scan, &scan->sockets[i], line);
	}
	if (told > limit && limit) {
		cg_buf_fmt(line, "  ... and %u more", told - limit);
		cg_scan_line_put(line, NULL);
	}
}

/* What was not seen, and how it could be. */
static void tell_limits(const struct cg_scan *scan, struct cg_buf *line)
{
	if (scan->unreadable) {
		cg_buf_fmt(line,
		           "%u processes could not be looked into: for those of other users, run this as root or with "
		           "CAP_SYS_PTRACE",
		           scan->unreadable);
		cg_scan_line_put(line, NULL);
	}
	if (scan->elsewhere && scan->all) {
		cg_buf_fmt(line, "%u processes are in other network namespaces: --all-netns looks there too",
		           scan->elsewhere);
		cg_scan_line_put(line, NULL);
	}
	for (size_t i = 0; i < scan->space_count; i++) {
		const struct cg_scan_space *space = &scan->spaces[i];
		if (!space->wanted || space->way == CG_SCAN_DIAG)
			continue;
		cg_buf_fmt(line, "network namespace %llu", (unsigned long long)space->inode);
		if (space->pid)
			cg_buf_fmt(line, " (of process %d)", space->pid);
		cg_buf_fmt(line,
		           " may not be asked by sock_diag (%s; it takes CAP_SYS_ADMIN): ", strerror(-space->error));
		cg_buf_str(line, space->way == CG_SCAN_PROC ? "told from /proc/net/tcp, without ages" : "not told");
		cg_scan_line_put(line, NULL);
	}
}

static uint64_t time_waits_of(const struct cg_scan *scan)
{
	uint64_t count = 0;
	for (size_t i = 0; i < scan->space_count; i++)
		count += scan->spaces[i].time_waits;
	return count;
}

void cg_scan_text(const struct cg_scan *scan, unsigned limit)
{
	static char room[LINE_ROOM];
	struct cg_buf line;
	uint64_t time_waits = scan->all && scan->classes >> CG_SCAN_TIME_WAIT & 1 ? time_waits_of(scan) : 0;
	cg_buf_init(&line, room, sizeof room);
	cg_scan_line_begin();
	for (size_t i = 0; i < scan->process_count; i++)
		tell_owner(scan, (long)i, limit, &line);
	for (size_t i = 0; i < scan->listener_count; i++)
		tell_listener(scan, i, limit, &line);
	tell_owner(scan, CG_SCAN_UNSEEN, limit, &line);
	tell_owner(scan, CG_SCAN_NOBODY, limit, &line);
	if (time_waits) {
		cg_buf_fmt(&line, "%llu in TIME_WAIT, which the kernel ends by itself after a minute",
		           (unsigned long long)time_waits);
		cg_scan_line_put(&line, NULL);
		cg_scan_line_waits(scan, &line);
	}
	if (!scan->socket_count) {
		cg_buf_str(&line, "nothing to tell: no such socket");
		cg_scan_line_put(&line, NULL);
	}
	tell_limits(scan, &line);
}
