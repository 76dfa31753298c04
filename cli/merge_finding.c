/*
 * merge_finding.c: takes in what one process says of one finding.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "merge.h"
#include "merge_weight.h"

static const char *const place_names[CG_PLACES] = {"opened", "eof", "last_use", "connected", "shut", "closed", "here"};

static struct cg_merge_place place_of(struct cg_code *code, const json_t *json)
{
	struct cg_merge_place place = {.known = json_is_object(json)};
	if (!place.known)
		return place;
	place.call = cg_code_member(code, json, "call");
	place.thread = cg_code_member(code, json, "thread");
	place.age_s = json_number_value(json_object_get(json, "age_s"));
	place.stack =
	    cg_code_stack_of(code, json_object_get(json, "stack"), json_is_true(json_object_get(json, "truncated")));
	place.stack_id = cg_code_member(code, json, "stack_id");
	if (!place.stack_id)
		place.stack_id = cg_code_stack_id(code, place.stack);
	return place;
}

static bool is(const char *text, const char *wanted)
{
	return text && strcmp(text, wanted) == 0;
}

/* What shim/group.c tells findings apart by: of what is over, the call itself instead of the last use. */
static void set_key(struct cg_code *code, struct cg_merge_finding *finding)
{
	bool is_event = is(finding->kind, "double_close") || is(finding->kind, "use_after_close") ||
	                is(finding->kind, "fd_exhaustion") || is(finding->kind, "reset_on_close");
	bool has_last_use = !is_event && !is(finding->cause, "late_close") && !is(finding->cause, "never_accepted") &&
	                    !is(finding->cause, "fin_unread");
	if (!is(finding->kind, "fd_exhaustion"))
		finding->key[CG_OPENED] = finding->places[CG_OPENED].stack_id;
	if (is_event)
		finding->key[CG_HERE] = finding->places[CG_HERE].stack_id;
	else
		finding->key[CG_EOF] = finding->places[CG_EOF].stack_id;
	if (has_last_use)
		finding->last_use = cg_code_first_id(code, finding->places[CG_LAST_USE].stack);
}

static uint64_t hash_of(const struct cg_merge_finding *finding)
{
	return cg_hash(0, finding, offsetof(struct cg_merge_finding, places));
}

static uint64_t hash_of_finding(const void *context, uint32_t index)
{
	const struct cg_merge *merge = context;
	return hash_of(merge->findings[index]);
}

static bool same_finding(const void *context, uint32_t index, const void *key)
{
	const struct cg_merge *merge = context;
	return memcmp(merge->findings[index], key, offsetof(struct cg_merge_finding, places)) == 0;
}

void cg_merge_findings_rehash(struct cg_merge *merge)
{
	cg_table_clear(&merge->finding_table);
	for (uint32_t i = 0; i < merge->finding_count; i++) {
		merge->findings[i]->index = i;
		(void)cg_table_add(&merge->memory, &merge->finding_table, hash_of_finding(merge, i), i, hash_of_finding,
		                   merge);
	}
}

static struct cg_merge_finding *finding_of(struct cg_merge *merge, const struct cg_merge_finding *key)
{
	int64_t found = cg_table_find(&merge->finding_table, hash_of(key), same_finding, merge, key);
	if (found >= 0)
		return merge->findings[found];
	cg_merge_prune(merge);
	uint32_t index = (uint32_t)merge->finding_count;
	if (!cg_memory_grow(&merge->memory, (void **)&merge->findings, &merge->finding_room, index, sizeof(void *)))
		return NULL;
	struct cg_merge_finding *kept = cg_memory_take(&merge->memory, sizeof *kept);
	if (!kept)
		return NULL;
	merge->findings[index] = memcpy(kept, key, sizeof *kept);
	kept->index = index;
	kept->first_ms = INT64_MAX;
	kept->last_ms = INT64_MIN;
	if (!cg_table_add(&merge->memory, &merge->finding_table, hash_of(key), index, hash_of_finding, merge))
		return NULL;
	merge->finding_count++;
	return kept;
}

static const char *error_of(struct cg_code *code, const json_t *json)
{
	char text[32];
	const json_t *error = json_object_get(json, "errno");
	if (!json_is_integer(error))
		return cg_code_text(code, json_string_value(error));
	snprintf(text, sizeof text, "%lld", (long long)json_integer_value(error));
	return cg_code_text(code, text);
}

