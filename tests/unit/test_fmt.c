/* Texts against libc's printf, JSON strings against the encoding's edges, times and durations. */
#include "unit.h"

#include "fmt.h"

#include <errno.h>
#include <limits.h>
#include <time.h>

static char text[4096];
static struct cg_buf buf;

static void begin(void)
{
	cg_buf_init(&buf, text, sizeof(text));
}

#define SAME_AS_PRINTF(...)                                                                                            \
	do {                                                                                                           \
		char wanted[sizeof(text)];                                                                             \
		begin();                                                                                               \
		cg_buf_fmt(&buf, __VA_ARGS__);                                                                         \
		snprintf(wanted, sizeof(wanted), __VA_ARGS__);                                                         \
		ck_assert_str_eq(text, wanted);                                                                        \
		ck_assert_uint_eq(buf.len, strlen(wanted));                                                            \
		ck_assert(!buf.truncated);                                                                             \
	} while (0)

START_TEST(numbers_are_printf_s)
{
	SAME_AS_PRINTF("%d %d %d %d", 0, -1, INT_MAX, INT_MIN);
	SAME_AS_PRINTF("%u %x", UINT_MAX, UINT_MAX);
	SAME_AS_PRINTF("%ld %ld %lu %lx", LONG_MAX, LONG_MIN, ULONG_MAX, ULONG_MAX);
	SAME_AS_PRINTF("%lld %lld %llu %llx", LLONG_MAX, LLONG_MIN, ULLONG_MAX, 0x0123456789abcdefULL);
	SAME_AS_PRINTF("%zu|%zu", (size_t)0, SIZE_MAX);
	SAME_AS_PRINTF("%p|%20p|%-20p|", (void *)&buf, (void *)&buf, (void *)&buf);
}
END_TEST

START_TEST(widths_are_printf_s)
{
	SAME_AS_PRINTF("%5d|%-5d|%05d|%*d|%*d|", 42, 42, 42, 7, 42, -7, 42);
	SAME_AS_PRINTF("%5d|%-5d|%05d|%0*d|", -42, -42, -42, 7, -42);
	SAME_AS_PRINTF("%2d|%02d|%08x|%016lx|", 12345, 12345, 0xbeef, 0xbeefUL);
	SAME_AS_PRINTF("%10s|%-10s|%*s|%-*s|%1s|", "abc", "abc", 6, "abc", 6, "abc", "abc");
	SAME_AS_PRINTF("%3c|%-3c|%c|", 'x', 'y', 'z');
}
END_TEST

START_TEST(strings_are_printf_s)
{
	char unterminated[3] = {'a', 'b', 'c'};
	char *volatile null = NULL;
	SAME_AS_PRINTF("%s%s", "", "abc");
	SAME_AS_PRINTF("%.*s|%.*s|%.*s|%.2s|%.0s|", 2, "abc", 9, "abc", -1, "abc", "abc", "abc");
	SAME_AS_PRINTF("%.*s|%5.*s|%-5.*s|", 3, unterminated, 2, unterminated, 2, unterminated);
	SAME_AS_PRINTF("100%% of %s%%", "it");
	begin();
	cg_buf_fmt(&buf, "%s|%8s", null, null);
	ck_assert_str_eq(text, "(null)|  (null)");
}
END_TEST

START_TEST(what_is_unknown_is_copied)
{
	const char *unknown[] = {"%", "%q", "a%", "%5", "%-", "%o|%f|%hd", "%l", "%5.2f"};
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		const char *volatile format = unknown[i]; /* the compiler would refuse them */
		begin();
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-security"
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		cg_buf_fmt(&buf, format);
#pragma GCC diagnostic pop
		ck_assert_str_eq(text, unknown[i]);
	}
}
END_TEST

START_TEST(nothing_overflows)
{
	for (size_t size = 1; size < 40; size++) {
		memset(text, '#', sizeof(text));
		cg_buf_init(&buf, text, size);
		cg_buf_fmt(&buf, "%s-%08x-%20s", "abcdefgh", 0xffU, "z");
		ck_assert_uint_eq(strlen(text), size <= 38 ? size - 1 : 38);
		ck_assert(buf.truncated == (size <= 38));
		ck_assert_int_eq(text[size], '#');
	}
}
END_TEST

START_TEST(a_full_text_stays_as_it_is)
{
	cg_buf_init(&buf, text, 4);
	cg_buf_str(&buf, "abc");
	ck_assert(!buf.truncated);
	cg_buf_char(&buf, 'd');
	cg_buf_str(&buf, "");
	ck_assert(buf.truncated);
	ck_assert_str_eq(text, "abc");
	ck_assert_uint_eq(buf.len, 3);
}
END_TEST

START_TEST(a_huge_width_ends)
{
	volatile int huge = INT_MAX;
	cg_buf_init(&buf, text, 8);
	cg_buf_fmt(&buf, "%*d|%*s", huge, 1, huge, "x");
	ck_assert_str_eq(text, "       ");
}
END_TEST

