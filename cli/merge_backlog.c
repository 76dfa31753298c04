/*
 * merge_backlog.c: counts a connection that waits in a backlog once, though each process that could accept it told of
 * it.
 *
 * It belongs to none of them, so host, listener and peer are what it is known by. A process lists no more than the
 * oldest of them: where all that it lists are another's, the rest is taken to be so too.
 */
#include <stdlib.h>
#include <string.h>

#include "merge_document.h"

static char *key_of(const struct cg_merge_member *member, const json_t *socket)
{
	const char *local = json_string_value(json_object_get(socket, "local"));
	const char *peer = json_string_value(json_object_get(socket, "peer"));
	const char *host = member->process->host;
	size_t room = strlen(host) + (local && peer ? strlen(local) + strlen(peer) : 0) + 3;
	char *key = local && peer ? malloc(room) : NULL;
	if (key)
		snprintf(key, room, "%s\n%s\n%s", host, local, peer);
	return key;
}

/* Takes out what others have, and notes the rest as this member's; returns the last of those others, or NULL. */
static const struct cg_merge_member *sort_out(const struct cg_merge *merge, json_t *seen, size_t index, json_t *sockets)
{
	const struct cg_merge_member *other = NULL;
	for (size_t i = 0; i < json_array_size(sockets);) {
		char *key = key_of(merge->members[index], json_array_get(sockets, i));
		const json_t *owner = key ? json_object_get(seen, key) : NULL;
		if (owner) {
			other = merge->members[json_integer_value(owner)];
			json_array_remove(sockets, i);
		} else {
			if (key)
				json_object_set_new(seen, key, json_integer((json_int_t)index));
			i++;
		}
		free(key);
	}
	return other;
}

static json_int_t less(json_int_t from, json_int_t by)
{
	return from > by ? from - by : 0;
}

static void take_out(struct cg_merge_member *member, json_int_t count, json_t *sockets)
{
	free(member->sockets);
	member->sockets = json_dumps(sockets, JSON_COMPACT | JSON_REAL_PRECISION(12));
	member->count = less(member->count, count);
	member->total = less(member->total, count);
	member->leaked = less(member->leaked, count);
	member->repeats = member->count == 0;
}

static void look_at(struct cg_merge *merge, json_t *seen, size_t index)
{
	struct cg_merge_member *member = merge->members[index];
	const char *cause = member->finding->cause;
	if (!cause || strcmp(cause, "never_accepted") != 0 || !member->count || !member->sockets)
		return;
	json_t *sockets = json_loads(member->sockets, 0, NULL);
	size_t listed = json_array_size(sockets);
	const struct cg_merge_member *other = sort_out(merge, seen, index, sockets);
	size_t own = json_array_size(sockets);
	if (other)
		take_out(member, own ? (json_int_t)(listed - own) : other->count, sockets);
	json_decref(sockets);
}

void cg_merge_backlogs(struct cg_merge *merge)
{
	json_t *seen = json_object();
	for (size_t i = 0; seen && i < merge->member_count; i++)
		look_at(merge, seen, i);
	json_decref(seen);
}
