/*
 * merge_member.c: one process's part in a finding.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "merge.h"

/* As many bytes of sockets as all members together may keep, 16 sockets being some 4 KiB. */
static const size_t sockets_most = 4u << 20;

struct pair {
	const struct cg_merge_finding *finding;
	const struct cg_merge_process *process;
};

static uint64_t hash_of_member(const void *context, uint32_t index)
{
	const struct cg_merge *merge = context;
	struct pair pair = {merge->members[index]->finding, merge->members[index]->process};
	return cg_hash(0, &pair, sizeof pair);
}

static bool same_member(const void *context, uint32_t index, const void *key)
{
	const struct cg_merge *merge = context;
	const struct pair *pair = key;
	return merge->members[index]->finding == pair->finding && merge->members[index]->process == pair->process;
}

struct cg_merge_member *cg_merge_member(struct cg_merge *merge, struct cg_merge_finding *finding,
                                        struct cg_merge_process *process)
{
	struct pair pair = {finding, process};
	uint64_t hash = cg_hash(0, &pair, sizeof pair);
	int64_t found = cg_table_find(&merge->member_table, hash, same_member, merge, &pair);
	if (found >= 0)
		return merge->members[found];
	uint32_t index = (uint32_t)merge->member_count;
	if (!cg_memory_grow(&merge->memory, (void **)&merge->members, &merge->member_room, index, sizeof(void *)))
		return NULL;
	struct cg_merge_member *member = cg_memory_take(&merge->memory, sizeof *member);
	if (!member)
		return NULL;
	*member = (struct cg_merge_member){.finding = finding,
	                                   .process = process,
	                                   .next_of_finding = finding->members,
	                                   .next_of_process = process->members,
	                                   .growth = NAN,
	                                   .first_ms = INT64_MAX,
	                                   .last_ms = INT64_MIN};
	merge->members[index] = member;
	if (!cg_table_add(&merge->memory, &merge->member_table, hash, index, hash_of_member, merge))
		return NULL;
	finding->members = process->members = member;
	merge->member_count++;
	return member;
}

/* A log has the numbers alone, a saved report pairs of the upper bound and the number. */
static json_int_t delay(const json_t *delays, size_t i)
{
	const json_t *one = json_array_get(delays, i);
	return json_integer_value(json_is_array(one) ? json_array_get(one, 1) : one);
}

static void set_history(struct cg_merge *merge, struct cg_merge_member *member, const json_t *json)
{
	if (json_is_object(json) && !member->history)
		member->history = cg_memory_take(&merge->memory, sizeof *member->history);
	if (!json_is_object(json) || !member->history)
		return;
	*member->history = (struct cg_merge_history){
	    .opened = json_integer_value(json_object_get(json, "opened")),
	    .closed = json_integer_value(json_object_get(json, "closed")),
	    .closed_in_time = json_integer_value(json_object_get(json, "closed_in_time")),
	    .closed_late = json_integer_value(json_object_get(json, "closed_late")),
	    .never_closed = json_integer_value(json_object_get(json, "never_closed")),
	};
	for (size_t i = 0; i < CG_DELAY_BUCKETS; i++)
		member->history->delays[i] = delay(json_object_get(json, "delays_ms"), i);
}

static void set_peers(struct cg_merge *merge, struct cg_merge_member *member, const json_t *list)
{
	if (json_array_size(list) && !member->peers)
		member->peers = cg_memory_take(&merge->memory, sizeof *member->peers);
	if (!json_array_size(list) || !member->peers)
		return;
	*member->peers = (struct cg_merge_peers){0};
	for (size_t i = 0; i < json_array_size(list) && member->peers->known < CG_MERGE_PEERS; i++) {
		const char *peer = cg_code_member(&merge->code, json_array_get(list, i), "peer");
		if (!peer)
			continue;
		member->peers->peer[member->peers->known] = peer;
		member->peers->count[member->peers->known++] =
		    json_integer_value(json_object_get(json_array_get(list, i), "count"));
	}
}

/* The text of an array, or of the one that a number stands for, to be freed; NULL for neither, or an empty one. */
static char *text_of(const struct cg_merge *merge, const json_t *sockets)
{
	json_int_t number = json_integer_value(sockets);
	if (json_array_size(sockets))
		return json_dumps(sockets, JSON_COMPACT | JSON_REAL_PRECISION(12));
	if (json_is_integer(sockets) && number >= 0 && (size_t)number < merge->raw_count)
		return strndup(merge->raw[number].text, merge->raw[number].size);
	return NULL;
}

