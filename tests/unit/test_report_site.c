/* test_report_site.c: which place of a finding is named, and which frames never are. */
#include "unit.h"

#include "report_samples.h"
#include "report_site.h"

static const struct {
	const char *module, *function, *file;
	bool passed_over;
} frames[] = {
    {"shop", "search_stream", "/src/shop.c", false},
    {"shop", "", "", false},
    {"libshop.so.1", "", "", false},
    {"libnetwork.so", "", "", false}, /* begins like a module of the table */
    {"pythonize", "", "", false},
    {"node-server", "", "", false},
    {"libc.so.6", "__libc_start_main_impl", "", true},
    {"libc-2.31.so", "", "", true},
    {"ld-linux-x86-64.so.2", "", "", true},
    {"libssl.so.3", "", "", true},
    {"libssl3.so", "", "", true},
    {"libcrypto.so.1.1", "", "", true},
    {"libevent-2.1.so.7", "", "", true},
    {"libevent_core-2.1.so.7", "", "", true},
    {"libuv.so.1", "", "", true},
    {"python3.11", "", "", true},
    {"_socket.cpython-311-x86_64-linux-gnu.so", "", "", true},
    {"libjvm.so", "", "", true},
    {"[jit]", "", "", true},
    {"?", "", "", true},
    {"libcurl-gnutls.so.4", "", "", true},
    {"shop", "SSL_read", "", true},
    {"shop", "read", "/usr/include/x86_64-linux-gnu/bits/unistd.h", true},
};

START_TEST(frames_that_say_nothing_are_passed_over)
{
	struct cg_frame frame = {0};
	strcpy(frame.module, frames[_i].module);
	strcpy(frame.function, frames[_i].function);
	strcpy(frame.file, frames[_i].file);
	ck_assert_msg(cg_site_passed_over(NULL, &frame) == frames[_i].passed_over, "%s %s", frame.module,
	              frame.function);
}
END_TEST

#define AT(...)                                                                                                        \
	{                                                                                                              \
		.known = true, .depth = sizeof((uint64_t[]){__VA_ARGS__}) / 8, .ip = { __VA_ARGS__ }                   \
	}

static const struct {
	struct cg_finding finding;
	uint64_t common, want;
} cases_[] = {
    {{.here = AT(IP_MAIN), .eof = AT(IP_HANDLE)}, 0, IP_MAIN},
    {{.eof = AT(IP_HANDLE), .last_use = AT(IP_MAIN), .opened = AT(IP_FOO)}, 0, IP_HANDLE},
    {{.last_use = AT(IP_MAIN), .opened = AT(IP_FOO)}, 0, IP_MAIN},
    {{.opened = AT(IP_FOO, IP_MAIN)}, 0, IP_FOO},
    {{.opened = AT(IP_START, IP_JIT, IP_MAIN)}, 0, IP_MAIN},
    /* The last use is in a library: the opening has to say it. */
    {{.last_use = AT(IP_JIT), .opened = AT(IP_START, IP_HANDLE)}, 0, IP_HANDLE},
    /* Frames that other findings share are passed over, unless there are no others. */
    {{.opened = AT(IP_FOO, IP_HANDLE, IP_MAIN)}, 1 << 0 | 1 << 2, IP_HANDLE},
    {{.opened = AT(IP_FOO, IP_HANDLE)}, 1 << 0 | 1 << 1, IP_FOO},
    {{.eof = AT(IP_FOO), .opened = AT(IP_FOO, IP_HANDLE)}, 1, IP_FOO},
    /* Nothing but libraries: better one of them than none. */
    {{.eof = AT(IP_JIT, IP_START), .opened = AT(IP_START)}, 0, IP_JIT},
    {{.opened = {.known = true}}, 0, 0},
};

START_TEST(the_call_comes_before_the_end_the_use_and_the_opening)
{
	uint32_t generation;
	ck_assert_uint_eq(cg_site_choose(&report, &cases_[_i].finding, cases_[_i].common, &generation),
	                  cases_[_i].want);
}
END_TEST

static bool passes_over_main(const struct cg_frame *frame)
{
	return strcmp(frame->function, "main") == 0;
}

START_TEST(a_report_may_pass_over_more)
{
	struct cg_report more = report;
	struct cg_finding finding = {.opened = AT(IP_MAIN, IP_HANDLE)};
	struct cg_frame frame;
	more.passes_over = passes_over_main;
	ck_assert(cg_report_site(&more, &finding, &frame));
	ck_assert_str_eq(frame.function, "handle_client");
	finding.site_ip = IP_FOO; /* it was chosen before */
	ck_assert(cg_report_site(&more, &finding, &frame));
	ck_assert_str_eq(frame.module, "libfoo.so.1");
}
END_TEST

START_TEST(samples_are_named)
{
	struct cg_frame frame;
	struct cg_finding finding = sample_leak();
	ck_assert(cg_report_site(&report, &finding, &frame));
	ck_assert_str_eq(frame.function, "parse_line");
	finding = sample_double_close();
	ck_assert(cg_report_site(&report, &finding, &frame));
	ck_assert_str_eq(frame.function, "main");
	finding = sample_hostile();
	finding.eof = finding.here = finding.last_use = (struct cg_place){0};
	ck_assert(cg_report_site(&report, &finding, &frame));
	ck_assert_str_eq(frame.function, HOSTILE);
}
END_TEST

START_TEST(what_has_no_name_is_told_by_its_offset)
{
	char text[64];
	struct cg_buf out;
	struct cg_frame frame = {.module = "shop", .offset = 0x1f};
	cg_buf_init(&out, text, sizeof(text));
	cg_site_text(&out, &frame);
	ck_assert_str_eq(text, "shop+0x1f");
	strcpy(frame.function, "serve");
	cg_buf_init(&out, text, sizeof(text));
	cg_site_text(&out, &frame);
	ck_assert_str_eq(text, "serve shop");
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_loop_test(tc, frames_that_say_nothing_are_passed_over, 0, (int)(sizeof(frames) / sizeof(*frames)));
	tcase_add_loop_test(tc, the_call_comes_before_the_end_the_use_and_the_opening, 0,
	                    (int)(sizeof(cases_) / sizeof(*cases_)));
	tcase_add_test(tc, a_report_may_pass_over_more);
	tcase_add_test(tc, samples_are_named);
	tcase_add_test(tc, what_has_no_name_is_told_by_its_offset);
}
