/* test_annex_broken.c: the annex and files that are not what they should be; and its time limit. */
#include "../fixtures/annex/fixture.h"

#include <errno.h>
#include <time.h>

static uint64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * second + (uint64_t)t.tv_nsec;
}

static char *contents;
static size_t size;

static void read_program(const char *name)
{
	char path[PATH_MAX];
	struct stat st;
	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fstat(fileno(file), &st), 0);
	size = (size_t)st.st_size;
	contents = malloc(size);
	ck_assert_uint_eq(fread(contents, 1, size, file), size);
	fclose(file);
}

static void write_program(const char *name, size_t len)
{
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	unlink(path);
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(contents, 1, len, file), len);
	fclose(file);
}

START_TEST(not_a_file_of_code)
{
	struct cg_annex_frame frames[MAX_FRAMES];
	ready();
	RUN("cd %s && head -c 5000 /dev/urandom > garbage && : > empty && mkdir -p folder && rm -f pipe && mkfifo pipe",
	    dir);
	RUN("cd %s && printf '\\177ELF' > short && gcc -c -o object %s/plain.c", dir, sources);
	ck_assert_int_eq(ask("garbage", 4096, frames), -ENOEXEC);
	ck_assert_int_eq(ask("empty", 4096, frames), -ENOEXEC);
	ck_assert_int_eq(ask("folder", 4096, frames), -ENOEXEC);
	ck_assert_int_eq(ask("pipe", 4096, frames), -ENOEXEC);
	ck_assert_int_eq(ask("short", 4096, frames), -ENOEXEC);
	ck_assert_int_eq(ask("object", 64, frames), -ENOEXEC);
	ck_assert_int_eq(ask("missing", 4096, frames), 0);
	ck_assert_int_eq(ask_path("", 1, second, frames), 0);
	ck_assert_int_eq(ask_path("[vdso]", 1, second, frames), 0);
}
END_TEST

START_TEST(truncated_file)
{
	struct cg_annex_frame frames[MAX_FRAMES];
	ready();
	build("whole", "gcc", "", "plain.c");
	read_program("whole");
	uint64_t site = address_of("whole", "exported") + 4;
	ck_assert_int_gt(ask("whole", site, frames), 0);
	for (size_t len = 0; len < size; len += size / 50) {
		write_program("cut", len);
		ck_assert_int_eq(ask("cut", site, frames), -ENOEXEC);
	}
}
END_TEST

static bool ends(const char *text, size_t room)
{
	return memchr(text, '\0', room) != NULL;
}

static void ask_everywhere(const char *name, const uint64_t *sites, unsigned n)
{
	struct cg_annex_frame frames[MAX_FRAMES];
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	for (unsigned i = 0; i < n; i++) {
		int count = ask_path(path, sites[i], second / 10, frames);
		ck_assert_int_le(count, MAX_FRAMES);
		for (int f = 0; f < count; f++) {
			ck_assert(ends(frames[f].function, sizeof frames[f].function));
			ck_assert(ends(frames[f].file, sizeof frames[f].file));
		}
	}
}

/* Bytes of debug information and of headers changed at random, the same ones in each run. */
START_TEST(corrupted_file)
{
	static const char *const flags[] = {"-gdwarf-4", "-gdwarf-5", "-gz"};
	uint64_t sites[ADDRESSES];
	ready();
	build("sound", "gcc", flags[_i], "plain.c");
	unsigned n = call_sites("sound", sites);
	srand(1 + (unsigned)_i);
	for (int round = 0; round < 150; round++) {
		read_program("sound");
		unsigned changes = 1 + (unsigned)rand() % 20;
		size_t first = round % 4 == 0 ? 0 : size / 2;
		for (unsigned i = 0; i < changes; i++)
			contents[first + (size_t)rand() % (size - first)] = (char)rand();
		write_program("corrupt", size);
		free(contents);
		ask_everywhere("corrupt", sites, n);
		reset();
	}
}
END_TEST

