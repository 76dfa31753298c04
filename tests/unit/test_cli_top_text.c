/* Text for a terminal: what fits into so many columns, in UTF-8 and in ASCII, and numbers in few. */
#include "unit.h"

#include <locale.h>

#include "../../cli/top_text.h"

static char text[512];
static struct cg_buf buf;

static void begin_text(void)
{
	cg_buf_init(&buf, text, sizeof text);
}

#define FITS(text_, columns, how, wanted)                                                                              \
	do {                                                                                                           \
		begin_text();                                                                                          \
		cg_top_text_fit(&buf, text_, columns, how);                                                            \
		ck_assert_str_eq(text, wanted);                                                                        \
	} while (0)

START_TEST(text_fits_in_utf8)
{
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		SKIP("there is no locale C.UTF-8");
	cg_top_text_begin();
	ck_assert(cg_top_text_is_utf8());
	FITS("abc", 5, CG_TOP_LEFT, "abc  ");
	FITS("abc", 5, CG_TOP_RIGHT, "  abc");
	FITS("abcdef", 4, CG_TOP_LEFT, "abc\u2026");
	FITS("abcdef", 4, CG_TOP_TAIL, "\u2026def");
	FITS("\u6f22\u5b57\u6f22", 4, CG_TOP_LEFT, "\u6f22\u2026 ");
	FITS("\u6f22\u5b57", 5, CG_TOP_RIGHT, " \u6f22\u5b57");
	FITS("a\033[2Jb\xff"
	     "c\u202e",
	     9, CG_TOP_LEFT, "a?[2Jb?c?");
	FITS("\xc2\x85x", 3, CG_TOP_LEFT, "?x ");
	ck_assert_uint_eq(cg_top_text_width("gr\u00fc\u00df"), 4);
}
END_TEST

START_TEST(text_fits_in_ascii)
{
	setlocale(LC_CTYPE, "C");
	cg_top_text_begin();
	FITS("gr\u00fc\u00dfe", 6, CG_TOP_LEFT, "gr??e ");
	FITS("abcdef", 4, CG_TOP_LEFT, "abc~");
	FITS("abcdef", 0, CG_TOP_LEFT, "");
	FITS("abcdef", 1, CG_TOP_TAIL, "~");
}
END_TEST

START_TEST(a_site_keeps_its_line)
{
	static const struct {
		unsigned columns;
		const char *wanted;
	} cases_[] = {{40, "serve_request server.c:88"},
	              {25, "serve_request server.c:88"},
	              {20, "serve_r~ server.c:88"},
	              {22, "serve_req~ server.c:88"},
	              {12, "server.c:88"},
	              {6, "~.c:88"}};
	setlocale(LC_CTYPE, "C");
	cg_top_text_begin();
	for (unsigned i = 0; i < sizeof cases_ / sizeof cases_[0]; i++) {
		begin_text();
		cg_top_text_site(&buf, "serve_request", "server.c:88", cases_[i].columns);
		ck_assert_uint_le(buf.len, cases_[i].columns);
		ck_assert_str_eq(text, cases_[i].wanted);
	}
}
END_TEST

START_TEST(numbers_fit_their_columns)
{
	static const struct {
		uint64_t count;
		const char *wanted;
	} counts[] = {{0, "0"}, {99999, "99999"}, {100000, "100k"}, {12345678, "12M"}};
	static const struct {
		double per_minute;
		const char *wanted;
	} growths[] = {{0, "0"},       {0.04, "0"},   {0.5, "+0.5"}, {-0.5, "-0.5"},
	               {9.94, "+9.9"}, {9.96, "+10"}, {3, "+3"},     {-1200.4, "-1200"}};
	for (unsigned i = 0; i < sizeof counts / sizeof counts[0]; i++) {
		begin_text();
		cg_top_text_count(&buf, counts[i].count);
		ck_assert_str_eq(text, counts[i].wanted);
	}
	for (unsigned i = 0; i < sizeof growths / sizeof growths[0]; i++) {
		begin_text();
		cg_top_text_growth(&buf, true, growths[i].per_minute);
		ck_assert_str_eq(text, growths[i].wanted);
	}
	begin_text();
	cg_top_text_growth(&buf, false, 5);
	ck_assert_str_eq(text, "-");
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_test(tc, text_fits_in_utf8);
	tcase_add_test(tc, text_fits_in_ascii);
	tcase_add_test(tc, a_site_keeps_its_line);
	tcase_add_test(tc, numbers_fit_their_columns);
}
