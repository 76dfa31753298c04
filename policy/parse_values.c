/* parse_values.c: durations, sizes, numbers, words and texts. */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "parse.h"

static const int64_t TEN_YEARS_MS = INT64_C(10) * 365 * 86400 * 1000; /* longer is a slip of the keyboard */

/* The number at the beginning of a text, and what follows it; -1 where there is none or it is absurd. */
static int64_t digits(const char *text, const char **ret_end)
{
	int64_t value = 0;
	const char *at = text;
	for (; isdigit((unsigned char)*at); at++) {
		if (value > TEN_YEARS_MS)
			return -1;
		value = value * 10 + (*at - '0');
	}
	*ret_end = at;
	return at == text ? -1 : value;
}

int64_t cg_config_duration(const char *text)
{
	static const struct {
		const char *name;
		int64_t ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
	const char *unit = "";
	int64_t count = digits(text, &unit);
	for (unsigned i = 0; count >= 0 && i < sizeof units / sizeof units[0]; i++)
		if (strcmp(unit, units[i].name) == 0)
			return count <= TEN_YEARS_MS / units[i].ms ? count * units[i].ms : -1;
	return -1;
}

const char *cg_config_text_of(struct cg_config *parse, const config_setting_t *setting, const char *allowed)
{
	if (config_setting_type(setting) == CONFIG_TYPE_STRING)
		return config_setting_get_string(setting);
	cg_config_refuse_type(parse, setting, allowed);
	return NULL;
}

/* Milliseconds within the key's bounds, or -1 with the error noted. */
static int64_t read_duration(struct cg_config *parse, const config_setting_t *setting, const struct cg_config_key *key)
{
	const char *text = cg_config_text_of(parse, setting, key->allowed);
	if (!text)
		return -1;
	int64_t ms = cg_config_duration(text);
	if (ms >= (int64_t)key->min && ms <= (int64_t)key->max)
		return ms;
	cg_config_refuse(parse, setting, ms < 0 ? "is no duration" : "is out of range", key->allowed);
	return -1;
}

void cg_config_ns(struct cg_config *parse, const config_setting_t *setting, const struct cg_config_key *key,
                  void *field)
{
	int64_t ms = read_duration(parse, setting, key);
	if (ms >= 0)
		*(uint64_t *)field = (uint64_t)ms * 1000000;
}

void cg_config_ms(struct cg_config *parse, const config_setting_t *setting, const struct cg_config_key *key,
                  void *field)
{
	int64_t ms = read_duration(parse, setting, key);
	if (ms >= 0)
		*(uint32_t *)field = (uint32_t)ms;
}

void cg_config_s(struct cg_config *parse, const config_setting_t *setting, const struct cg_config_key *key, void *field)
{
	int64_t ms = read_duration(parse, setting, key);
	if (ms % 1000 > 0)
		cg_config_refuse(parse, setting, "is no number of whole seconds, which the kernel counts in here",
		                 key->allowed);
	else if (ms >= 0)
		*(uint32_t *)field = (uint32_t)(ms / 1000);
}

/* libconfig cuts hexadecimal numbers to 32 bits without a word. */
static bool read_int(struct cg_config *parse, const config_setting_t *setting, const struct cg_config_key *key,
                     int64_t *ret)
{
	int type = config_setting_type(setting);
	if (type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64) {
		cg_config_refuse_type(parse, setting, key->allowed);
		return false;
	}
	if (config_setting_get_format(setting) == CONFIG_FORMAT_HEX) {
		cg_config_refuse(parse, setting, "is written in hexadecimal", key->allowed);
		return false;
	}
	*ret = config_setting_get_int64(setting);
	return true;
}

static void store(struct cg_config *parse, const config_setting_t *setting, const struct cg_config_key *key,
                  int64_t value, void *field)
{
	if (value < (int64_t)key->min || value > (int64_t)key->max)
		cg_config_refuse(parse, setting, "is out of range", key->allowed);
	else
		*(uint32_t *)field = (uint32_t)value;
}

void cg_config_number(struct cg_config *parse, const config_setting_t *setting, const struct cg_config_key *key,
                      void *field)
{
	int64_t value;
	if (read_int(parse, setting, key, &value))
		store(parse, setting, key, value, field);
}

void cg_config_size(struct cg_config *parse, const config_setting_t *setting, const struct cg_config_key *key,
                    void *field)
{
	const char *unit = "";
	int64_t value;
	if (config_setting_type(setting) != CONFIG_TYPE_STRING) {
		cg_config_number(parse, setting, key, field);
		return;
	}
	value = digits(config_setting_get_string(setting), &unit);
	int64_t scale = strcmp(unit, "") == 0    ? 1
	                : strcmp(unit, "K") == 0 ? 1024
	                : strcmp(unit, "M") == 0 ? 1048576
	                                         : 0;
	if (value < 0 || !scale)
		cg_config_refuse(parse, setting, "is no size", key->allowed);
	else
		store(parse, setting, key, value > INT64_MAX / scale ? INT64_MAX : value * scale, field);
}

/* Copies a text that fits and that a log line can hold. */
static bool copy(struct cg_config *parse, const config_setting_t *setting, const struct cg_config_key *key, char *field)
{
	const char *text = cg_config_text_of(parse, setting, key->allowed);
	if (!text)
		return false;
	bool printable = true;
	for (const char *at = text; *at; at++)
		printable &= !iscntrl((unsigned char)*at);
	size_t n = strlen(text);
	if (!n || n >= key->max || !printable) {
		cg_config_refuse(parse, setting,
		                 !n           ? "is empty"
		                 : !printable ? "holds a control character"
		                              : "is too long",
		                 key->allowed);
		return false;
	}
	memcpy(field, text, n + 1);
	return true;
}

void cg_config_string(struct cg_config *parse, const config_setting_t *setting, const struct cg_config_key *key,
                      void *field)
{
	copy(parse, setting, key, field);
}

/* What is wrong with a pattern, or NULL. */
static const char *glob_fault(const char *glob)
{
	for (; *glob; glob++) {
		if (*glob == '\\' && !*++glob)
			return "ends in a backslash with nothing to escape";
		if (*glob != '[')
			continue;
		const char *at = glob + 1 + (glob[1] == '!');
		for (bool first = true; *at && (first || *at != ']'); first = false, at++) {
			at += *at == '\\' && at[1];
			if (at[1] == '-' && at[2] && at[2] != ']' && at[2] != '\\' &&
			    (unsigned char)at[2] < (unsigned char)*at)
				return "has a range whose end is before its beginning";
		}
		if (!*at)
			return "has a [ without ]";
		glob = at;
	}
	return NULL;
}

void cg_config_glob(struct cg_config *parse, const config_setting_t *setting, const struct cg_config_key *key,
                    void *field)
{
	if (config_setting_type(setting) == CONFIG_TYPE_STRING) {
		const char *fault = glob_fault(config_setting_get_string(setting));
		if (fault) {
			cg_config_refuse(parse, setting, fault, key->allowed);
			return;
		}
	}
	copy(parse, setting, key, field);
}

int cg_config_patterns(struct cg_config *parse, const config_setting_t *setting, const struct cg_config_key *key,
                       const struct cg_config_key *one, int most, char (*ret)[CG_POLICY_GLOB])
{
	int type = config_setting_type(setting), count = config_setting_length(setting);
	if (type != CONFIG_TYPE_ARRAY && type != CONFIG_TYPE_LIST) {
		cg_config_refuse_type(parse, setting, key->allowed);
		return 0;
	}
	if (count < 1 || count > most) {
		cg_config_error(parse, setting, "it has %d patterns; it takes %s", count, key->allowed);
		return 0;
	}
	for (int i = 0; i < count; i++)
		cg_config_glob(parse, config_setting_get_elem(setting, (unsigned)i), one, ret[i]);
	return count;
}

int cg_config_word(struct cg_config *parse, const config_setting_t *setting, const char *const *words,
                   const char *allowed)
{
	const char *text = cg_config_text_of(parse, setting, allowed);
	if (!text)
		return -1;
	for (int i = 0; words[i]; i++)
		if (strcmp(words[i], text) == 0)
			return i;
	cg_config_refuse(parse, setting, "is not known", allowed);
	return -1;
}