/* The address without its name: one of several functions there is not all that there is to know of it. */
static void set_site(struct cg_code *code, struct cg_merge_finding *finding, json_t *site)
{
	json_t *address = json_is_object(site) ? json_copy(site) : NULL;
	finding->site = NULL;
	finding->site_name =
	    (struct cg_code_name){cg_code_member(code, site, "function"), cg_code_member(code, site, "file"),
	                          json_integer_value(json_object_get(site, "line"))};
	if (json_object_get(address, "offset")) {
		json_object_del(address, "function");
		json_object_del(address, "file");
	}
	json_t *stack = address ? json_pack("[o]", address) : NULL;
	if (stack)
		finding->site = cg_code_stack_of(code, stack, false);
	json_decref(stack);
}

/* A log has less of a stack than a recorder. */
static void take_longer_stacks(struct cg_merge_place *places, const struct cg_merge_place *others)
{
	for (unsigned i = 0; i < CG_PLACES; i++) {
		const struct cg_code_stack *own = places[i].stack, *other = others[i].stack;
		if (own && other && places[i].stack_id == others[i].stack_id && other->depth > own->depth)
			places[i].stack = other;
	}
}

static const char *text_of_array(struct cg_code *code, const json_t *array)
{
	char *text = json_array_size(array) ? json_dumps(array, JSON_COMPACT) : NULL;
	const char *kept = cg_code_text(code, text);
	free(text);
	return kept;
}

static const char *array_text(struct cg_code *code, const json_t *json, const char *name)
{
	const json_t *array = json_object_get(json, name);
	char *text = json_array_size(array) ? json_dumps(array, JSON_COMPACT) : NULL;
	const char *kept = cg_code_text(code, text);
	free(text);
	return kept;
}

static void set_finding(struct cg_code *code, struct cg_merge_finding *finding, const struct cg_merge_finding *told,
                        const json_t *json, int64_t ms)
{
	int64_t first_ms = cg_merge_time(json_string_value(json_object_get(json, "first_seen"))); /* a saved report's */
	if (first_ms == INT64_MIN)
		first_ms = ms;
	finding->first_ms = first_ms < finding->first_ms ? first_ms : finding->first_ms;
	struct cg_merge_place before[CG_PLACES];
	memcpy(before, finding->places, sizeof before);
	take_longer_stacks(finding->places, told->places);
	if (ms < finding->last_ms)
		return;
	finding->last_ms = ms;
	memcpy(finding->places, told->places, sizeof finding->places);
	set_site(code, finding, json_object_get(json, "site"));
	take_longer_stacks(finding->places, before);
	const char *id = cg_code_member(code, json, "id");
	finding->id = id ? id : finding->id; /* one whose names were not known yet had none */
	finding->advice = cg_code_member(code, json, "advice");
	finding->origin = cg_code_member(code, json, "origin");
	finding->suggested_rule = cg_code_member(code, json, "suggested_rule");
	finding->error = error_of(code, json);
	finding->open_fds = json_integer_value(json_object_get(json, "open_fds"));
	finding->fd_limit = json_integer_value(json_object_get(json, "fd_limit"));
	finding->open_places = text_of_array(code, json_object_get(json, "open_places"));
	finding->forecast_s = json_number_value(json_object_get(json, "forecast_s"));
	finding->open_places = array_text(code, json, "open_places");
}

bool cg_merge_finding(struct cg_merge *merge, struct cg_merge_process *process, const json_t *json, int64_t ms,
                      json_int_t count, bool restated)
{
	struct cg_merge_finding told;
	memset(&told, 0, sizeof told);
	merge->memory.failed = false;
	told.kind = cg_code_member(&merge->code, json, "kind");
	told.cause = cg_code_member(&merge->code, json, "cause");
	told.label = cg_code_member(&merge->code, json, "label");
	if (!told.kind)
		return false;
	for (unsigned i = 0; i < CG_PLACES; i++)
		told.places[i] = place_of(&merge->code, json_object_get(json, place_names[i]));
	set_key(&merge->code, &told);
	struct cg_merge_finding *finding = finding_of(merge, &told);
	struct cg_merge_member *member = finding ? cg_merge_member(merge, finding, process) : NULL;
	if (!member || merge->memory.failed) {
		merge->left_out++;
		merge->failed = true;
		return true;
	}
	set_finding(&merge->code, finding, &told, json, ms);
	cg_merge_member_set(merge, member, json, ms, count, restated);
	return true;
}
