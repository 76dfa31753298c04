/* The annex as the library loads it: into a namespace of its own, called by a thread that its libc has not started. */
#include "policy_file.h"

#include <dlfcn.h>
#include <pthread.h>

static cg_policy_load_fn *load_by_annex;
static int count;

static void open_annex(void)
{
	char path[PATH_MAX];
	const char *build = getenv("CLOSEGUARD_TEST_BUILD");
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	SKIP("a sanitizer's runtime cannot be loaded a second time");
#endif
	snprintf(path, sizeof path, "%s/libcloseguard-config.so", build ? build : "build");
	void *annex = dlmopen(LM_ID_NEWLM, path, RTLD_NOW | RTLD_LOCAL);
	ck_assert_msg(annex != NULL, "%s", dlerror());
	load_by_annex = (cg_policy_load_fn *)dlsym(annex, "cg_policy_load");
	cg_policy_build_fn *built = (cg_policy_build_fn *)dlsym(annex, "cg_policy_build");
	ck_assert(load_by_annex && built);
	ck_assert_uint_eq(built(), (uint64_t)CG_POLICY_VERSION << 32 | sizeof(struct cg_policy));
}

static void *load_here(void *name)
{
	count = load_by_annex(path_of(name), "app", &policy, errors, NOTES, warnings, NOTES, &warned);
	return NULL;
}

static void load_in_a_thread(const char *name)
{
	pthread_t thread;
	char copy[64];
	snprintf(copy, sizeof copy, "%s", name);
	ck_assert_int_eq(pthread_create(&thread, NULL, load_here, copy), 0);
	pthread_join(thread, NULL);
}

START_TEST(good)
{
	open_annex();
	put("p.cfg",
	    "version = 1;\n@include \"q.cfg\"\nrules = ({ match = { peer = \"10.0.0.0/8\"; site = \"x*\"; }; });");
	put("q.cfg", "app = \"a[p]*\"; suppress = ({ kind = \"close_wait\"; stack = [ \"main\" ]; });");
	load_in_a_thread("p.cfg");
	ck_assert_msg(count == 0, "%s", errors[0]);
	ck_assert(policy.applies && policy.needs_site && policy.needs_addresses);
	ck_assert_uint_eq(policy.suppression_count, 1);
}
END_TEST

/* Errors before libconfig comes into play are where a thread without ctype tables would crash. */
START_TEST(bad)
{
	open_annex();
	put("p.cfg", "version = 1;\n");
	chmod(path_of("p.cfg"), 0666);
	load_in_a_thread("p.cfg");
	ck_assert_int_eq(count, 1);
	ck_assert_ptr_nonnull(strstr(errors[0], "p.cfg:1: file: "));
	put("p.cfg", "version = 1;\nlog = \"%q\"; rules = ({ lingre = 1; setsockopt = { so_linger = 1; }; });");
	load_in_a_thread("p.cfg");
	ck_assert_int_eq(count, 3);
}
END_TEST

START_TEST(again_and_again)
{
	open_annex();
	put("p.cfg", "version = 1;\n");
	for (unsigned i = 0; i < 200; i++) {
		load_in_a_thread("p.cfg");
		ck_assert_int_eq(count, 0);
	}
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_test(tc, good);
	tcase_add_test(tc, bad);
	tcase_add_test(tc, again_and_again);
}
