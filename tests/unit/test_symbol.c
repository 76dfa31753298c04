/* test_symbol.c: names for addresses: the cache, the budget, and what happens without an annex. */
#include "../fixtures/annex/fixture.h"

#include <errno.h>
#include <link.h>
#include <sys/wait.h>

#include "guard.h"
#include "symbol.h"

static struct cg_module module = {
    .start = 0x10000, .end = 0x90000000, .bias = 0x10000, .file_id = 1, .path = "/opt/app"};
static struct cg_frame frames[CG_FRAMES_PER_IP];

static unsigned *questions;
static void (**observer)(void);

/* A return address whose call is at that offset in the module. */
static uint64_t at(uint64_t offset)
{
	return module.bias + offset + 1;
}

static void use_fake(const char *flags)
{
	char path[128];
	if (!sources[0] || !dir[0])
		SKIP("no fixture sources here, or no room in /tmp");
	need("cc");
	RUN("cd %s && cc -shared -fPIC -D_GNU_SOURCE %s -I %s/../../../shim -o libcloseguard-dw.so %s/fake_annex.c",
	    dir, flags, sources, sources);
	snprintf(path, sizeof path, "%s/libcloseguard-dw.so", dir);
	cg_symbol_set_dir(dir);
	void *fake = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	ck_assert_ptr_nonnull(fake);
	questions = (unsigned *)dlsym(fake, "fake_questions");
	observer = (void (**)(void))dlsym(fake, "fake_observer");
	ck_assert(questions && observer);
	cg_symbol_begin(10 * second, true);
}

static unsigned name(uint64_t offset)
{
	memset(frames, 0x55, sizeof frames);
	return cg_symbol_name(&module, at(offset), frames, CG_FRAMES_PER_IP);
}

START_TEST(second_question_is_remembered)
{
	use_fake("");
	for (int round = 0; round < 2; round++) {
		ck_assert_uint_eq(name(100), 1);
		ck_assert_str_eq(frames[0].function, "f100.0");
		ck_assert_str_eq(frames[0].file, "/opt/app.c");
		ck_assert_uint_eq(frames[0].line, 10);
		ck_assert(!frames[0].inlined);
		ck_assert_str_eq(frames[0].module, "app");
		ck_assert_str_eq(frames[0].module_path, "/opt/app");
		ck_assert_uint_eq(frames[0].offset, 100);
		ck_assert_uint_eq(*questions, 1);
	}
	ck_assert_ptr_null(cg_symbol_trouble());
}
END_TEST

/* The same place in a module that was loaded again elsewhere; but not in another build of it. */
START_TEST(modules_are_told_apart)
{
	struct cg_module other = module;
	use_fake("");
	name(100);
	other.bias += 0x1000000;
	ck_assert_uint_eq(cg_symbol_name(&other, other.bias + 101, frames, 1), 1);
	ck_assert_str_eq(frames[0].function, "f100.0");
	ck_assert_uint_eq(*questions, 1);
	other.build_id_len = 3;
	memcpy(other.build_id, "\001\042\377", 3);
	ck_assert_uint_eq(cg_symbol_name(&other, other.bias + 101, frames, 1), 1);
	ck_assert_str_eq(frames[0].build_id, "0122ff");
	ck_assert_uint_eq(*questions, 2);
}
END_TEST

START_TEST(final_answers_are_remembered)
{
	static const struct {
		uint64_t offset;
		unsigned frames, questions;
	} answers[] = {{201, 1, 1}, {202, 1, 1}, {203, 1, 2}, {205, 1, 2}, {206, CG_FRAMES_PER_IP, 1}};
	use_fake("");
	*questions = 0;
	ck_assert_uint_eq(name(answers[_i].offset), answers[_i].frames);
	ck_assert_uint_eq(name(answers[_i].offset), answers[_i].frames);
	ck_assert_uint_eq(*questions, answers[_i].questions);
	ck_assert_str_eq(frames[0].function, _i < 3 ? "" : _i == 3 ? "f205.0" : "f206.0");
	ck_assert_int_eq(frames[0].inlined, _i == 4);
}
END_TEST

