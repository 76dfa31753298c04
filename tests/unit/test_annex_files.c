/* test_annex_files.c: where the annex finds debug information, what it says without, and what it refuses. */
#include "../fixtures/annex/fixture.h"

#include <errno.h>
#include <fcntl.h>

#include "fileid.h"

static void prepare(const char *compile_flags, const char *strip_flags)
{
	char root[128];
	ready();
	need("objcopy");
	need("strip");
	reset();
	build("full", "gcc", compile_flags, "plain.c");
	RUN("cd %s && rm -rf root .debug stripped && mkdir -p root .debug && strip %s -o stripped full", dir,
	    strip_flags);
	snprintf(root, sizeof root, "%s/root", dir);
	debug_root(root);
}

static void id_of(const char *name, char hex[64])
{
	char command[256];
	snprintf(command, sizeof command, "readelf -n %s/%s | awk '/Build ID:/ { print $3 }'", dir, name);
	FILE *out = popen(command, "r");
	ck_assert_ptr_nonnull(out);
	if (!fgets(hex, 64, out))
		hex[0] = '\0';
	pclose(out);
	hex[strcspn(hex, "\n")] = '\0';
	ck_assert_uint_ge(strlen(hex), 16);
}

/* A call site in `outer`, which no dynamic symbol names. */
static uint64_t site_in_outer(const char *name)
{
	uint64_t sites[ADDRESSES], start_of = address_of(name, "outer");
	unsigned n = call_sites(name, sites);
	for (unsigned i = 0; i < n; i++)
		if (sites[i] > start_of && sites[i] < start_of + 64)
			return sites[i];
	ck_abort_msg("outer makes no call");
	return 0;
}

START_TEST(debug_file_by_build_id)
{
	char hex[64];
	prepare("-Wl,--build-id", "--strip-all");
	id_of("full", hex);
	RUN("cd %s && mkdir -p root/.build-id/%.2s && objcopy --only-keep-debug full root/.build-id/%.2s/%s.debug", dir,
	    hex, hex, hex + 2);
	same_answers("full", "stripped", 8);
}
END_TEST

START_TEST(debug_file_of_another_build_is_refused)
{
	char hex[64];
	struct cg_annex_frame frames[MAX_FRAMES];
	prepare("-Wl,--build-id", "--strip-all");
	id_of("full", hex);
	build("other", "gcc", "-Wl,--build-id -DOTHER -g3", "plain.c");
	RUN("cd %s && mkdir -p root/.build-id/%.2s && objcopy --only-keep-debug other root/.build-id/%.2s/%s.debug",
	    dir, hex, hex, hex + 2);
	ck_assert_int_eq(ask("stripped", site_in_outer("full"), frames), 0);
}
END_TEST

/* In the three places where a debug link is looked up. */
static const char *const link_places[] = {".", ".debug", "root%s"};

static void link_debug_file(int place, char *ret_path)
{
	char where[256];
	snprintf(where, sizeof where, place == 2 ? "root%s" : "%s", place == 2 ? dir : link_places[place]);
	RUN("cd %s && objcopy --only-keep-debug full full.debug && objcopy --add-gnu-debuglink=full.debug stripped",
	    dir);
	RUN("cd %s && mkdir -p ./%s && { [ %s = . ] || mv full.debug ./%s/; }", dir, where, where, where);
	snprintf(ret_path, 512, "%s/%s/full.debug", dir, where);
}

START_TEST(debug_file_by_link)
{
	char path[512];
	prepare("-Wl,--build-id=none", "--strip-all");
	link_debug_file(_i, path);
	same_answers("full", "stripped", 8);
}
END_TEST

START_TEST(linked_file_with_another_checksum_is_refused)
{
	char path[512];
	struct cg_annex_frame frames[MAX_FRAMES];
	prepare("-Wl,--build-id=none", "--strip-all");
	link_debug_file(0, path);
	uint64_t site = site_in_outer("full");
	ck_assert_int_gt(ask("stripped", site, frames), 0);
	RUN("printf x >> %s", path);
	ck_assert_int_eq(ask("stripped", site, frames), 0);
}
END_TEST

