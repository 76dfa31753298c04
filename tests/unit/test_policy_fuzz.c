/*
 * Thousands of broken policies, the same ones in each run: every one is taken, or told with a place, and none crashes.
 *
 * tests/fuzz/fuzz_policy.c goes on from here with clang's libFuzzer.
 */
#include "policy_file.h"

#include <ctype.h>
#include <glob.h>

enum { ROUNDS = 6000, SEEDS = 100, LARGEST = 1 << 16 };

static struct {
	char *data;
	size_t size;
} seeds[SEEDS];
static unsigned seed_count;

static const char *const words[] = {"\"",
                                    "\\",
                                    "{",
                                    "}",
                                    "(",
                                    ")",
                                    "[",
                                    "]",
                                    ";",
                                    "=",
                                    ",",
                                    "/*",
                                    "*/",
                                    "#",
                                    "//",
                                    "\n",
                                    "@include \"p.cfg\"\n",
                                    "@include \"part.cfg\"\n",
                                    "0",
                                    "-1",
                                    "1e9",
                                    "true",
                                    "0xffff",
                                    "99999999999999999999",
                                    "\"10s\"",
                                    "\"\"",
                                    "\"\\x00\"",
                                    "\"\\xff\"",
                                    "rules",
                                    "match",
                                    "close",
                                    "drain",
                                    "linger",
                                    "\"reset\"",
                                    "stack",
                                    "[::1]:80",
                                    "10.0.0.0/8",
                                    "*",
                                    "[a-z",
                                    "version = 1;\n"};

static uint32_t chance(uint32_t below)
{
	static uint32_t state = 2463534242; /* xorshift: the same on every libc */
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state % below;
}

static void add_seeds(const char *pattern)
{
	glob_t found;
	if (glob(pattern, 0, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc && seed_count < SEEDS; i++) {
		FILE *file = fopen(found.gl_pathv[i], "r");
		ck_assert_ptr_nonnull(file);
		seeds[seed_count].data = malloc(LARGEST);
		seeds[seed_count].size = fread(seeds[seed_count].data, 1, LARGEST / 4, file);
		seed_count++;
		fclose(file);
	}
	globfree(&found);
}

static size_t replace(char *data, size_t size, size_t at, size_t length, const char *with, size_t n)
{
	length = length > size - at ? size - at : length;
	if (size - length + n > LARGEST)
		return size;
	memmove(data + at + n, data + at + length, size - at - length);
	memcpy(data + at, with, n);
	return size - length + n;
}

static size_t mutate(char *data, size_t size)
{
	size_t at = size ? chance((uint32_t)size) : 0;
	const char *word = words[chance(sizeof words / sizeof words[0])];
	char byte = (char)chance(256);
	switch (chance(6)) {
	case 0:
		return replace(data, size, at, 1, &byte, 1);
	case 1:
		return replace(data, size, at, chance(40), "", 0);
	case 2:
		return replace(data, size, at, 0, word, strlen(word));
	case 3:
		return replace(data, size, at, chance(12), word, strlen(word));
	case 4: { /* a piece of another file */
		unsigned other = chance(seed_count);
		size_t from = seeds[other].size ? chance((uint32_t)seeds[other].size) : 0;
		size_t n = seeds[other].size - from, most = chance(200);
		return replace(data, size, at, chance(20), seeds[other].data + from, n < most ? n : most);
	}
	}
	return chance(8) ? size : at; /* cut short, now and then */
}

/* "FOLDER/name:12: ", and nothing that would break the line. */
static void check_line(const char *line)
{
	size_t n = strlen(folder);
	ck_assert_msg(strnlen(line, CG_POLICY_LINE) < CG_POLICY_LINE && strncmp(line, folder, n) == 0, "%.511s", line);
	const char *colon = strchr(line + n, ':');
	ck_assert_msg(colon && isdigit((unsigned char)colon[1]), "%s", line);
	ck_assert_msg(colon[1 + strspn(colon + 1, "0123456789")] == ':', "%s", line);
	for (; *line; line++)
		ck_assert(!iscntrl((unsigned char)*line));
}

static void use_policy(void)
{
	static const struct cg_policy_frame stack[] = {{"main", "app"}, {"Curl_conncache_add", "/lib/libcurl.so.4"}};
	const struct cg_policy_frame *stacks[] = {stack};
	unsigned counts[] = {2};
	struct cg_policy_facts facts = {.role = CG_POLICY_ACCEPTED, .has_addresses = true, .has_sites = true};
	facts.sites = cg_policy_site_bits(&policy, "http_accept");
	int rule = cg_policy_match(&policy, &facts);
	ck_assert_int_ge(rule, CG_POLICY_NO_RULE);
	ck_assert_int_lt(rule, (int)policy.rule_count);
	cg_policy_suppressed(&policy, "close_wait", "fin_unread", stacks, counts, 1);
	ck_assert(policy.rule_count <= CG_POLICY_RULES && policy.suppression_count <= CG_POLICY_SUPPRESSIONS);
	ck_assert(policy.file_count >= 1 && policy.file_count <= CG_POLICY_FILES);
}

START_TEST(mutations)
{
	static char data[LARGEST];
	unsigned good = 0;
	add_seeds("policy/*.cfg");
	add_seeds("tests/policy/bad/*.cfg");
	ck_assert_uint_gt(seed_count, 20);
	put("part.cfg", "depth = 3;\n");
	for (unsigned i = 0; i < ROUNDS; i++) {
		unsigned seed = chance(seed_count);
		size_t size = seeds[seed].size;
		memcpy(data, seeds[seed].data, size);
		for (unsigned changes = chance(6); changes; changes--)
			size = mutate(data, size);
		put_bytes("p.cfg", data, size);
		int count = load("p.cfg");
		ck_assert_int_ge(count, 0);
		for (int j = 0; j < count && j < NOTES; j++)
			check_line(errors[j]);
		for (unsigned j = 0; j < warned && j < NOTES; j++)
			check_line(warnings[j]);
		if (count)
			continue;
		use_policy();
		good++;
	}
	ck_assert_uint_gt(good, ROUNDS / 50); /* else the mutations would only test the scanner */
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_test(tc, mutations);
}