/* Of too many frames the function itself is kept. */
START_TEST(fewer_frames_than_there_are)
{
	use_fake("");
	for (int round = 0; round < 2; round++) {
		ck_assert_uint_eq(cg_symbol_name(&module, at(306), frames, 2), 2);
		ck_assert_str_eq(frames[1].function, "f306.7");
		ck_assert(!frames[1].inlined && frames[0].inlined);
	}
	ck_assert_uint_eq(*questions, 1);
	ck_assert_uint_eq(cg_symbol_name(&module, at(306), frames, 0), 0);
}
END_TEST

START_TEST(hostile_answers)
{
	use_fake("");
	for (int round = 0; round < 2; round++) {
		ck_assert_uint_eq(name(404), 1);
		ck_assert_uint_eq(strlen(frames[0].function), sizeof frames[0].function - 1);
		ck_assert_uint_eq(strlen(frames[0].file), sizeof frames[0].file - 1);
		ck_assert_int_eq(strncmp(frames[0].function, "?]0;???\"\\\303\244x", 12), 0);
		ck_assert_uint_eq(strspn(frames[0].file, "?"), sizeof frames[0].file - 1);
		ck_assert_uint_eq(name(407), CG_FRAMES_PER_IP);
	}
	ck_assert_uint_eq(*questions, 2);
}
END_TEST

START_TEST(paths_that_are_no_files)
{
	static const char *const paths[][2] = {{"", "?"}, {"[vdso]", "[vdso]"}};
	use_fake("");
	strcpy(module.path, paths[_i][0]);
	ck_assert_uint_eq(name(100), 1);
	ck_assert_str_eq(frames[0].module, paths[_i][1]);
	ck_assert_str_eq(frames[0].function, "");
	ck_assert_uint_eq(*questions, 0);
}
END_TEST

START_TEST(path_without_end)
{
	use_fake("");
	memset(module.path, 'p', sizeof module.path);
	module.path[0] = '/';
	ck_assert_uint_eq(name(100), 1);
	ck_assert_uint_eq(strlen(frames[0].module_path), sizeof module.path - 1);
	ck_assert_uint_eq(strlen(frames[0].module), sizeof frames[0].module - 1);
}
END_TEST

START_TEST(address_in_no_module)
{
	use_fake("");
	ck_assert_uint_eq(cg_symbol_resolve(NULL, 0x1000, 1, frames, CG_FRAMES_PER_IP), 1);
	ck_assert_str_eq(frames[0].module, "[jit]");
	ck_assert_str_eq(frames[0].module_path, "");
	ck_assert_str_eq(frames[0].function, "");
	ck_assert_uint_eq(frames[0].offset, 0xfff);
	ck_assert_uint_eq(*questions, 0);
}
END_TEST

START_TEST(no_budget)
{
	use_fake("");
	cg_symbol_begin(0, true);
	unsigned left = cg_symbol_left();
	ck_assert_uint_eq(name(100), 1);
	ck_assert_uint_eq(cg_symbol_left(), left + 1);
	ck_assert_str_eq(frames[0].function, "");
	ck_assert_str_eq(frames[0].module, "app");
	ck_assert_uint_eq(*questions, 0);
	ck_assert_ptr_null(cg_symbol_trouble());
	cg_symbol_begin(second, true);
	ck_assert_uint_eq(name(100), 1);
	ck_assert_str_eq(frames[0].function, "f100.0");
	cg_symbol_begin(0, true);
	ck_assert_uint_eq(name(100), 1);
	ck_assert_str_eq(frames[0].function, "f100.0");
	ck_assert_uint_eq(cg_symbol_left(), left + 1);
}
END_TEST