START_TEST(common_parts_moved_by_dwz)
{
	need("dwz");
	prepare("-gdwarf-4", "--strip-all");
	build("one", "g++", "-gdwarf-4", "names.cc");
	build("two", "g++", "-gdwarf-4 -O1", "names.cc");
	RUN("cd %s && cp one one.dwz && cp two two.dwz", dir);
	RUN("cd %s && dwz -m common.debug -M common.debug one.dwz two.dwz", dir);
	RUN("cd %s && readelf -S one.dwz | grep -q gnu_debugaltlink", dir);
	same_answers("one", "one.dwz", 20);
	same_answers("two", "two.dwz", 20);
}
END_TEST

START_TEST(split_dwarf)
{
	ready();
	build("whole", "gcc", "", "plain.c");
	build("split", "gcc", "-gsplit-dwarf", "plain.c");
	same_answers("whole", "split", 8);
}
END_TEST

START_TEST(static_function_in_symtab)
{
	struct cg_annex_frame frames[MAX_FRAMES];
	prepare("", "--strip-debug");
	ck_assert_int_eq(ask("stripped", site_in_outer("full"), frames), 1);
	ck_assert_str_eq(frames[0].function, "outer");
	ck_assert_str_eq(frames[0].file, "");
	ck_assert_uint_eq(frames[0].inlined, 0);
	ck_assert_uint_eq(frames[0].cut, 0);
}
END_TEST

START_TEST(only_dynsym)
{
	struct cg_annex_frame frames[MAX_FRAMES];
	prepare("-rdynamic", "--strip-all");
	ck_assert_int_eq(ask("stripped", address_of("full", "exported") + 4, frames), 1);
	ck_assert_str_eq(frames[0].function, "exported");
	ck_assert_int_eq(ask("stripped", site_in_outer("full"), frames), 0);
}
END_TEST

START_TEST(minidebuginfo)
{
	struct cg_annex_frame frames[MAX_FRAMES];
	prepare("", "--strip-all");
	need("xz");
	RUN("cd %s && objcopy -S --remove-section .comment --keep-symbol=outer full mini && xz -f mini", dir);
	RUN("cd %s && objcopy --add-section .gnu_debugdata=mini.xz stripped", dir);
	uint64_t site = site_in_outer("full");
	int n = ask("stripped", site, frames);
	/* Symbol tables have some milliseconds of their own, and what did not fit into them is asked again. */
	for (int again = 0; n == -ETIME && again < 50; again++)
		n = ask("stripped", site, frames);
	ck_assert_int_eq(n, 1);
	ck_assert_str_eq(frames[0].function, "outer");
}
END_TEST

/* A symbol names what it covers; the bytes behind it belong to nobody. */
START_TEST(symbols_cover)
{
	struct cg_annex_frame frames[MAX_FRAMES];
	ready();
	RUN("cd %s && printf '.text\\n.globl a\\n.type a,%%%%function\\na: nop\\nnop\\n.size a,.-a\\n"
	    "b: nop\\nnop\\n' > s.s && gcc -shared -nostdlib -o symbols s.s",
	    dir);
	uint64_t a = address_of("symbols", "a");
	ck_assert_int_eq(ask("symbols", a + 1, frames), 1);
	ck_assert_str_eq(frames[0].function, "a");
	ck_assert_int_eq(ask("symbols", address_of("symbols", "b"), frames), 0);
}
END_TEST

