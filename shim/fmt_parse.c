/* fmt_parse.c: numbers and durations out of text, without locale and without guessing. */
#include "fmt.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

static const uint64_t MILLISECOND = 1000000;
static const uint64_t TEN_YEARS = 10ULL * 365 * 86400 * 1000000000; /* longer is a slip of the keyboard; fits 63 bits */

/* Reads digits; a number that does not fit is UINT64_MAX. Returns where they end, NULL if there is none. */
static const char *read_digits(const char *text, uint64_t *ret)
{
	uint64_t value = 0;
	const char *at = text;
	for (; *at >= '0' && *at <= '9'; at++) {
		uint64_t digit = (uint64_t)(*at - '0');
		value = value > (UINT64_MAX - digit) / 10 ? UINT64_MAX : value * 10 + digit;
	}
	*ret = value;
	return at == text ? NULL : at;
}

/* Nanoseconds of a unit, 0 if there is no such unit. */
static uint64_t unit_ns(const char *unit)
{
	static const struct {
		const char *name;
		uint64_t ms;
	} units[] = {{"h", 3600000}, {"m", 60000}, {"ms", 1}, {"s", 1000}};
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(unit, units[i].name) == 0)
			return units[i].ms * MILLISECOND;
	return 0;
}

int cg_parse_duration(const char *text, uint64_t *ret_ns)
{
	uint64_t count;
	const char *unit = read_digits(text, &count);
	if (!unit)
		return -EINVAL;
	if (!*unit && count == 0) {
		*ret_ns = 0;
		return 0;
	}
	uint64_t ns = unit_ns(unit);
	if (ns == 0 || count > TEN_YEARS / ns)
		return -EINVAL;
	*ret_ns = count * ns;
	return 0;
}

int cg_parse_number(const char *text, long min, long max, long *ret)
{
	bool negative = *text == '-';
	uint64_t magnitude, limit = (uint64_t)LONG_MAX + negative;
	const char *end = read_digits(text + negative, &magnitude);
	if (!end || *end)
		return -EINVAL;
	if (magnitude > limit)
		return -ERANGE;
	long value = (long)(negative ? 0 - magnitude : magnitude);
	if (value < min || value > max)
		return -ERANGE;
	*ret = value;
	return 0;
}