/* A name that is longer than a frame has room for keeps its parts and loses its template arguments. */
START_TEST(long_names_are_shortened)
{
	struct cg_annex_frame frames[MAX_FRAMES];
	ready();
	need("g++");
	RUN("cd %s && { printf 'extern \"C\" int atoi(const char *); template <int A, class B> struct "
	    "very_long_template_name { __attribute__((noinline)) static int method(const char *s) { return atoi(s) + "
	    "A; } };"
	    "typedef ';  for i in 1 2 3 4 5 6 7 8; do printf 'very_long_template_name<%%d, ' $i; done; printf int; "
	    "for i in 1 2 3 4 5 6 7 8; do printf ' >'; done; "
	    "printf ' T; int main(int, char **v) { return T::method(v[0]); }'; } > long.cc && "
	    "g++ -g -O2 -o long long.cc",
	    dir);
	uint64_t sites[ADDRESSES];
	unsigned n = call_sites("long", sites), found = 0;
	for (unsigned i = 0; i < n; i++)
		if (ask("long", sites[i], frames) > 0)
			found += strcmp(frames[0].function, "very_long_template_name<...>::method") == 0;
	ck_assert_uint_ge(found, 1);
}
END_TEST

START_TEST(no_budget)
{
	char path[PATH_MAX];
	struct cg_annex_frame frames[MAX_FRAMES];
	ready();
	build("timed", "gcc", "", "plain.c");
	snprintf(path, sizeof path, "%s/timed", dir);
	uint64_t site = address_of("timed", "exported") + 4;
	ck_assert_int_eq(ask_path(path, site, 0, frames), -ETIME);
	/* Too little for DWARF: the symbol, and word that there is more. */
	ck_assert_int_eq(ask_path(path, site, 1, frames), 1);
	ck_assert_str_eq(frames[0].function, "exported");
	ck_assert_uint_eq(frames[0].line, 0);
	ck_assert_uint_eq(frames[0].cut, 1);
	ck_assert_int_gt(ask_path(path, site, second, frames), 0);
	ck_assert_uint_gt(frames[0].line, 0);
	ck_assert_uint_eq(frames[0].cut, 0);
}
END_TEST

/* Many units, read in slices: each question keeps its time, and together they get to the answer. */
START_TEST(slices_of_a_large_file)
{
	char path[PATH_MAX];
	struct cg_annex_frame frames[MAX_FRAMES];
	ready();
	need("clang");
	RUN("cd %s && for i in $(seq 300); do echo \"int f$i(int x) { return x + $i; }\" > u$i.c; done; "
	    "echo 'int main(void) { return 0; }' > main.c; clang -g -c main.c u[0-9]*.c && "
	    "clang -o units main.o $(ls u*.o | sort -V) && rm u*.c u*.o",
	    dir);
	snprintf(path, sizeof path, "%s/units", dir);
	uint64_t site = address_of("units", "f300") + 4, longest = 0;
	int questions = 0;
	do {
		uint64_t start_ns = now();
		ck_assert_int_ge(ask_path(path, site, second / 5000, frames), 1);
		longest = now() - start_ns > longest ? now() - start_ns : longest;
		ck_assert_int_lt(++questions, 1000);
	} while (frames[0].cut);
	ck_assert_str_eq(frames[0].function, "f300");
	ck_assert_uint_eq(frames[0].line, 1);
	ck_assert_msg(longest < second / 2, "a question of 0.2 ms took %lu us", (unsigned long)(longest / 1000));
}
END_TEST

static void cases(TCase *tc)
{
	tcase_set_timeout(tc, 240);
	tcase_add_unchecked_fixture(tc, start, finish);
	tcase_add_test(tc, not_a_file_of_code);
	tcase_add_test(tc, truncated_file);
	tcase_add_loop_test(tc, corrupted_file, 0, 3);
	tcase_add_test(tc, long_names_are_shortened);
	tcase_add_test(tc, no_budget);
	tcase_add_test(tc, slices_of_a_large_file);
}