START_TEST(only_what_is_remembered)
{
	use_fake("");
	name(100);
	cg_symbol_begin(second, false);
	ck_assert_uint_eq(name(100), 1);
	ck_assert_str_eq(frames[0].function, "f100.0");
	unsigned left = cg_symbol_left();
	ck_assert_uint_eq(name(110), 1);
	ck_assert_str_eq(frames[0].function, "");
	ck_assert_uint_eq(cg_symbol_left(), left + 1);
	ck_assert_uint_eq(*questions, 1);
}
END_TEST

static int hidden_inside;
static unsigned frames_inside;
static char function_inside[160];

static void ask_again(void)
{
	struct cg_frame inner[CG_FRAMES_PER_IP];
	hidden_inside = cg_hidden;
	frames_inside = cg_symbol_name(&module, at(500), inner, CG_FRAMES_PER_IP);
	memcpy(function_inside, inner[0].function, sizeof function_inside);
}

/* Inside the annex this thread's calls are closeguard's own, and a second question is answered without it. */
START_TEST(inside_the_annex)
{
	use_fake("");
	*observer = ask_again;
	errno = ENOTTY;
	ck_assert_uint_eq(name(100), 1);
	ck_assert_int_eq(errno, ENOTTY);
	ck_assert_int_eq(cg_hidden, 0);
	ck_assert_int_eq(hidden_inside, 1);
	ck_assert_uint_eq(frames_inside, 1);
	ck_assert_str_eq(function_inside, "");
	ck_assert_uint_eq(*questions, 1);
}
END_TEST

static bool works_in_child(void)
{
	cg_symbol_after_fork();
	*observer = NULL;
	cg_symbol_begin(second, true);
	return name(120) == 1 && strcmp(frames[0].function, "f120.0") == 0 && !cg_symbol_trouble();
}

static int child_status = -1;

static void fork_inside(void)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(works_in_child() ? 1 : cg_symbol_trouble() ? 0 : 2);
	waitpid(pid, &child_status, 0);
}

START_TEST(child_goes_on)
{
	use_fake("");
	name(100);
	pid_t pid = fork();
	if (pid == 0)
		_exit(works_in_child() ? 0 : 1);
	ck_assert_int_eq(waitpid(pid, &child_status, 0), pid);
	ck_assert_int_eq(child_status, 0);
}
END_TEST

/* An annex that was in the middle of a question is not asked again. */
START_TEST(child_of_a_fork_in_the_annex)
{
	use_fake("");
	*observer = fork_inside;
	ck_assert_uint_eq(name(100), 1);
	ck_assert_int_eq(child_status, 0);
}
END_TEST

START_TEST(full_cache_starts_over)
{
	char want[32];
	use_fake("");
	for (uint64_t offset = 0; offset < 100000; offset += 10) {
		ck_assert_uint_eq(name(offset), 1);
		snprintf(want, sizeof want, "f%lu.0", (unsigned long)offset);
		ck_assert_str_eq(frames[0].function, want);
	}
	unsigned before = *questions;
	ck_assert_uint_eq(before, 10000);
	name(99990);
	ck_assert_uint_eq(*questions, before);
	name(0);
	ck_assert_uint_eq(*questions, before + 1);
}
END_TEST

static void expect_trouble(const char *part)
{
	ck_assert_uint_eq(name(100), 1);
	ck_assert_str_eq(frames[0].function, "");
	ck_assert_str_eq(frames[0].module, "app");
	ck_assert_uint_eq(frames[0].offset, 100);
	ck_assert_ptr_nonnull(cg_symbol_trouble());
	ck_assert_msg(strstr(cg_symbol_trouble(), part) != NULL, "%s", cg_symbol_trouble());
	ck_assert_ptr_null(strchr(cg_symbol_trouble(), '\n'));
}

START_TEST(no_annex)
{
	cg_symbol_set_dir("/nowhere");
	ck_assert_str_eq(cg_symbol_own_dir(), "/nowhere");
	ck_assert_ptr_null(cg_symbol_trouble());
	cg_symbol_begin(second, true);
	expect_trouble("/nowhere/libcloseguard-dw.so");
}
END_TEST

