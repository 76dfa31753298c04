/*
 * merge_document_finding.c: merged findings as JSON.
 */
#include <stdlib.h>
#include <string.h>

#include "detect.h"
#include "merge_document.h"
#include "merge_weight.h"
#include "naming.h"

/* As many processes of a finding as are listed; a page and a person want no more. */
enum { PROCESSES_MAX = 1000 };

static json_t *stack(const struct cg_code_stack *stack)
{
	json_t *array = json_array();
	for (size_t i = 0; stack && i < stack->depth; i++)
		json_array_extend(array, cg_naming_frames(stack->at[i]));
	return array;
}

static json_t *place(const struct cg_merge_place *place)
{
	if (!place->known)
		return json_null();
	json_t *object = json_object();
	json_object_set_new(object, "call", cg_document_text(place->call));
	json_object_set_new(object, "thread", cg_document_text(place->thread));
	json_object_set_new(object, "age_s", place->age_s > 0 ? cg_document_number(place->age_s) : json_null());
	json_object_set_new(object, "stack", stack(place->stack));
	if (place->stack && place->stack->truncated)
		json_object_set_new(object, "truncated", json_true());
	if (place->stack_id)
		json_object_set_new(object, "stack_id", json_string(place->stack_id));
	return object;
}

static void add_places(json_t *object, const struct cg_merge_finding *finding)
{
	static const char *const names[CG_PLACES] = {"opened", "eof",    "last_use", "connected",
	                                             "shut",   "closed", "here"};
	for (unsigned i = 0; i < CG_PLACES; i++)
		if (i <= CG_LAST_USE || finding->places[i].known)
			json_object_set_new(object, names[i], place(&finding->places[i]));
}

/* The upper bound in milliseconds (null: none) and how many there were; most are 0, and those are shared. */
static json_t *delay(unsigned bucket, json_int_t count)
{
	static json_t *none[CG_DELAY_BUCKETS];
	json_t *bound = bucket + 1 < CG_DELAY_BUCKETS ? json_integer((json_int_t)1 << bucket) : json_null();
	json_t *pair = !count && none[bucket] ? json_incref(none[bucket]) : json_pack("[OI]", bound, count);
	json_decref(bound);
	if (!count && !none[bucket])
		none[bucket] = json_incref(pair);
	return pair;
}

static void add_history(json_t *object, const struct cg_merge_finding *finding)
{
	struct cg_merge_history all = {0};
	bool known = false;
	for (const struct cg_merge_member *member = finding->members; member; member = member->next_of_finding) {
		const struct cg_merge_history *one = member->history;
		if (!one)
			continue;
		known = true;
		all.opened += one->opened;
		all.closed += one->closed;
		all.closed_in_time += one->closed_in_time;
		all.closed_late += one->closed_late;
		all.never_closed += one->never_closed;
		for (unsigned i = 0; i < CG_DELAY_BUCKETS; i++)
			all.delays[i] += one->delays[i];
	}
	if (!known)
		return;
	json_t *delays = json_array();
	for (unsigned i = 0; i < CG_DELAY_BUCKETS; i++)
		json_array_append_new(delays, delay(i, all.delays[i]));
	json_object_set_new(object, "history",
	                    json_pack("{sIsIsIsIsIso}", "opened", all.opened, "closed", all.closed, "closed_in_time",
	                              all.closed_in_time, "closed_late", all.closed_late, "never_closed",
	                              all.never_closed, "delays_ms", delays));
}

static double age_of(const json_t *socket)
{
	return json_number_value(json_object_get(socket, "age_s"));
}

/* The oldest stay: in from the left, out to the right. */
static void add_socket(json_t *sockets, json_t *socket, const struct cg_merge_process *process)
{
	size_t at = json_array_size(sockets);
	while (at && age_of(json_array_get(sockets, at - 1)) < age_of(socket))
		at--;
	if (at >= CG_SOCKETS_SHOWN || !json_is_object(socket))
		return;
	json_object_set_new(socket, "host", json_string(process->host));
	json_object_set_new(socket, "pid", json_integer(process->pid));
	json_array_insert(sockets, at, socket);
	if (json_array_size(sockets) > CG_SOCKETS_SHOWN)
		json_array_remove(sockets, CG_SOCKETS_SHOWN);
}

static json_t *sockets_of(const struct cg_merge_finding *finding)
{
	json_t *all = json_array();
	for (const struct cg_merge_member *member = finding->members; member; member = member->next_of_finding) {
		json_t *own = member->sockets ? json_loads(member->sockets, 0, NULL) : NULL, *socket;
		size_t i;
		json_array_foreach(own, i, socket)
		{
			add_socket(all, socket, member->process);
		}
		json_decref(own);
	}
	return all;
}

static int by_members_count(const void *a, const void *b)
{
	const struct cg_merge_member *const *one = a, *const *other = b;
	if ((*one)->count != (*other)->count)
		return (*one)->count > (*other)->count ? -1 : 1;
	return ((*one)->process->index > (*other)->process->index) -
	       ((*one)->process->index < (*other)->process->index);
}