START_TEST(cpp_symbols_are_readable)
{
	struct cg_annex_frame frames[MAX_FRAMES];
	ready();
	if (!dlopen("libstdc++.so.6", RTLD_NOW | RTLD_GLOBAL))
		SKIP("no libstdc++ to demangle with");
	build("cpp", "g++", "-g0 -fno-inline", "names.cc");
	ck_assert_int_eq(ask("cpp", address_of("cpp", "_ZNK5outer2v110Connection6methodEi") + 4, frames), 1);
	ck_assert_str_eq(frames[0].function, "outer::v1::Connection::method");
	ck_assert_int_eq(ask("cpp", address_of("cpp", "_ZN5outer7genericIlEET_S1_") + 4, frames), 1);
	ck_assert_str_eq(frames[0].function, "outer::generic<long>");
}
END_TEST

START_TEST(replaced_file_is_refused)
{
	char hex[64], path[128];
	uint8_t id[20];
	struct cg_annex_frame frames[MAX_FRAMES];
	prepare("-Wl,--build-id", "--strip-debug");
	id_of("full", hex);
	unsigned len = (unsigned)strlen(hex) / 2;
	ck_assert_uint_le(len, sizeof id);
	for (unsigned i = 0; i < len; i++)
		ck_assert_int_eq(sscanf(hex + 2 * i, "%2hhx", &id[i]), 1);
	snprintf(path, sizeof path, "%s/full", dir);
	struct cg_annex_module module = {.path = path, .build_id = id, .build_id_len = len};
	uint64_t site = site_in_outer("full");
	ck_assert_int_gt(ask_module(&module, site, second, frames), 0);
	id[0] ^= 1;
	ck_assert_int_eq(ask_module(&module, site, second, frames), -ESTALE);
	id[0] ^= 1;
	build("other", "gcc", "-Wl,--build-id -DOTHER -O1", "plain.c");
	RUN("cd %s && mv other full", dir);
	ck_assert_int_eq(ask_module(&module, site, second, frames), -ESTALE);
	unlink(path);
	ck_assert_int_eq(ask_module(&module, site, second, frames), 0);
}
END_TEST

/* A plugin of the program's may use libdw too, and gets the one that the annex has loaded. */
START_TEST(the_program_may_use_libdw)
{
	char path[512];
	struct cg_annex_frame frames[MAX_FRAMES];
	prepare("", "--strip-debug");
	ck_assert_int_gt(ask("full", site_in_outer("full"), frames), 0);
	void *library = dlopen("libdw.so.1", RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
	ck_assert_ptr_nonnull(library);
	void *(*begin)(int, int) = (void *(*)(int, int))dlsym(library, "dwarf_begin");
	int (*end)(void *) = (int (*)(void *))dlsym(library, "dwarf_end");
	snprintf(path, sizeof path, "%s/full", dir);
	void *dwarf = begin(open(path, O_RDONLY), 0);
	ck_assert_ptr_nonnull(dwarf);
	ck_assert_int_eq(end(dwarf), 0);
}
END_TEST

/* Without build-id: the file's own number, and the name by which what was loaded is still there. */
START_TEST(replaced_file_without_build_id)
{
	char path[128], mapped[128];
	struct stat st;
	struct cg_annex_frame frames[MAX_FRAMES];
	prepare("-Wl,--build-id=none", "--strip-debug");
	snprintf(path, sizeof path, "%s/full", dir);
	snprintf(mapped, sizeof mapped, "%s/loaded", dir);
	ck_assert_int_eq(stat(path, &st), 0);
	uint64_t site = site_in_outer("full");
	struct cg_annex_module module = {.path = path, .file_id = cg_fileid(&st)},
	                       unknown = {.path = path, .mapped = mapped};
	ck_assert_int_gt(ask_module(&module, site, second, frames), 0);
	ck_assert_int_lt(ask_module(&unknown, site, second, frames), 0);
	build("other", "gcc", "-Wl,--build-id=none -DOTHER -O1", "plain.c");
	RUN("cd %s && mv full loaded && mv other full", dir);
	ck_assert_int_eq(ask_module(&module, site, second, frames), -ESTALE);
	module.mapped = mapped;
	int n = ask_module(&module, site, second, frames);
	ck_assert_int_gt(n, 0);
	ck_assert_str_eq(frames[n - 1].function, "outer");
	ck_assert_int_gt(ask_module(&unknown, site, second, frames), 0);
	RUN("cd %s && touch -d '1 hour ago' loaded", dir);
	ck_assert_int_eq(ask_module(&module, site, second, frames), -ESTALE);
}
END_TEST

static unsigned lines_with(const char *command)
{
	char line[32] = "";
	FILE *out = popen(command, "r");
	ck_assert_ptr_nonnull(out);
	ck_assert_ptr_nonnull(fgets(line, sizeof line, out));
	pclose(out);
	return (unsigned)strtoul(line, NULL, 10);
}

/* Whose owner cuts a mapped file short ends the program. */
static void nothing_is_mapped(void)
{
	char command[128];
	snprintf(command, sizeof command, "grep -c %s /proc/%d/maps", dir, (int)getpid());
	ck_assert_uint_eq(lines_with(command), 0);
}

/* Files that stay in use, and what is left of them is looked at while they are. */
START_TEST(nothing_stays_open_or_mapped)
{
	char name[32];
	struct cg_annex_frame frames[MAX_FRAMES];
	prepare("", "--strip-debug");
	uint64_t site = site_in_outer("full");
	int before = open("/dev/null", O_RDONLY);
	close(before);
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof name, "copy%d", i);
		RUN("cd %s && ln full %s", dir, name);
		ck_assert_int_gt(ask(name, site, frames), 0);
	}
	int after = open("/dev/null", O_RDONLY);
	close(after);
	ck_assert_int_eq(after, before);
	nothing_is_mapped();
	reset();
}
END_TEST

