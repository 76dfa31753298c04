/*
 * merge_action.c: what policies did, summed up.
 */
#include <stdlib.h>
#include <string.h>

#include "merge_document.h"

/* Rules of policies, times what they do and what came of it: more than anybody reads. */
enum { OUTCOMES_MAX = 1000 };

static uint64_t hash_of(const struct cg_merge_action *action)
{
	return cg_hash(0, action, offsetof(struct cg_merge_action, count));
}

static uint64_t hash_of_action(const void *context, uint32_t index)
{
	const struct cg_merge *merge = context;
	return hash_of(&merge->actions[index]);
}

static bool same_action(const void *context, uint32_t index, const void *key)
{
	const struct cg_merge *merge = context;
	return memcmp(&merge->actions[index], key, offsetof(struct cg_merge_action, count)) == 0;
}

static struct cg_merge_action *action_of(struct cg_merge *merge, const struct cg_merge_action *key)
{
	int64_t found = cg_table_find(&merge->action_table, hash_of(key), same_action, merge, key);
	if (found >= 0)
		return &merge->actions[found];
	uint32_t index = (uint32_t)merge->action_count;
	if (!cg_memory_grow(&merge->memory, (void **)&merge->actions, &merge->action_room, index,
	                    sizeof *merge->actions))
		return NULL;
	merge->actions[index] = *key;
	if (!cg_table_add(&merge->memory, &merge->action_table, hash_of(key), index, hash_of_action, merge))
		return NULL;
	merge->action_count++;
	return &merge->actions[index];
}

static json_int_t number(const json_t *line, const char *name)
{
	json_int_t n = json_integer_value(json_object_get(line, name));
	return n > 0 && n <= UINT32_MAX ? n : 0;
}

static int64_t time_of(const json_t *line, const char *name, int64_t otherwise)
{
	int64_t ms = cg_merge_time(json_string_value(json_object_get(line, name)));
	return ms == INT64_MIN ? otherwise : ms;
}

void cg_merge_action(struct cg_merge *merge, struct cg_merge_process *process, const json_t *line, int64_t ms)
{
	int64_t first_ms = time_of(line, "first_seen", ms), last_ms = time_of(line, "last_seen", ms);
	json_int_t total = process ? number(line, "total") : 0, used_again = number(line, "used_again");
	bool counted = json_is_integer(json_object_get(line, "count"));
	struct cg_merge_action key;
	memset(&key, 0, sizeof key);
	key.what = (struct cg_merge_what){.rule = cg_code_member(&merge->code, line, "rule"),
	                                  .action = cg_code_member(&merge->code, line, "action"),
	                                  .at = cg_code_member(&merge->code, line, "at"),
	                                  .result = cg_code_member(&merge->code, line, "result"),
	                                  .reason = cg_code_member(&merge->code, line, "reason"),
	                                  .dry_run = json_is_true(json_object_get(line, "dry_run"))};
	key.process = process;
	key.first_ms = first_ms;
	key.last_ms = last_ms;
	struct cg_merge_action *action = action_of(merge, &key);
	if (!action)
		return;
	if (total)
		action->count = total > action->count ? total : action->count;
	else
		action->count += counted ? number(line, "count") : 1;
	action->used_again = used_again > action->used_again ? used_again : action->used_again;
	action->first_ms = first_ms < action->first_ms ? first_ms : action->first_ms;
	action->last_ms = last_ms > action->last_ms ? last_ms : action->last_ms;
}

/* Adds one process's part to the others of the same outcome; returns how many outcomes there are. */
static size_t sum_up(struct cg_merge_action *sums, size_t count, const struct cg_merge_action *one)
{
	size_t i = 0;
	while (i < count && memcmp(&sums[i].what, &one->what, sizeof one->what) != 0)
		i++;
	if (i == OUTCOMES_MAX)
		return count;
	if (i == count) {
		sums[i] = *one;
		return count + 1;
	}
	sums[i].count += one->count;
	sums[i].used_again += one->used_again;
	sums[i].first_ms = one->first_ms < sums[i].first_ms ? one->first_ms : sums[i].first_ms;
	sums[i].last_ms = one->last_ms > sums[i].last_ms ? one->last_ms : sums[i].last_ms;
	return count;
}

static int by_count(const void *a, const void *b)
{
	const struct cg_merge_action *one = a, *other = b;
	return (one->count < other->count) - (one->count > other->count);
}

static json_t *object_of(const struct cg_merge_action *action)
{
	json_t *object = json_object();
	json_object_set_new(object, "rule", cg_document_text(action->what.rule));
	json_object_set_new(object, "action", cg_document_text(action->what.action));
	json_object_set_new(object, "at", cg_document_text(action->what.at));
	json_object_set_new(object, "result", cg_document_text(action->what.result));
	json_object_set_new(object, "reason", cg_document_text(action->what.reason));
	json_object_set_new(object, "dry_run", json_boolean(action->what.dry_run));
	json_object_set_new(object, "count", json_integer(action->count));
	json_object_set_new(object, "used_again", json_integer(action->used_again));
	json_object_set_new(object, "first_seen", cg_document_time(action->first_ms));
	json_object_set_new(object, "last_seen", cg_document_time(action->last_ms));
	return object;
}

json_t *cg_document_actions(struct cg_merge *merge)
{
	json_t *array = json_array();
	size_t count = 0;
	struct cg_merge_action *sums = merge->action_count ? calloc(OUTCOMES_MAX, sizeof *sums) : NULL;
	for (size_t i = 0; sums && i < merge->action_count; i++)
		count = sum_up(sums, count, &merge->actions[i]);
	if (count)
		qsort(sums, count, sizeof *sums, by_count);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, object_of(&sums[i]));
	free(sums);
	return array;
}
