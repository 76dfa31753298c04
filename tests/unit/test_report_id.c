/* test_report_id.c: what a finding's id depends on, and what not. */
#include "report_id.h"
#include "unit.h"

#include "report_samples.h"

static struct cg_frame place; /* where all addresses of these cases are */

static unsigned resolve_place(void *context, uint64_t ip, uint32_t generation, struct cg_frame *frames, unsigned max)
{
	(void)context;
	(void)generation;
	(void)max;
	frames[0] = place;
	frames[0].offset += ip;
	return 1;
}

static const char *id_of(const struct cg_finding *finding)
{
	static char ids[16][CG_ID_SIZE]; /* a case compares with what it was told first */
	static unsigned next;
	struct cg_report with = report;
	char *id = ids[next++ % 16];
	with.resolve = resolve_place;
	ck_assert(cg_report_id(&with, finding, id));
	ck_assert_uint_eq(strlen(id), 16);
	return id;
}

static void go_to(const char *module, const char *function)
{
	place = (struct cg_frame){.line = 1};
	strcpy(place.module, module);
	strcpy(place.function, function);
	strcpy(place.file, "shop.c");
}

START_TEST(another_build_has_the_same)
{
	struct cg_finding finding = sample_leak();
	go_to("libshop.so.1.4", "search");
	const char *id = id_of(&finding);
	place.offset = 4711;
	place.line = 99;
	strcpy(place.build_id, "abcdef");
	ck_assert_str_eq(id_of(&finding), id);
	go_to("libshop.so.2", "search");
	ck_assert_str_eq(id_of(&finding), id);
	go_to("libshop.so.2", "search.constprop.0");
	ck_assert_str_eq(id_of(&finding), id);
	finding.count++;
	finding.oldest_age_ns++;
	finding.verdict = CG_VERDICT_LATE;
	ck_assert_str_eq(id_of(&finding), id);
}
END_TEST

START_TEST(another_mistake_has_another)
{
	struct cg_finding finding = sample_leak(), other = finding;
	go_to("shop", "search");
	const char *id = id_of(&finding);
	other.cause = CG_CAUSE_DATA_UNREAD;
	ck_assert_str_ne(id_of(&other), id);
	other = finding;
	other.kind = CG_KIND_DEAD_SOCKET;
	ck_assert_str_ne(id_of(&other), id);
	other = finding;
	strcpy(other.label, "customer A");
	ck_assert_str_ne(id_of(&other), id);
	go_to("shop", "buy");
	ck_assert_str_ne(id_of(&finding), id);
	go_to("market", "search");
	ck_assert_str_ne(id_of(&finding), id);
}
END_TEST

START_TEST(without_a_function_the_offset_counts)
{
	struct cg_finding finding = sample_leak();
	go_to("shop", "");
	const char *id = id_of(&finding);
	ck_assert_str_eq(id_of(&finding), id);
	place.offset++;
	ck_assert_str_ne(id_of(&finding), id);
}
END_TEST

START_TEST(it_waits_for_the_names)
{
	struct cg_finding finding = sample_leak();
	char id[CG_ID_SIZE];
	finding.names_pending = true;
	ck_assert(!cg_report_id(&report, &finding, id));
}
END_TEST

START_TEST(what_else_was_found_does_not_matter)
{
	struct cg_finding finding = sample_leak();
	char alone[CG_ID_SIZE], among[CG_ID_SIZE];
	finding.eof.known = finding.last_use.known = false;
	ck_assert(cg_report_id(&report, &finding, alone));
	finding.site_ip = finding.opened.ip[1];
	ck_assert(cg_report_id(&report, &finding, among));
	ck_assert_str_eq(among, alone);
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_test(tc, another_build_has_the_same);
	tcase_add_test(tc, another_mistake_has_another);
	tcase_add_test(tc, without_a_function_the_offset_counts);
	tcase_add_test(tc, it_waits_for_the_names);
	tcase_add_test(tc, what_else_was_found_does_not_matter);
}