/* The program, its debug file, what dwz shares, units that libdw opens by itself. */
START_TEST(no_kind_of_file_is_mapped)
{
	char path[512];
	struct cg_annex_frame frames[MAX_FRAMES];
	need("dwz");
	prepare("-Wl,--build-id=none", "--strip-all");
	link_debug_file(0, path);
	same_answers("full", "stripped", 8);
	nothing_is_mapped();
	build("split", "gcc", "-gsplit-dwarf", "plain.c");
	same_answers("full", "split", 8);
	nothing_is_mapped();
	build("one", "g++", "-gdwarf-4", "names.cc");
	build("two", "g++", "-gdwarf-4 -O1", "names.cc");
	RUN("cd %s && cp one one.dwz && cp two two.dwz && dwz -m common.debug -M common.debug one.dwz two.dwz", dir);
	same_answers("one", "one.dwz", 20);
	nothing_is_mapped();
	RUN("cd %s && rm common.debug && touch -d '1 hour ago' one.dwz", dir);
	(void)ask("one.dwz", address_of("one", "main") + 4, frames);
	nothing_is_mapped();
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_unchecked_fixture(tc, start, finish);
	tcase_add_test(tc, debug_file_by_build_id);
	tcase_add_test(tc, debug_file_of_another_build_is_refused);
	tcase_add_loop_test(tc, debug_file_by_link, 0, 3);
	tcase_add_test(tc, linked_file_with_another_checksum_is_refused);
	tcase_add_test(tc, common_parts_moved_by_dwz);
	tcase_add_test(tc, split_dwarf);
	tcase_add_test(tc, static_function_in_symtab);
	tcase_add_test(tc, only_dynsym);
	tcase_add_test(tc, minidebuginfo);
	tcase_add_test(tc, symbols_cover);
	tcase_add_test(tc, cpp_symbols_are_readable);
	tcase_add_test(tc, replaced_file_is_refused);
	tcase_add_test(tc, the_program_may_use_libdw);
	tcase_add_test(tc, replaced_file_without_build_id);
	tcase_add_test(tc, nothing_stays_open_or_mapped);
	tcase_add_test(tc, no_kind_of_file_is_mapped);
}
