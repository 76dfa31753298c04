/* parse_complain.c: how errors and warnings read. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "parse.h"

enum { SHOWN_PATH = 200, SHOWN_KEY = 100, SHOWN_VALUE = 60 }; /* so that a line has room for what matters */

static void note(struct cg_config_notes *notes, const char *file, unsigned line, const char *key, const char *format,
                 va_list arguments)
{
	char text[CG_POLICY_LINE];
	vsnprintf(text, sizeof text, format, arguments);
	if (notes->count++ >= notes->max)
		return;
	size_t n = strlen(file);
	char *to = notes->lines[notes->count - 1];
	/* A line that does not fit is cut: the place is at its beginning. */
	if (snprintf(to, CG_POLICY_LINE, "%s:%u: %s: %s", n > SHOWN_PATH ? file + n - SHOWN_PATH : file, line, key,
	             text) >= CG_POLICY_LINE)
		memcpy(to + CG_POLICY_LINE - 4, "...", 4);
	for (; *to; to++)
		if (iscntrl((unsigned char)*to))
			*to = '?';
}

void cg_config_error_at(struct cg_config *parse, struct cg_config_place place, const char *key, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	note(&parse->errors, parse->shown[place.file], place.line, key, format, arguments);
	va_end(arguments);
}

void cg_config_warn_at(struct cg_config *parse, struct cg_config_place place, const char *key, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	note(&parse->warnings, parse->shown[place.file], place.line, key, format, arguments);
	va_end(arguments);
}

struct cg_config_place cg_config_place_of(const struct cg_config *parse, const config_setting_t *setting)
{
	size_t line = config_setting_source_line(setting);
	line = line < 1 ? 1 : line > parse->place_count ? parse->place_count : line;
	return parse->places[line - 1];
}

/* "rules.close.linger": the line says which of the rules. */
static void key_of(const config_setting_t *setting, char key[SHOWN_KEY])
{
	char longer[SHOWN_KEY];
	key[0] = '\0';
	for (; setting; setting = config_setting_parent(setting)) {
		const char *name = config_setting_name(setting);
		if (!name)
			continue; /* an element of a list, or the file as a whole */
		memcpy(longer, key, sizeof longer);
		snprintf(key, SHOWN_KEY, "%.60s%s%.38s", name, longer[0] ? "." : "", longer);
	}
	if (!key[0])
		memcpy(key, "file", sizeof "file");
}

void cg_config_error(struct cg_config *parse, const config_setting_t *setting, const char *format, ...)
{
	struct cg_config_place place = cg_config_place_of(parse, setting);
	char key[SHOWN_KEY];
	va_list arguments;
	key_of(setting, key);
	va_start(arguments, format);
	note(&parse->errors, parse->shown[place.file], place.line, key, format, arguments);
	va_end(arguments);
}

void cg_config_warn(struct cg_config *parse, const config_setting_t *setting, const char *format, ...)
{
	struct cg_config_place place = cg_config_place_of(parse, setting);
	char key[SHOWN_KEY];
	va_list arguments;
	key_of(setting, key);
	va_start(arguments, format);
	note(&parse->warnings, parse->shown[place.file], place.line, key, format, arguments);
	va_end(arguments);
}

static void show_text(const char *text, char *value, size_t size)
{
	size_t n = 0;
	value[n++] = '"';
	for (; *text && n + 9 < size; text++) {
		unsigned char c = (unsigned char)*text;
		if (c >= ' ' && c < 0x7f)
			value[n++] = (char)c;
		else
			n += (size_t)snprintf(value + n, 5, "\\x%02x", c);
	}
	snprintf(value + n, size - n, "%s\"", *text ? "..." : "");
}

/* The value, and what kind of thing it is. */
static const char *show(const config_setting_t *setting, char *value, size_t size)
{
	value[0] = '\0';
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_STRING:
		show_text(config_setting_get_string(setting), value, size);
		return "a text";
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		snprintf(value, size, "%lld", config_setting_get_int64(setting));
		return "a whole number";
	case CONFIG_TYPE_FLOAT:
		snprintf(value, size, "%g", config_setting_get_float(setting));
		return "a number with a fraction";
	case CONFIG_TYPE_BOOL:
		snprintf(value, size, "%s", config_setting_get_bool(setting) ? "true" : "false");
		return "a truth value";
	case CONFIG_TYPE_GROUP:
		return "a group { }";
	case CONFIG_TYPE_ARRAY:
		return "an array [ ]";
	}
	return "a list ( )";
}

void cg_config_refuse(struct cg_config *parse, const config_setting_t *setting, const char *why, const char *allowed)
{
	char value[SHOWN_VALUE + 12];
	show(setting, value, sizeof value);
	cg_config_error(parse, setting, "%s%s%s; it takes %s", value, value[0] ? " " : "", why, allowed);
}

void cg_config_refuse_type(struct cg_config *parse, const config_setting_t *setting, const char *allowed)
{
	char value[SHOWN_VALUE + 12];
	const char *kind = show(setting, value, sizeof value);
	cg_config_error(parse, setting, "%s%s%s; it takes %s", value, value[0] ? " is " : "", kind, allowed);
}
