/* test_annex.c: the annex names code as addr2line does. */
#include "../fixtures/annex/fixture.h"

struct reference {
	unsigned count;
	char function[MAX_FRAMES][256];
	char file[MAX_FRAMES][512];
	unsigned line[MAX_FRAMES];
};

static struct reference references[ADDRESSES];

static void add_reference(struct reference *to, const char *function, char *place)
{
	char *colon = strrchr(place, ':');
	if (to->count == MAX_FRAMES || !colon)
		return;
	snprintf(to->function[to->count], sizeof to->function[0], "%.255s", function);
	snprintf(to->file[to->count], sizeof to->file[0], "%.*s", (int)(colon - place), place);
	to->line[to->count++] = (unsigned)strtoul(colon + 1, NULL, 10);
}

/* Fills references[0..n) from addr2line's output: the address, then a line with the function and one with the place. */
static void run_addr2line(const char *name, const uint64_t *sites, unsigned n)
{
	char command[PATH_MAX], line[4096], function[4096] = "";
	snprintf(command, sizeof command, "%s/sites", dir);
	FILE *file = fopen(command, "w");
	ck_assert_ptr_nonnull(file);
	for (unsigned i = 0; i < n; i++)
		fprintf(file, "0x%lx\n", (unsigned long)sites[i]);
	fclose(file);
	snprintf(command, sizeof command, "addr2line -a -f -i -e %s/%s < %s/sites", dir, name, dir);
	FILE *out = popen(command, "r");
	ck_assert_ptr_nonnull(out);
	memset(references, 0, sizeof references);
	for (int at = -1; fgets(line, sizeof line, out);) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "0x", 2) == 0) {
			at++;
		} else if (!function[0]) {
			memcpy(function, line, sizeof function);
		} else if (at >= 0 && at < (int)n) {
			add_reference(&references[at], function, line);
			function[0] = '\0';
		}
	}
	pclose(out);
}

static bool same_file(const char *a, const char *b)
{
	char real_a[PATH_MAX], real_b[PATH_MAX];
	return realpath(a, real_a) && realpath(b, real_b) && strcmp(real_a, real_b) == 0;
}

/* Frames that addr2line gives no line (start-up code) are not compared: it names those by the nearest symbol. */
static bool has_lines(const struct reference *reference)
{
	for (unsigned i = 0; i < reference->count; i++)
		if (reference->line[i] == 0)
			return false;
	return reference->count > 0;
}

static void compare_lines(const struct reference *want, const struct cg_annex_frame *got, int n, uint64_t site)
{
	ck_assert_msg(n == (int)want->count, "at %lx: %d frames, not %u", (long)site, n, want->count);
	for (int i = 0; i < n; i++) {
		ck_assert_msg(same_file(got[i].file, want->file[i]), "at %lx: %s is not %s", (long)site, got[i].file,
		              want->file[i]);
		ck_assert_uint_eq(got[i].line, want->line[i]);
		ck_assert_uint_eq(got[i].inlined, i + 1 < n);
		ck_assert_uint_eq(got[i].cut, 0);
	}
}

/* Compares all call sites; returns how many there were to compare. */
static unsigned compare(const char *name, bool functions)
{
	uint64_t sites[ADDRESSES];
	struct cg_annex_frame frames[MAX_FRAMES];
	unsigned n = call_sites(name, sites), compared = 0;
	run_addr2line(name, sites, n);
	for (unsigned i = 0; i < n; i++) {
		if (!has_lines(&references[i]))
			continue;
		int count = ask(name, sites[i], frames);
		compare_lines(&references[i], frames, count, sites[i]);
		for (int f = 0; functions && f < count; f++)
			ck_assert_str_eq(frames[f].function, references[i].function[f]);
		compared++;
	}
	return compared;
}

static const char *const compilers[][2] = {{"gcc", "g++"}, {"clang", "clang++"}};

static void compare_c(unsigned compiler, const char *flags)
{
	ready();
	build("plain", compilers[compiler][0], flags, "plain.c");
	ck_assert_uint_ge(compare("plain", true), 8);
}

