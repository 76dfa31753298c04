/*
 * scan_json.c: what `closeguard scan` found, as one JSON object on one line.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fmt.h"
#include "json_text.h"
#include "scan.h"
#include "watched.h"

static json_t *seconds(uint64_t ns)
{
	uint64_t ms = ns / 1000000; /* no more than the kernel tells */
	return json_real((double)ms / 1000.0);
}

static json_t *address_of(const struct cg_addr *addr)
{
	char text[64];
	return addr->family ? json_string(cg_addr_text(addr, text)) : json_null();
}

static json_t *holders_of(const struct cg_scan *scan, const struct cg_scan_socket *socket)
{
	json_t *list = json_array();
	for (unsigned i = 0; i < socket->holds; i++) {
		const struct cg_scan_hold *hold = &scan->holds[socket->first_hold + i];
		json_array_append_new(
		    list, json_pack("{s:i,s:i}", "pid", scan->processes[hold->process].pid, "fd", hold->fd));
	}
	return list;
}

static json_t *number_if(bool known, json_int_t number)
{
	return known ? json_integer(number) : json_null();
}

static json_t *socket_of(const struct cg_scan *scan, const struct cg_scan_socket *socket)
{
	const struct cg_judgement *j = &socket->judgement;
	const struct cg_tcp *tcp = &socket->tcp;
	const char *cause = cg_cause_name(j->cause);
	json_t *one = json_pack("{s:s,s:s,s:b,s:o,s:o}", "class", cg_scan_class_name(socket->class), "state",
	                        cg_tcp_state_text(tcp->state), "old", socket->old, "local", address_of(&tcp->local),
	                        "peer", address_of(&tcp->peer));
	bool unread = socket->class == CG_SCAN_CLOSE_WAIT && tcp->has_queues;
	json_object_set_new(one, "cause", *cause ? json_string(cause) : json_null());
	json_object_set_new(one, "age_s", socket->has_age ? seconds(j->age_ns) : json_null());
	json_object_set_new(one, "age_max_s", socket->has_age && j->age_max_ns ? seconds(j->age_max_ns) : json_null());
	json_object_set_new(one, "age_source",
	                    socket->has_age ? json_string(cg_age_source_name(j->age_source)) : json_null());
	json_object_set_new(one, "unread_bytes", number_if(unread, tcp->rqueue ? tcp->rqueue - 1 : 0));
	json_object_set_new(one, "unsent_bytes", number_if(tcp->has_queues, tcp->wqueue));
	json_object_set_new(one, "inode", number_if(tcp->inode != 0, (json_int_t)tcp->inode));
	json_object_set_new(one, "netns", json_integer((json_int_t)scan->spaces[socket->space].inode));
	json_object_set_new(one, "holders", holders_of(scan, socket));
	return one;
}

static json_t *sockets_of(const struct cg_scan *scan, const size_t *list, size_t count, unsigned limit)
{
	json_t *sockets = json_array();
	for (size_t i = 0; i < count && i < limit; i++)
		json_array_append_new(sockets, socket_of(scan, &scan->sockets[list[i]]));
	return sockets;
}

static json_t *counts_of(const struct cg_scan *scan, const size_t *list, size_t count)
{
	json_t *counts = json_object();
	size_t of[CG_SCAN_CLASSES] = {0};
	for (size_t i = 0; i < count; i++)
		of[scan->sockets[list[i]].class]++;
	for (unsigned i = 0; i < CG_SCAN_CLASSES; i++)
		if (of[i])
			json_object_set_new(counts, cg_scan_class_name(i), json_integer((json_int_t)of[i]));
	return counts;
}

static void add_watched(json_t *one, pid_t pid)
{
	struct cg_watched *watched = malloc(sizeof *watched);
	if (!watched)
		return;
	cg_watched_look(pid, watched);
	json_object_set_new(one, "watched", watched->loaded < 0 ? json_null() : json_boolean(watched->loaded));
	json_object_set_new(one, "recorder", watched->recorded ? cg_json_text(watched->recorder) : json_null());
	free(watched);
}

/* NULL where the owner has nothing to be told of. */
static json_t *owner_of(const struct cg_scan *scan, long owner, unsigned limit)
{
	size_t count;
	size_t *list = cg_scan_of(scan, owner, &count);
	json_t *one = count ? json_object() : NULL;
	if (one && owner >= 0) {
		const struct cg_scan_process *process = &scan->processes[owner];
		json_object_set_new(one, "pid", json_integer(process->pid));
		json_object_set_new(one, "name", cg_json_text(process->name));
		json_object_set_new(one, "netns", number_if(process->space != 0, (json_int_t)process->space));
		add_watched(one, process->pid);
	}
	if (one) {
		json_object_set_new(one, "counts", counts_of(scan, list, count));
		json_object_set_new(one, "sockets", sockets_of(scan, list, count, limit));
	}
	free(list);
	return one;
}