START_TEST(annex_of_another_version)
{
	use_fake("-DFAKE_VERSION=99");
	expect_trouble("version");
	ck_assert_uint_eq(*questions, 0);
}
END_TEST

/* A report while no descriptor was free is not the last one with names. */
START_TEST(annex_that_comes_later)
{
	cg_symbol_set_dir(dir);
	RUN("rm -f %s/libcloseguard-dw.so", dir);
	cg_symbol_begin(second, true);
	expect_trouble("libcloseguard-dw.so");
	use_fake("");
	ck_assert_uint_eq(name(100), 1);
	ck_assert_str_eq(frames[0].function, "f100.0");
	ck_assert_ptr_null(cg_symbol_trouble());
}
END_TEST

START_TEST(own_directory)
{
	char self[PATH_MAX] = "";
	ck_assert_int_gt(readlink("/proc/self/exe", self, sizeof self - 1), 0);
	*strrchr(self, '/') = '\0';
	char *real = realpath(cg_symbol_own_dir(), NULL);
	ck_assert_ptr_nonnull(real);
	ck_assert_str_eq(real, self);
	free(real);
}
END_TEST

static int find_self(struct dl_phdr_info *info, size_t size, void *context)
{
	(void)size;
	*(uint64_t *)context = info->dlpi_addr;
	return 1;
}

static __attribute__((noinline)) uint64_t where_am_i(void)
{
	return (uint64_t)__builtin_return_address(0);
}

START_TEST(real_annex)
{
	char path[PATH_MAX];
	const char *out = getenv("CLOSEGUARD_TEST_BUILD");
	ck_assert_int_gt(readlink("/proc/self/exe", module.path, sizeof module.path - 1), 0);
	snprintf(path, sizeof path, "%s", module.path);
	for (int up = 0; up < 3; up++)
		*strrchr(path, '/') = '\0';
	cg_symbol_set_dir(out ? out : path);
	if (!lookup)
		SKIP("libcloseguard-dw.so was not built");
	dl_iterate_phdr(find_self, &module.bias);
	atomic_store(&module.file_id, 0);
	atomic_store(&module.flags, CG_MODULE_MAIN);
	uint64_t here = where_am_i();
	unsigned line = __LINE__ - 1;
	cg_symbol_begin(10 * second, true);
	ck_assert_uint_ge(cg_symbol_name(&module, here, frames, CG_FRAMES_PER_IP), 1);
	ck_assert_ptr_null(cg_symbol_trouble());
	ck_assert_ptr_nonnull(strstr(frames[0].function, "real_annex"));
	ck_assert_ptr_nonnull(strstr(frames[0].file, "test_symbol.c"));
	ck_assert_uint_eq(frames[0].line, line);
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_unchecked_fixture(tc, start, finish);
	tcase_add_test(tc, second_question_is_remembered);
	tcase_add_test(tc, modules_are_told_apart);
	tcase_add_loop_test(tc, final_answers_are_remembered, 0, 5);
	tcase_add_test(tc, fewer_frames_than_there_are);
	tcase_add_test(tc, hostile_answers);
	tcase_add_loop_test(tc, paths_that_are_no_files, 0, 2);
	tcase_add_test(tc, path_without_end);
	tcase_add_test(tc, address_in_no_module);
	tcase_add_test(tc, no_budget);
	tcase_add_test(tc, only_what_is_remembered);
	tcase_add_test(tc, inside_the_annex);
	tcase_add_test(tc, child_goes_on);
	tcase_add_test(tc, child_of_a_fork_in_the_annex);
	tcase_add_test(tc, full_cache_starts_over);
	tcase_add_test(tc, no_annex);
	tcase_add_test(tc, annex_of_another_version);
	tcase_add_test(tc, annex_that_comes_later);
	tcase_add_test(tc, own_directory);
	tcase_add_test(tc, real_annex);
}
