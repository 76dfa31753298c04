/* test_modules.c: the list of loaded modules, its build-ids and its generations. */
#include "core_fixture.h"
#include "modules.h"
#include "object.h"
#include "object_maps.h"
#include "unit.h"

#include <dlfcn.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "fileid.h"

static char loaded_path[256];

/* A small library of libc's own that nothing here has loaded; NULL when there is none. */
static void *load_something(const char **ret_symbol)
{
	static const char *const names[][2] = {{"libresolv.so.2", "ns_datetosecs"},
	                                       {"libBrokenLocale.so.1", "__ctype_get_mb_cur_max"}};
	for (unsigned i = 0; i < 2; i++) {
		void *there = dlopen(names[i][0], RTLD_NOW | RTLD_NOLOAD);
		void *library = there ? NULL : dlopen(names[i][0], RTLD_NOW | RTLD_LOCAL);
		if (library) {
			*ret_symbol = names[i][1];
			return library;
		}
	}
	SKIP("neither libresolv nor libBrokenLocale can be loaded anew");
	return NULL;
}

static uint64_t address_in(void *library, const char *symbol)
{
	void *found = dlsym(library, symbol);
	Dl_info info;
	ck_assert_ptr_nonnull(found);
	ck_assert_int_ne(dladdr(found, &info), 0);
	snprintf(loaded_path, sizeof loaded_path, "%s", info.dli_fname);
	return (uint64_t)(uintptr_t)found + 1; /* a return address lies behind a call */
}

static uint32_t generation(void)
{
	return atomic_load(&cg_recorder_header()->module_generation);
}

static void note(uint64_t ip)
{
	cg_modules_note(&ip, 1);
}

static const struct cg_module *module_of(const void *function)
{
	return cg_modules_find((uint64_t)(uintptr_t)function + 1, generation());
}

static void note_own(void)
{
	note((uint64_t)(uintptr_t)module_of + 1);
}

static void has_the_build_id_that_readelf_shows(const struct cg_module *m)
{
	char command[512], line[256], want[64] = "", is[64] = "";
	snprintf(command, sizeof command, "LC_ALL=C readelf -n '%s' 2>/dev/null", m->path);
	FILE *output = popen(command, "r");
	ck_assert_ptr_nonnull(output);
	while (fgets(line, sizeof line, output))
		sscanf(line, " Build ID: %63s", want);
	pclose(output);
	if (!want[0])
		SKIP("readelf is missing, or the file has no build-id");
	for (unsigned i = 0; i < m->build_id_len; i++)
		snprintf(is + 2 * i, 3, "%02x", m->build_id[i]);
	ck_assert_str_eq(is, want);
}

START_TEST(the_program_is_listed)
{
	char exe[512] = "";
	core_start();
	note_own();
	const struct cg_module *m = module_of((void *)generation);
	ck_assert_ptr_nonnull(m);
	ck_assert_int_gt(readlink("/proc/self/exe", exe, sizeof exe - 1), 0);
	size_t len = strlen(exe), room = sizeof m->path - 1;
	ck_assert_str_eq(m->path, len > room ? exe + len - room : exe);
	ck_assert_uint_eq(m->loaded, 1);
	if (len <= room)
		has_the_build_id_that_readelf_shows(m);
}
END_TEST

START_TEST(libc_is_listed)
{
	core_start();
	void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
	note(address_in(libc, "gnu_get_libc_version"));
	const struct cg_module *m = cg_modules_find(address_in(libc, "gnu_get_libc_version"), generation());
	ck_assert_ptr_nonnull(m);
	ck_assert_str_eq(m->path, loaded_path);
	Dl_info info;
	ck_assert_int_ne(dladdr(dlsym(libc, "gnu_get_libc_version"), &info), 0);
	ck_assert_uint_eq(m->bias, (uint64_t)(uintptr_t)info.dli_fbase);
	has_the_build_id_that_readelf_shows(m);
}
END_TEST

START_TEST(the_bounds_are_those_of_return_addresses)
{
	core_start();
	note_own();
	const struct cg_module *m = module_of((void *)generation);
	ck_assert_ptr_nonnull(m);
	ck_assert_ptr_eq(cg_modules_find(m->end, generation()), m); /* behind a call that does not return */
	ck_assert_ptr_ne(cg_modules_find(m->start, generation()), m);
	ck_assert_ptr_null(cg_modules_find(4096, generation()));
}
END_TEST

