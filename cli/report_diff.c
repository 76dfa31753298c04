/*
 * report_diff.c: compares two merged documents.
 */
#include "report_diff.h"

#include <stdlib.h>
#include <string.h>

#include "fmt.h"
#include "report_json_finding.h"
#include "report_stack.h"
#include "report_view.h"

enum { KEY = 64 << 10 };

static bool is_open(const json_t *finding)
{
	return strcmp(cg_report_text_of(finding, "status"), "open") == 0;
}

/* Of one that is told whole, too, no more than a log has: that may be what it is compared with. */
static void add_names(struct cg_buf *key, const json_t *stack, bool address_alone)
{
	enum cg_frame_sort last = CG_FRAME_PLAIN;
	unsigned lines = 0, run = 0;
	for (size_t i = 0; i < json_array_size(stack) && lines < CG_JSON_LINES; i++) {
		struct cg_frame frame;
		cg_report_frame(json_array_get(stack, i), &frame);
		enum cg_frame_sort sort = cg_frame_sort(&frame);
		if (sort == CG_FRAME_START)
			continue;
		if (sort == last && sort != CG_FRAME_PLAIN) {
			lines += sort == CG_FRAME_INTERPRETER && !run++; /* behind the innermost one */
			continue;
		}
		run = 0;
		cg_buf_fmt(key, "%s\n", *frame.function ? frame.function : frame.module);
		last = sort;
		lines++;
		if (address_alone && !frame.inlined)
			break;
	}
	cg_buf_char(key, '\n');
}

static void add_address(struct cg_buf *key, const json_t *frame)
{
	const char *id = cg_report_text_of(frame, "build_id");
	cg_buf_fmt(key, "%s+%s\n", *id ? id : cg_report_text_of(frame, "module"), cg_report_text_of(frame, "offset"));
}

/* Of a last use the callers are not always known: the address alone counts. */
static void add_stack(struct cg_buf *key, const json_t *place, bool by_name, bool address_alone)
{
	const json_t *stack = json_object_get(place, "stack");
	if (by_name)
		add_names(key, stack, address_alone);
	else if (address_alone)
		add_address(key, json_array_get(stack, 0));
	else
		cg_buf_fmt(key, "%s\n", cg_report_text_of(place, "stack_id"));
}

static const char *const places[] = {"opened", "eof", "last_use", "here"};
enum { PLACES = sizeof places / sizeof places[0] };

/* Lacks a function of its stacks its name, so that it cannot be found again in another build? */
static bool lacks_names(const json_t *finding)
{
	json_t *frame;
	size_t at;
	for (size_t i = 0; i < PLACES; i++) {
		json_array_foreach(json_object_get(json_object_get(finding, places[i]), "stack"), at, frame)
		{
			if (!*cg_report_text_of(frame, "function") && cg_report_number_of(frame, "frames") <= 1)
				return true;
		}
	}
	return false;
}

static const char *key_of(const json_t *finding, bool by_name)
{
	static char text[KEY];
	struct cg_buf key;
	cg_buf_init(&key, text, sizeof text);
	cg_buf_fmt(&key, "%s\n%s\n%s\n", cg_report_text_of(finding, "kind"), cg_report_text_of(finding, "cause"),
	           cg_report_text_of(finding, "label"));
	for (size_t i = 0; i < PLACES; i++)
		add_stack(&key, json_object_get(finding, places[i]), by_name, strcmp(places[i], "last_use") == 0);
	return text;
}

/* Old findings that no new one was found to be yet, by key: lists of indices. */
static json_t *index_of(const json_t *findings, const bool *taken, bool by_name)
{
	json_t *index = json_object(), *list;
	for (size_t i = 0; i < json_array_size(findings); i++) {
		const json_t *finding = json_array_get(findings, i);
		if (taken[i] || !is_open(finding))
			continue;
		const char *key = key_of(finding, by_name);
		if (!(list = json_object_get(index, key))) {
			list = json_array();
			json_object_set_new(index, key, list);
		}
		json_array_append_new(list, json_integer((json_int_t)i));
	}
	return index;
}