START_TEST(c_equals_addr2line)
{
	compare_c((unsigned)_i / 2, _i % 2 ? "-gdwarf-5" : "-gdwarf-4");
}
END_TEST

START_TEST(no_pie_equals_addr2line)
{
	compare_c(0, "-no-pie");
}
END_TEST

START_TEST(compressed_equals_addr2line)
{
	compare_c(0, "-gz");
}
END_TEST

START_TEST(type_units_equal_addr2line)
{
	compare_c(0, "-gdwarf-4 -fdebug-types-section");
}
END_TEST

/* As a person writes them; both compilers must give all of them. */
static const char *const cpp_names[] = {
    "main",
    "c_linkage",
    "c_linkage::Local::run",
    "outer::(anonymous namespace)::hidden",
    "outer::v1::Connection::Connection",
    "outer::v1::Connection::Inner::deep",
    "outer::v1::Connection::method",
    "outer::v1::Connection::operator<",
    "outer::v1::Connection::~Connection",
};

static void expect_names(const char *name)
{
	uint64_t sites[ADDRESSES];
	struct cg_annex_frame frames[MAX_FRAMES];
	unsigned n = call_sites(name, sites);
	bool found[sizeof cpp_names / sizeof cpp_names[0]] = {false};
	for (unsigned i = 0; i < n; i++) {
		int count = ask(name, sites[i], frames);
		for (int f = 0; f < count; f++)
			for (unsigned k = 0; k < sizeof found; k++)
				found[k] |= strcmp(frames[f].function, cpp_names[k]) == 0;
	}
	for (unsigned k = 0; k < sizeof found; k++)
		ck_assert_msg(found[k], "nothing is named %s", cpp_names[k]);
}

/* addr2line before binutils 2.41 misreads clang's DWARF 5 ranges, so there only the names are looked at. */
START_TEST(cpp_lines_equal_addr2line)
{
	unsigned compiler = (unsigned)_i / 2;
	ready();
	build("names", compilers[compiler][1], _i % 2 ? "-gdwarf-5" : "-gdwarf-4", "names.cc");
	if (_i != 3)
		ck_assert_uint_ge(compare("names", false), 20);
	expect_names("names");
}
END_TEST

START_TEST(inlined_frames_name_their_callers)
{
	struct cg_annex_frame frames[MAX_FRAMES];
	uint64_t sites[ADDRESSES];
	unsigned chains = 0;
	ready();
	build("inlined", "gcc", "", "plain.c");
	unsigned n = call_sites("inlined", sites);
	for (unsigned i = 0; i < n; i++) {
		if (ask("inlined", sites[i], frames) != 3)
			continue;
		ck_assert_str_eq(frames[0].function, "innermost");
		ck_assert_str_eq(frames[1].function, "middle");
		ck_assert_str_eq(frames[2].function, "outer");
		ck_assert_uint_eq(frames[1].inlined, 1);
		ck_assert_uint_eq(frames[2].inlined, 0);
		chains++;
		char path[PATH_MAX];
		struct cg_annex_time time = {second, 6 * second, NULL};
		snprintf(path, sizeof path, "%s/inlined", dir);
		ck_assert_int_eq(lookup(&(struct cg_annex_module){.path = path}, sites[i], &time, frames, 1), 1);
		ck_assert_str_eq(frames[0].function, "outer");
	}
	ck_assert_uint_ge(chains, 2);
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_unchecked_fixture(tc, start, finish);
	tcase_add_loop_test(tc, c_equals_addr2line, 0, 4);
	tcase_add_test(tc, no_pie_equals_addr2line);
	tcase_add_test(tc, compressed_equals_addr2line);
	tcase_add_test(tc, type_units_equal_addr2line);
	tcase_add_loop_test(tc, cpp_lines_equal_addr2line, 0, 4);
	tcase_add_test(tc, inlined_frames_name_their_callers);
}