START_TEST(nothing_new_makes_no_generation)
{
	core_start();
	ck_assert_uint_eq(generation(), 0);
	for (unsigned i = 0; i < 3; i++) {
		note_own();
		cg_modules_refresh();
		ck_assert_uint_eq(generation(), 1);
	}
}
END_TEST

START_TEST(a_library_is_found_in_the_generations_it_was_there)
{
	const char *symbol;
	core_start();
	note_own();
	void *library = load_something(&symbol);
	uint64_t ip = address_in(library, symbol);
	ck_assert_ptr_null(cg_modules_find(ip, generation()));
	note(ip);
	ck_assert_uint_eq(generation(), 2);
	const struct cg_module *m = cg_modules_find(ip, 2);
	ck_assert_ptr_nonnull(m);
	ck_assert_str_eq(m->path, loaded_path);
	ck_assert_uint_eq(m->loaded, 2);
	ck_assert_uint_eq(atomic_load(&m->unloaded), 0);
	ck_assert_ptr_null(cg_modules_find(ip, 1));

	dlclose(library);
	if (dlopen(loaded_path, RTLD_NOW | RTLD_NOLOAD))
		SKIP("the library stays although it was closed");
	cg_modules_refresh();
	ck_assert_uint_eq(generation(), 3);
	ck_assert_uint_eq(atomic_load(&m->unloaded), 3);
	ck_assert_ptr_eq(cg_modules_find(ip, 2), m);
	ck_assert_ptr_null(cg_modules_find(ip, 3));
	ck_assert_msg(module_of((void *)generation) != NULL, "the program was taken for unloaded");
	has_the_build_id_that_readelf_shows(m);
}
END_TEST

START_TEST(one_that_comes_back_is_a_new_entry)
{
	const char *symbol;
	core_start();
	void *library = load_something(&symbol);
	uint64_t ip = address_in(library, symbol);
	note(ip);
	const struct cg_module *first = cg_modules_find(ip, 1);
	ck_assert_ptr_nonnull(first);
	dlclose(library);
	cg_modules_refresh();
	library = load_something(&symbol);
	ip = address_in(library, symbol);
	note(ip);
	const struct cg_module *second = cg_modules_find(ip, generation());
	ck_assert_ptr_nonnull(second);
	ck_assert_ptr_ne(first, second);
	ck_assert_uint_eq(atomic_load(&second->unloaded), 0);
	ck_assert_uint_lt(first->loaded, second->loaded);
}
END_TEST

START_TEST(a_full_list_does_no_harm)
{
	const char *symbol;
	core_start();
	note_own();
	for (unsigned i = 0; i < CG_MAX_MODULES; i++) {
		struct cg_module *m = cg_recorder_module(i, true);
		uint32_t free_place = 0;
		if (atomic_compare_exchange_strong(&m->state, &free_place, 2))
			atomic_store(&m->unloaded, 1);
	}
	void *library = load_something(&symbol);
	uint64_t ip = address_in(library, symbol);
	uint32_t before = generation();
	note(ip);
	ck_assert_uint_eq(generation(), before);
	ck_assert_ptr_null(cg_modules_find(ip, generation()));
	ck_assert_ptr_nonnull(module_of((void *)generation));
}
END_TEST

START_TEST(a_new_recorder_gets_a_list_of_its_own)
{
	core_start();
	note_own();
	cg_recorder_after_fork();
	core_start();
	ck_assert_ptr_null(module_of((void *)generation));
	note_own();
	ck_assert_ptr_nonnull(module_of((void *)generation));
}
END_TEST

/* What libc's loader tells without a lock since glibc 2.35, told by the kernel. */
START_TEST(the_kernel_tells_the_same_as_the_loader)
{
	const char *symbol;
	char path[CG_OBJECT_PATH], *real;
	struct cg_object kernel, loader;
	core_start();
	if (!cg_object_is_cheap())
		SKIP("this libc's loader does not tell");
	void *library = load_something(&symbol);
	uint64_t ip = address_in(library, symbol);
	for (unsigned turn = 0; turn < 3; turn++) {
		ck_assert(cg_object_find(ip, &loader));
		ck_assert(cg_object_maps_find(ip, &kernel));
		ck_assert_uint_eq(kernel.start, loader.start);
		ck_assert_uint_gt(kernel.end, ip);
		ck_assert_uint_le(kernel.end, loader.end + 65536); /* without what is no part of the file */
		if (turn == 1)
			cg_object_maps_keep(&kernel); /* from here on it is remembered */
	}
	cg_object_maps_path(&kernel, path);
	ck_assert_ptr_nonnull(real = realpath(loaded_path, NULL));
	ck_assert_str_eq(path, real);
	ck_assert(!cg_object_maps_find(4096, &kernel));
	int on_the_stack;
	ck_assert(!cg_object_maps_find((uint64_t)(uintptr_t)&on_the_stack, &kernel));
	atomic_store(&cg_guard.sealed, true);
	ck_assert(cg_object_maps_find(ip, &kernel));
	cg_object_maps_forget();
	ck_assert(!cg_object_maps_find(ip, &kernel));
	atomic_store(&cg_guard.sealed, false);
}
END_TEST