static void json_is(const char *bytes, const char *wanted)
{
	begin();
	cg_buf_json_string(&buf, bytes);
	ck_assert_str_eq(text, wanted);
}

START_TEST(json_escapes)
{
	json_is("", "\"\"");
	json_is(NULL, "null");
	json_is("a\"b\\c/d", "\"a\\\"b\\\\c/d\"");
	json_is("\n\t\x01\x1f\x7f", "\"\\u000a\\u0009\\u0001\\u001f\\u007f\"");
}
END_TEST

START_TEST(json_keeps_utf8)
{
	const char *good[] = {"\xC2\xA0",     "\xDF\xBF",     "\xE0\xA0\x80",     "\xED\x9F\xBF",
	                      "\xEE\x80\x80", "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		char wanted[16];
		snprintf(wanted, sizeof(wanted), "\"%sx\"", good[i]);
		char bytes[8];
		snprintf(bytes, sizeof(bytes), "%sx", good[i]);
		json_is(bytes, wanted);
	}
}
END_TEST

#define FFFD "\xEF\xBF\xBD"

START_TEST(json_replaces_what_is_not_utf8)
{
	json_is("a\x80z", "\"a" FFFD "z\"");
	json_is("\xFF\xFE", "\"" FFFD FFFD "\"");
	json_is("\xC3", "\"" FFFD "\"");                            /* cut off at the end */
	json_is("\xE2\x82", "\"" FFFD FFFD "\"");                   /* the same, later */
	json_is("\xF0\x9F\x98", "\"" FFFD FFFD FFFD "\"");          /* and later */
	json_is("\xC0\xAF", "\"" FFFD FFFD "\"");                   /* '/' in two bytes */
	json_is("\xE0\x9F\xBF", "\"" FFFD FFFD FFFD "\"");          /* overlong */
	json_is("\xED\xA0\x80", "\"" FFFD FFFD FFFD "\"");          /* a surrogate */
	json_is("\xF4\x90\x80\x80", "\"" FFFD FFFD FFFD FFFD "\""); /* beyond the last character */
	json_is("\xF0\x8F\xBF\xBF", "\"" FFFD FFFD FFFD FFFD "\""); /* overlong */
	json_is("\xC3\"", "\"" FFFD "\\\"\"");                      /* a quote never hides behind a bad byte */
}
END_TEST

static void plain_is(const char *bytes, const char *wanted)
{
	begin();
	cg_text_plain(&buf, bytes);
	ck_assert_str_eq(text, wanted);
}

START_TEST(what_acts_on_a_terminal_is_escaped)
{
	json_is("a\xC2\x80\xC2\x9B\xC2\x9F"
	        "b",
	        "\"a\\u0080\\u009b\\u009f"
	        "b\"");
	json_is("\xE2\x80\xAE\xE2\x80\xA8\xE2\x81\xA9\xEF\xBB\xBF", "\"\\u202e\\u2028\\u2069\\ufeff\"");
	json_is("\xE2\x80\xA7\xE2\x80\xAF\xE2\x81\xAA", "\"\xE2\x80\xA7\xE2\x80\xAF\xE2\x81\xAA\""); /* neighbours */
	plain_is("a\x1b[31m\n\x7f\tb", "a?[31m???b");
	plain_is("\x9b"
	         "2J\xC2\x9B"
	         "2J\xE2\x80\xAE",
	         "?2J?2J?");
	plain_is("\xE2\x82\xC3\xA4\xF0\x9F\x98\x80\"\\<", "??\xC3\xA4\xF0\x9F\x98\x80\"\\<");
}
END_TEST

static const uint64_t MS = 1000000, S = 1000000000;

static const char *age(uint64_t ns)
{
	begin();
	cg_buf_age(&buf, ns);
	return text;
}

START_TEST(ages)
{
	ck_assert_str_eq(age(0), "0ms");
	ck_assert_str_eq(age(850 * MS + 999999), "850ms");
	ck_assert_str_eq(age(S), "1s");
	ck_assert_str_eq(age(12 * S + 999 * MS), "12s");
	ck_assert_str_eq(age(60 * S), "1m00s");
	ck_assert_str_eq(age(312 * S), "5m12s");
	ck_assert_str_eq(age((3 * 3600 + 5 * 60 + 59) * S), "3h05m");
	ck_assert_str_eq(age(86399 * S), "23h59m");
	ck_assert_str_eq(age((2 * 24 + 4) * 3600 * S), "2d04h");
}
END_TEST

START_TEST(seconds)
{
	begin();
	cg_buf_seconds(&buf, 312 * S + 4 * MS + 999);
	cg_buf_char(&buf, ' ');
	cg_buf_seconds(&buf, 0);
	ck_assert_str_eq(text, "312.004 0.000");
}
END_TEST

