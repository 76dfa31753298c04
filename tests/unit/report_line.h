/* report_line.h: a line of JSON that a printer has made, read back by a parser that is not ours. */
#ifndef REPORT_LINE_H
#define REPORT_LINE_H

#include "unit.h"
#include "version.h"

#include "report_samples.h"

static char text[65536];
static struct cg_buf out;

static inline void fresh(void)
{
	cg_buf_init(&out, text, sizeof(text));
}

/* The one line of the buffer as an object that is complete and has what every line has. */
static inline json_t *parse_line(const char *event)
{
	json_error_t error;
	ck_assert_uint_gt(out.len, 0);
	ck_assert_ptr_eq(strchr(text, '\n'), text + out.len - 1);
	json_t *line = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	ck_assert_msg(line != NULL, "%s at %d in %s", error.text, error.column, text);
	ck_assert_int_eq(json_integer_value(json_object_get(line, "v")), 1);
	ck_assert_str_eq(json_string_value(json_object_get(line, "event")), event);
	ck_assert_str_eq(json_string_value(json_object_get(line, "time")), "2026-03-01T12:00:00.123Z");
	ck_assert_str_eq(json_string_value(json_object_get(line, "host")), "web1");
	ck_assert_int_eq(json_integer_value(json_object_get(line, "pid")), 4242);
	ck_assert_str_eq(json_string_value(json_object_get(line, "app")), "nginx");
	ck_assert_str_eq(json_string_value(json_object_get(line, "version")), CG_VERSION);
	return line;
}

static inline json_t *finding_line(const struct cg_finding *finding, bool again)
{
	fresh();
	cg_json_finding(&out, &report, finding, again);
	return parse_line("finding");
}

static inline const char *string_at(json_t *object, const char *name)
{
	const char *value = json_string_value(json_object_get(object, name));
	return value ? value : "(no string)";
}

static inline json_int_t number_at(json_t *object, const char *name)
{
	json_t *value = json_object_get(object, name);
	ck_assert_msg(json_is_integer(value), "%s is no number", name);
	return json_integer_value(value);
}

#endif