static void set_sockets(struct cg_merge *merge, struct cg_merge_member *member, const json_t *sockets)
{
	char *text = member->count ? text_of(merge, sockets) : NULL;
	size_t size = text ? strlen(text) + 1 : 0;
	merge->sockets_size -= member->sockets_size;
	free(member->sockets);
	if (merge->sockets_size + size > sockets_most) {
		free(text);
		text = NULL;
		size = 0;
	}
	merge->sockets_size += size;
	member->sockets = text;
	member->sockets_size = size;
}

static bool is_close_wait(const struct cg_merge_finding *finding)
{
	return strcmp(finding->kind, "close_wait") == 0 &&
	       (!finding->cause || strcmp(finding->cause, "late_close") != 0);
}

static void set_count(struct cg_merge_member *member, json_int_t count)
{
	if (count > member->count)
		member->total += count - member->count;
	if (is_close_wait(member->finding))
		member->process->close_wait += count - member->count;
	member->count = count;
}

/* Told is told, in whatever order the lines come. */
static void note_leak(struct cg_merge_member *member, const json_t *json, json_int_t count)
{
	const char *verdict = json_string_value(json_object_get(json, "verdict"));
	json_int_t saved = json_integer_value(json_object_get(json, "leaked"));
	bool leaks = verdict && strcmp(verdict, "leak") == 0 && !json_object_get(json, "suppressed") &&
	             strcmp(member->finding->kind, "fd_exhaustion") != 0; /* whose count is of calls */
	json_int_t told = leaks && count > saved ? count : saved;
	member->leaked = told > member->leaked ? told : member->leaked;
}

/* Its process's own word; without one, as a line is written when the count has doubled, what two lines come to. */
static void set_growth(struct cg_merge_member *member, const json_t *json, int64_t ms, json_int_t count)
{
	const json_t *told = json_object_get(json, "growth_per_min");
	if (json_is_number(told))
		member->growth = json_number_value(told);
	else if (member->last_ms != INT64_MIN && ms > member->last_ms && count != member->count)
		member->growth = (double)(count - member->count) * 60000 / (double)(ms - member->last_ms);
}

void cg_merge_member_set(struct cg_merge *merge, struct cg_merge_member *member, const json_t *json, int64_t ms,
                         json_int_t count, bool restated)
{
	member->first_ms = ms < member->first_ms ? ms : member->first_ms;
	note_leak(member, json, count);
	if (ms < member->last_ms)
		return;
	bool twice = restated && member->restated == member->process->restating;
	if (!twice)
		set_growth(member, json, ms, count);
	if (restated)
		member->restated = member->process->restating;
	set_count(member, twice ? member->count + count : count);
	json_int_t total = json_integer_value(json_object_get(json, "total")); /* a saved report's */
	member->total = total > member->total ? total : member->total;
	member->last_ms = ms;
	member->oldest_s = json_number_value(json_object_get(json, "oldest_age_s"));
	member->confidence = json_number_value(json_object_get(json, "confidence"));
	member->verdict = cg_code_member(&merge->code, json, "verdict");
	member->suppressed = cg_code_member(&merge->code, json, "suppressed");
	set_history(merge, member, json_object_get(json, "history"));
	set_peers(merge, member, json_object_get(json, "peers"));
	set_sockets(merge, member, json_object_get(json, "sockets"));
}

/* Told is told, though what it was about is left out. */
static void drop(struct cg_merge *merge, struct cg_merge_member *member)
{
	member->process->leaked_dropped += member->leaked;
	set_count(member, 0);
	set_sockets(merge, member, NULL);
}

void cg_merge_members_drop(struct cg_merge *merge)
{
	size_t kept = 0;
	for (size_t i = 0; i < merge->process_count; i++)
		merge->processes[i]->members = NULL;
	cg_table_clear(&merge->member_table);
	for (size_t i = 0; i < merge->member_count; i++) {
		struct cg_merge_member *member = merge->members[i];
		if (member->finding->dropped) {
			drop(merge, member);
			continue;
		}
		member->next_of_process = member->process->members;
		member->process->members = member;
		merge->members[kept] = member;
		(void)cg_table_add(&merge->memory, &merge->member_table, hash_of_member(merge, (uint32_t)kept),
		                   (uint32_t)kept, hash_of_member, merge);
		kept++;
	}
	merge->member_count = kept;
}

void cg_merge_restate(struct cg_merge_process *process)
{
	process->restating++;
}

void cg_merge_restated(struct cg_merge *merge, struct cg_merge_process *process, int64_t ms)
{
	for (struct cg_merge_member *member = process->members; member; member = member->next_of_process) {
		if (member->restated == process->restating || member->last_ms > ms || !member->count)
			continue;
		set_count(member, 0);
		set_sockets(merge, member, NULL);
		member->last_ms = ms;
	}
}