static _Atomic bool may_note;

static void *note_in_thread(void *unused)
{
	while (!may_note)
		;
	note_own();
	cg_modules_refresh();
	return unused;
}

/* The loader's lock is held for as long as its list is walked. */
static int wait_for_thread(struct dl_phdr_info *info, size_t size, void *thread)
{
	struct timespec end;
	(void)info;
	(void)size;
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 20;
	may_note = true;
	int error = pthread_timedjoin_np(*(pthread_t *)thread, NULL, &end);
	return error ? error : 1000;
}

START_TEST(the_loaders_lock_is_not_asked_for)
{
	pthread_t thread;
	core_start();
	ck_assert_int_eq(pthread_create(&thread, NULL, note_in_thread, NULL), 0);
	ck_assert_int_eq(dl_iterate_phdr(wait_for_thread, &thread), 1000);
	ck_assert_ptr_nonnull(module_of((void *)generation));
}
END_TEST

/* A library that has no build-id, loaded; the case's to replace. */
static const struct cg_module *load_without_id(char path[64])
{
	char command[256];
	strcpy(path, "/tmp/closeguard-test-XXXXXX");
	int fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	close(fd);
	snprintf(command, sizeof command,
	         "echo 'int f(void) { return 1; }' | ${CC:-cc} -shared -fPIC -Wl,--build-id=none -x c -o %s -", path);
	if (system(command) != 0)
		SKIP("no compiler here");
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	ck_assert_ptr_nonnull(library);
	note(address_in(library, "f"));
	const struct cg_module *m = cg_modules_find(address_in(library, "f"), generation());
	ck_assert_ptr_nonnull(m);
	ck_assert_uint_eq(m->build_id_len, 0);
	ck_assert_uint_eq(m->file_id, 0);
	return m;
}

START_TEST(the_file_of_a_module_without_build_id_is_known)
{
	char path[64];
	struct stat st;
	core_start();
	const struct cg_module *m = load_without_id(path);
	ck_assert_int_eq(stat(path, &st), 0);
	cg_modules_identify();
	ck_assert_uint_eq(m->file_id, cg_fileid(&st));
	ck_assert_uint_eq(m->flags, CG_MODULE_ASKED);
	unlink(path);
}
END_TEST

/* Replaced before anybody looked; then what is there now is not what was loaded. */
START_TEST(a_file_that_was_replaced_is_not_known)
{
	char path[64], other[80];
	core_start();
	const struct cg_module *m = load_without_id(path);
	snprintf(other, sizeof other, "%s.new", path);
	FILE *file = fopen(other, "w");
	ck_assert_ptr_nonnull(file);
	fclose(file);
	ck_assert_int_eq(rename(other, path), 0);
	cg_modules_identify();
	ck_assert_uint_eq(m->file_id, 0);
	ck_assert_uint_eq(m->flags, CG_MODULE_ASKED);
	unlink(path);
}
END_TEST

static void cases(TCase *tc)
{
	core_fixtures(tc);
	tcase_add_test(tc, the_kernel_tells_the_same_as_the_loader);
	tcase_add_test(tc, the_loaders_lock_is_not_asked_for);
	tcase_add_test(tc, the_program_is_listed);
	tcase_add_test(tc, libc_is_listed);
	tcase_add_test(tc, the_bounds_are_those_of_return_addresses);
	tcase_add_test(tc, nothing_new_makes_no_generation);
	tcase_add_test(tc, a_library_is_found_in_the_generations_it_was_there);
	tcase_add_test(tc, one_that_comes_back_is_a_new_entry);
	tcase_add_test(tc, a_full_list_does_no_harm);
	tcase_add_test(tc, a_new_recorder_gets_a_list_of_its_own);
	tcase_add_test(tc, the_file_of_a_module_without_build_id_is_known);
	tcase_add_test(tc, a_file_that_was_replaced_is_not_known);
}