START_TEST(dates_are_gmtime_s)
{
	for (uint64_t s = 0; s < 17000000000ULL; s += 86399ULL * 3 + 7) {
		char wanted[40];
		struct tm tm;
		gmtime_r(&(time_t){(time_t)s}, &tm);
		strftime(wanted, sizeof(wanted), "%Y-%m-%dT%H:%M:%S.042Z", &tm);
		begin();
		cg_buf_rfc3339(&buf, s * S + 42 * MS);
		ck_assert_str_eq(text, wanted);
	}
}
END_TEST

START_TEST(leap_days)
{
	begin();
	cg_buf_rfc3339(&buf, 951782400 * S);
	cg_buf_char(&buf, ' ');
	cg_buf_rfc3339(&buf, 1772366400 * S + 123 * MS);
	ck_assert_str_eq(text, "2000-02-29T00:00:00.000Z 2026-03-01T12:00:00.123Z");
}
END_TEST

static void duration_is(const char *duration, uint64_t wanted)
{
	uint64_t ns = 77;
	ck_assert_msg(cg_parse_duration(duration, &ns) == 0, "%s", duration);
	ck_assert_uint_eq(ns, wanted);
}

START_TEST(durations)
{
	duration_is("0", 0);
	duration_is("0s", 0);
	duration_is("500ms", 500 * MS);
	duration_is("10s", 10 * S);
	duration_is("5m", 300 * S);
	duration_is("1h", 3600 * S);
	duration_is("87600h", 87600 * 3600 * S);
}
END_TEST

START_TEST(durations_that_are_none)
{
	const char *bad[] = {"",
	                     "1",
	                     "30",
	                     "5 s",
	                     " 5s",
	                     "5s ",
	                     "5 parsecs",
	                     "5S",
	                     "-5s",
	                     "+5s",
	                     "1.5s",
	                     "1h30m",
	                     "s",
	                     "ms",
	                     "87601h",
	                     "99999999999999999999s",
	                     "5us",
	                     "0x5s",
	                     "1d",
	                     "5mss",
	                     "18446744073709551616ms",
	                     "5124095577h"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint64_t ns = 77;
		ck_assert_msg(cg_parse_duration(bad[i], &ns) == -EINVAL, "%s", bad[i]);
		ck_assert_uint_eq(ns, 77);
	}
}
END_TEST

static void number_fails(const char *number, long min, long max, int error)
{
	long value = 77;
	ck_assert_msg(cg_parse_number(number, min, max, &value) == error, "%s", number);
	ck_assert_int_eq(value, 77);
}

START_TEST(numbers)
{
	const char *good[] = {"0", "7", "-7", "9223372036854775807", "-9223372036854775808"};
	const long wanted[] = {0, 7, -7, LONG_MAX, LONG_MIN};
	for (int i = 0; i < 5; i++) {
		long value = 77;
		ck_assert_int_eq(cg_parse_number(good[i], LONG_MIN, LONG_MAX, &value), 0);
		ck_assert_int_eq(value, wanted[i]);
	}
	number_fails("", 0, 9, -EINVAL);
	number_fails("-", -9, 9, -EINVAL);
	number_fails("1x", 0, 9, -EINVAL);
	number_fails(" 1", 0, 9, -EINVAL);
	number_fails("+1", 0, 9, -EINVAL);
	number_fails("0x1", 0, 9, -EINVAL);
	number_fails("10", 0, 9, -ERANGE);
	number_fails("-1", 0, 9, -ERANGE);
	number_fails("9223372036854775808", LONG_MIN, LONG_MAX, -ERANGE);
	number_fails("-9223372036854775809", LONG_MIN, LONG_MAX, -ERANGE);
	number_fails("18446744073709551617", LONG_MIN, LONG_MAX, -ERANGE);
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_test(tc, numbers_are_printf_s);
	tcase_add_test(tc, widths_are_printf_s);
	tcase_add_test(tc, strings_are_printf_s);
	tcase_add_test(tc, what_is_unknown_is_copied);
	tcase_add_test(tc, nothing_overflows);
	tcase_add_test(tc, a_full_text_stays_as_it_is);
	tcase_add_test(tc, a_huge_width_ends);
	tcase_add_test(tc, json_escapes);
	tcase_add_test(tc, json_keeps_utf8);
	tcase_add_test(tc, json_replaces_what_is_not_utf8);
	tcase_add_test(tc, what_acts_on_a_terminal_is_escaped);
	tcase_add_test(tc, ages);
	tcase_add_test(tc, seconds);
	tcase_add_test(tc, dates_are_gmtime_s);
	tcase_add_test(tc, leap_days);
	tcase_add_test(tc, durations);
	tcase_add_test(tc, durations_that_are_none);
	tcase_add_test(tc, numbers);
}