/* Which old finding each new one is: index + 1, 0 for none. */
static void match(const json_t *now, const json_t *old, bool by_name, size_t *same, bool *taken)
{
	json_t *index = index_of(old, taken, by_name);
	for (size_t i = 0; i < json_array_size(now); i++) {
		const json_t *finding = json_array_get(now, i);
		json_t *list = same[i] || !is_open(finding) ? NULL : json_object_get(index, key_of(finding, by_name));
		if (!json_array_size(list))
			continue;
		same[i] = (size_t)json_integer_value(json_array_get(list, 0)) + 1;
		taken[same[i] - 1] = true;
		json_array_remove(list, 0);
	}
	json_decref(index);
}

struct outcome {
	json_t *diff, *lists[4];
	json_int_t unchanged, unnamed;
	bool worse;
};

enum change { NEW, GROWN, GONE, SHRUNK };
static const char *const change_names[] = {"new", "grown", "gone", "shrunk"};

static void add(struct outcome *outcome, enum change change, const json_t *finding, json_int_t count, json_int_t before)
{
	json_t *copy = json_copy((json_t *)finding);
	json_object_set_new(copy, "change", json_string(change_names[change]));
	json_object_set_new(copy, "count", json_integer(count));
	json_object_set_new(copy, "count_before", json_integer(before));
	json_array_append_new(outcome->lists[change], copy);
	if ((change == NEW || change == GONE) && lacks_names(finding))
		outcome->unnamed++;
	if (change <= GROWN && cg_report_is_open_leak(finding))
		outcome->worse = true;
}

static void compare(struct outcome *outcome, const json_t *now, const json_t *old)
{
	size_t count = json_array_size(now), old_count = json_array_size(old);
	size_t *same = calloc(count + 1, sizeof *same);
	bool *taken = calloc(old_count + 1, sizeof *taken);
	if (same && taken) {
		match(now, old, false, same, taken);
		match(now, old, true, same, taken);
	}
	for (size_t i = 0; same && taken && i < count; i++) {
		const json_t *finding = json_array_get(now, i);
		json_int_t n = cg_report_number_of(finding, "count");
		json_int_t before = same[i] ? cg_report_number_of(json_array_get(old, same[i] - 1), "count") : 0;
		if (!is_open(finding))
			continue;
		if (n == before)
			outcome->unchanged++;
		else
			add(outcome, !same[i] ? NEW : n > before ? GROWN : SHRUNK, finding, n, before);
	}
	for (size_t i = 0; same && taken && i < old_count; i++)
		if (!taken[i] && is_open(json_array_get(old, i)))
			add(outcome, GONE, json_array_get(old, i), 0,
			    cg_report_number_of(json_array_get(old, i), "count"));
	free(same);
	free(taken);
}

bool cg_report_diff(json_t *document, const json_t *old, const char *old_name)
{
	struct outcome outcome = {.diff = json_object()};
	json_t *all = json_array();
	for (unsigned i = 0; i < 4; i++)
		outcome.lists[i] = json_array();
	compare(&outcome, json_object_get(document, "findings"), json_object_get(old, "findings"));
	json_object_set_new(outcome.diff, "against", json_string(old_name));
	for (unsigned i = 0; i < 4; i++) {
		json_object_set_new(outcome.diff, change_names[i],
		                    json_integer((json_int_t)json_array_size(outcome.lists[i])));
		json_array_extend(all, outcome.lists[i]);
		json_decref(outcome.lists[i]);
	}
	json_object_set_new(outcome.diff, "unchanged", json_integer(outcome.unchanged));
	json_object_set_new(outcome.diff, "unnamed", json_integer(outcome.unnamed));
	json_object_set_new(outcome.diff, "worse", json_boolean(outcome.worse));
	json_object_set_new(outcome.diff, "findings", all);
	json_object_set_new(document, "diff", outcome.diff);
	return outcome.worse;
}