static json_t *processes_of(const struct cg_scan *scan, unsigned limit)
{
	json_t *list = json_array();
	for (size_t i = 0; i < scan->process_count; i++) {
		json_t *one = owner_of(scan, (long)i, limit);
		if (one)
			json_array_append_new(list, one);
	}
	return list;
}

static json_t *waiting_of(const struct cg_scan *scan, size_t listener, unsigned limit)
{
	json_t *list = json_array();
	for (size_t i = 0; i < scan->socket_count; i++)
		if (scan->sockets[i].listener == (long)listener && json_array_size(list) < limit)
			json_array_append_new(list, socket_of(scan, &scan->sockets[i]));
	return list;
}

static json_t *listeners_of(const struct cg_scan *scan, unsigned limit)
{
	json_t *list = json_array();
	for (size_t i = 0; i < scan->listener_count; i++) {
		const struct cg_scan_listener *one = &scan->listeners[i];
		if (!one->waiting && !one->abandoned)
			continue;
		json_array_append_new(
		    list,
		    json_pack("{s:o,s:o,s:i,s:i,s:i,s:i,s:i,s:I,s:o}", "pid",
		              number_if(one->owner >= 0, one->owner >= 0 ? scan->processes[one->owner].pid : 0),
		              "local", address_of(&one->tcp.local), "sockets", (int)one->sockets, "backlog",
		              (int)one->tcp.rqueue, "backlog_limit", (int)one->tcp.wqueue, "never_accepted",
		              (int)one->abandoned, "waiting", (int)one->waiting, "netns",
		              (json_int_t)scan->spaces[one->space].inode, "connections", waiting_of(scan, i, limit)));
	}
	return list;
}

static json_t *spaces_of(const struct cg_scan *scan)
{
	static const char *const ways[] = {
	    [CG_SCAN_NOT] = "none", [CG_SCAN_DIAG] = "sock_diag", [CG_SCAN_PROC] = "proc"};
	json_t *list = json_array();
	for (size_t i = 0; i < scan->space_count; i++) {
		const struct cg_scan_space *space = &scan->spaces[i];
		json_array_append_new(list, json_pack("{s:I,s:o,s:i,s:s,s:o,s:I}", "inode", (json_int_t)space->inode,
		                                      "pid", number_if(space->pid != 0, space->pid), "processes",
		                                      (int)space->processes, "read_by",
		                                      space->wanted ? ways[space->way] : "none", "error",
		                                      space->error ? json_string(strerror(-space->error)) : json_null(),
		                                      "time_wait", (json_int_t)space->time_waits));
	}
	return list;
}

/* The services that most sockets in TIME_WAIT were connected to. */
static json_t *waits_of(const struct cg_scan *scan)
{
	enum { MOST = 64 };
	const struct cg_scan_wait *wait;
	json_t *list = json_array();
	for (size_t i = 0; i < MOST && (wait = cg_scan_waits_at(scan, i)) != NULL; i++) {
		struct cg_addr peer = wait->peer;
		if (wait->ours)
			peer.port = 0;
		json_array_append_new(list, json_pack("{s:o,s:i,s:b,s:I,s:I}", "peer", address_of(&peer), "port",
		                                      (int)wait->peer.port, "incoming", wait->ours, "netns",
		                                      (json_int_t)scan->spaces[wait->space].inode, "count",
		                                      (json_int_t)wait->count));
	}
	return list;
}

static void add_time_and_host(json_t *all)
{
	struct timespec now;
	struct cg_buf time;
	char text[64], host[256] = "?";
	clock_gettime(CLOCK_REALTIME, &now);
	cg_buf_init(&time, text, sizeof text);
	cg_buf_rfc3339(&time, (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec);
	(void)gethostname(host, sizeof host - 1);
	json_object_set_new(all, "time", json_string(text));
	json_object_set_new(all, "host", cg_json_text(host));
}

int cg_scan_json(const struct cg_scan *scan, unsigned limit)
{
	json_t *all = json_pack("{s:i,s:s}", "v", 1, "event", "scan");
	json_t *unseen = owner_of(scan, CG_SCAN_UNSEEN, limit), *nobody = owner_of(scan, CG_SCAN_NOBODY, limit);
	if (!all)
		return -ENOMEM;
	add_time_and_host(all);
	json_object_set_new(all, "min_age_s", seconds(scan->min_age_ns));
	json_object_set_new(all, "found", json_integer((json_int_t)scan->found));
	json_object_set_new(all, "processes", processes_of(scan, limit));
	json_object_set_new(all, "listeners", listeners_of(scan, limit));
	json_object_set_new(all, "unseen", unseen ? unseen : json_null());
	json_object_set_new(all, "orphans", nobody ? nobody : json_null());
	json_object_set_new(all, "namespaces", spaces_of(scan));
	json_object_set_new(all, "time_wait_peers", waits_of(scan));
	json_object_set_new(all, "unreadable", json_integer(scan->unreadable));
	json_object_set_new(all, "elsewhere", json_integer(scan->elsewhere));
	int error = cg_json_write(all, stdout, 0) < 0 ? -EIO : 0;
	json_decref(all);
	return error;
}