/* Those that have some now; where nobody has, those that had. */
static json_t *processes_of(const struct cg_merge_sum *sum)
{
	size_t count = 0;
	json_t *array = json_array();
	for (const struct cg_merge_member *m = sum->finding->members; m; m = m->next_of_finding)
		count++;
	const struct cg_merge_member **list = count ? calloc(count, sizeof(void *)) : NULL;
	count = 0;
	for (const struct cg_merge_member *m = sum->finding->members; list && m; m = m->next_of_finding)
		if (m->count || !sum->count)
			list[count++] = m;
	if (count)
		qsort(list, count, sizeof(void *), by_members_count);
	for (size_t i = 0; i < count && i < PROCESSES_MAX; i++) {
		json_t *process = cg_document_process(list[i]->process);
		json_object_set_new(process, "count", json_integer(list[i]->count));
		if (list[i]->leaked)
			json_object_set_new(process, "leaked", json_integer(list[i]->leaked));
		json_array_append_new(array, process);
	}
	free(list);
	return array;
}

static void add_extras(json_t *object, const struct cg_merge_finding *finding)
{
	if (finding->error)
		json_object_set_new(object, "errno", json_string(finding->error));
	if (finding->fd_limit) {
		json_object_set_new(object, "open_fds", json_integer(finding->open_fds));
		json_object_set_new(object, "fd_limit", json_integer(finding->fd_limit));
	}
	if (finding->open_places)
		json_object_set_new(object, "open_places", json_loads(finding->open_places, 0, NULL));
	if (finding->forecast_s > 0)
		json_object_set_new(object, "forecast_s", cg_document_number(finding->forecast_s));
	if (finding->open_places)
		json_object_set_new(object, "open_places", json_loads(finding->open_places, 0, NULL));
	if (finding->suggested_rule)
		json_object_set_new(object, "suggested_rule", json_string(finding->suggested_rule));
	if (finding->label)
		json_object_set_new(object, "label", json_string(finding->label));
}

/* To a tenth, which is what a process tells. */
static json_t *rounded(double number)
{
	return cg_document_number((double)(json_int_t)(number * 10 + (number < 0 ? -0.5 : 0.5)) / 10);
}

static json_t *finding_of(const struct cg_merge_sum *sum)
{
	const struct cg_merge_finding *finding = sum->finding;
	json_t *object = json_object();
	json_object_set_new(object, "kind", json_string(finding->kind));
	json_object_set_new(object, "cause", cg_document_text(finding->cause));
	json_object_set_new(object, "id", cg_document_text(finding->id));
	json_object_set_new(object, "verdict", cg_document_text(sum->verdict));
	json_object_set_new(object, "confidence", cg_document_number(sum->confidence));
	json_object_set_new(object, "count", json_integer(sum->count));
	json_object_set_new(object, "total", json_integer(sum->total));
	json_object_set_new(object, "status", json_string(sum->count ? "open" : "resolved"));
	json_object_set_new(object, "oldest_age_s", cg_document_number(sum->oldest_s));
	json_object_set_new(object, "growth_per_min",
	                    !(sum->growth > -1e9 && sum->growth < 1e9) ? json_null() : rounded(sum->growth));
	json_object_set_new(object, "first_seen", cg_document_time(finding->first_ms));
	json_object_set_new(object, "last_seen", cg_document_time(finding->last_ms));
	json_object_set_new(object, "advice", json_string(finding->advice ? finding->advice : ""));
	json_object_set_new(object, "origin", cg_document_text(finding->origin));
	json_object_set_new(object, "processes", processes_of(sum));
	add_places(object, finding);
	json_object_set_new(object, "site", cg_document_site(finding, object));
	json_object_set_new(object, "peers", cg_document_peers(finding, sum->count > 0));
	json_object_set_new(object, "sockets", sockets_of(finding));
	add_history(object, finding);
	if (sum->suppressed)
		json_object_set_new(object, "suppressed", json_string(sum->suppressed));
	add_extras(object, finding);
	return object;
}

static bool repeats_others(const struct cg_merge_sum *sum)
{
	bool repeats = sum->finding->members != NULL;
	for (const struct cg_merge_member *m = sum->finding->members; m; m = m->next_of_finding)
		repeats &= m->repeats;
	return repeats;
}

/* The heaviest; the names of those are looked up first, too. */
json_t *cg_document_findings(struct cg_merge *merge)
{
	json_t *array = json_array();
	size_t count = merge->finding_count;
	struct cg_merge_sum *sums = count ? calloc(count, sizeof *sums) : NULL;
	for (size_t i = 0; sums && i < count; i++)
		sums[i] = cg_merge_sum(merge->findings[i]);
	if (sums)
		qsort(sums, count, sizeof *sums, cg_merge_by_weight);
	for (size_t i = 0; sums && i < count && i < CG_MERGE_FINDINGS; i++)
		if (!repeats_others(&sums[i]))
			json_array_append_new(array, finding_of(&sums[i]));
	if (count > CG_MERGE_FINDINGS) {
		merge->left_out += (json_int_t)(count - CG_MERGE_FINDINGS);
		merge->failed = true;
	}
	free(sums);
	return array;
}
