/* test_symbol_doubt.c: modules whose file may not be the one that was loaded; what is said of it. */
#include "../fixtures/annex/fixture.h"

#include "guard.h"
#include "symbol.h"

static struct cg_module module = {
    .start = 0x10000, .end = 0x90000000, .bias = 0x10000, .file_id = 1, .path = "/opt/app"};
static struct cg_frame frames[CG_FRAMES_PER_IP];
static unsigned *questions;

static void use_fake(void)
{
	char path[128];
	if (!sources[0] || !dir[0])
		SKIP("no fixture sources here, or no room in /tmp");
	need("cc");
	RUN("cd %s && cc -shared -fPIC -D_GNU_SOURCE -I %s/../../../shim -o libcloseguard-dw.so %s/fake_annex.c", dir,
	    sources, sources);
	snprintf(path, sizeof path, "%s/libcloseguard-dw.so", dir);
	cg_symbol_set_dir(dir);
	void *fake = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	ck_assert_ptr_nonnull(fake);
	questions = (unsigned *)dlsym(fake, "fake_questions");
	ck_assert_ptr_nonnull(questions);
	cg_symbol_begin(10 * second, true);
}

static unsigned name(uint64_t offset)
{
	memset(frames, 0x55, sizeof frames);
	return cg_symbol_name(&module, module.bias + offset + 1, frames, CG_FRAMES_PER_IP);
}

/* Without build-id, and where nobody knows which file was loaded, no file is asked; and that is told once. */
START_TEST(a_file_that_is_not_known_is_not_believed)
{
	use_fake();
	module.file_id = 0;
	cg_symbol_set_process(-1);
	ck_assert_uint_eq(name(100), 1);
	ck_assert_str_eq(frames[0].function, "");
	ck_assert_uint_eq(*questions, 0);
	ck_assert_ptr_nonnull(cg_symbol_trouble());
	ck_assert_str_eq(
	    cg_symbol_trouble(),
	    "functions of /opt/app are not named: it has no build-id, and whether that is still the file that "
	    "was loaded is not known");
	module.build_id_len = 1;
	ck_assert_uint_eq(name(100), 1);
	ck_assert_str_eq(frames[0].function, "f100.0");
}
END_TEST

START_TEST(a_replaced_file_is_told)
{
	use_fake();
	ck_assert_uint_eq(name(102), 1);
	ck_assert_str_eq(frames[0].function, "");
	ck_assert_str_eq(cg_symbol_trouble(),
	                 "functions of /opt/app are not named: the file was replaced since it was loaded");
	cg_symbol_after_fork();
	ck_assert_ptr_null(cg_symbol_trouble());
}
END_TEST

START_TEST(in_a_hurry_nothing_is_asked)
{
	use_fake();
	ck_assert_uint_eq(name(100), 1);
	ck_assert(!cg_symbol_cut());
	cg_symbol_hurry();
	ck_assert_uint_eq(name(110), 1);
	ck_assert_str_eq(frames[0].function, "");
	ck_assert(cg_symbol_cut());
	ck_assert_uint_eq(name(100), 1);
	ck_assert_str_eq(frames[0].function, "f100.0");
	ck_assert_uint_eq(*questions, 1);
}
END_TEST

START_TEST(names_of_another_turn_s_time_are_told)
{
	use_fake();
	cg_symbol_begin_within(0, second, true);
	ck_assert_uint_eq(name(100), 1);
	ck_assert(cg_symbol_cut());
	cg_symbol_begin_within(10 * second, 0, true);
	ck_assert(!cg_symbol_cut());
	ck_assert_uint_eq(name(100), 1);
	ck_assert(cg_symbol_cut());
	cg_symbol_begin(10 * second, true);
	ck_assert_uint_eq(name(105), 1); /* half an answer */
	ck_assert(cg_symbol_cut());
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_unchecked_fixture(tc, start, finish);
	tcase_add_test(tc, a_file_that_is_not_known_is_not_believed);
	tcase_add_test(tc, a_replaced_file_is_told);
	tcase_add_test(tc, in_a_hurry_nothing_is_asked);
	tcase_add_test(tc, names_of_another_turn_s_time_are_told);
}
