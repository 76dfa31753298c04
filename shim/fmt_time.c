/* fmt_time.c: times and ages as people and logs write them. */
#include "fmt.h"

static const uint64_t MILLISECOND = 1000000;
static const uint64_t SECOND = 1000000000;

void cg_buf_seconds(struct cg_buf *buf, uint64_t ns)
{
	cg_buf_fmt(buf, "%lu.%03lu", ns / SECOND, ns % SECOND / MILLISECOND);
}

void cg_buf_age(struct cg_buf *buf, uint64_t ns)
{
	uint64_t s = ns / SECOND, m = s / 60, h = m / 60;
	if (s == 0)
		cg_buf_fmt(buf, "%lums", ns / MILLISECOND);
	else if (m == 0)
		cg_buf_fmt(buf, "%lus", s);
	else if (h == 0)
		cg_buf_fmt(buf, "%lum%02lus", m, s % 60);
	else if (h < 24)
		cg_buf_fmt(buf, "%luh%02lum", h, m % 60);
	else
		cg_buf_fmt(buf, "%lud%02luh", h / 24, h % 24);
}

/*
 * The date of a day number, without libc's gmtime (it takes a lock and reads the time zone). Years are counted from
 * March, so that the leap day is the last of its year and the months' lengths follow (153 m + 2) / 5.
 */
static void put_date(struct cg_buf *buf, uint64_t days_since_1970)
{
	enum { DAYS_0000_MARCH_TO_1970 = 719468, DAYS_PER_400_YEARS = 146097 };
	uint64_t days = days_since_1970 + DAYS_0000_MARCH_TO_1970;
	uint64_t era = days / DAYS_PER_400_YEARS, in_era = days % DAYS_PER_400_YEARS;
	uint64_t year_of_era = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	uint64_t day_of_year = in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	uint64_t month_from_march = (5 * day_of_year + 2) / 153;
	uint64_t day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
	uint64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
	uint64_t year = era * 400 + year_of_era + (month <= 2);
	cg_buf_fmt(buf, "%04lu-%02lu-%02lu", year, month, day);
}

void cg_buf_rfc3339(struct cg_buf *buf, uint64_t realtime_ns)
{
	uint64_t s = realtime_ns / SECOND;
	put_date(buf, s / 86400);
	cg_buf_fmt(buf, "T%02lu:%02lu:%02lu.%03luZ", s / 3600 % 24, s / 60 % 60, s % 60,
	           realtime_ns % SECOND / MILLISECOND);
}
