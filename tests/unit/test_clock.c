/* test_clock.c: the kernel's clock, found in the vdso whatever that holds. */
#include "clock.h"
#include "unit.h"

#include <link.h>
#include <stdlib.h>
#include <sys/auxv.h>

static const char *object;
static size_t object_size;

/* As far as its one loaded segment goes. */
static void find_object(void)
{
	object = (const char *)getauxval(AT_SYSINFO_EHDR);
	if (!object)
		SKIP("the kernel maps no vdso here");
	const ElfW(Ehdr) *header = (const void *)object;
	const ElfW(Phdr) *p = (const void *)(object + header->e_phoff);
	for (int i = 0; i < header->e_phnum; i++)
		if (p[i].p_type == PT_LOAD && p[i].p_offset == 0)
			object_size = p[i].p_memsz;
}

START_TEST(the_kernels_clock_is_found)
{
	struct timespec found, libcs;
	cg_clock_function *clock = cg_clock_find(object);
	ck_assert_msg(clock != NULL, "the vdso's function was not found");
	ck_assert_int_eq(clock(CLOCK_MONOTONIC, &found), 0);
	ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &libcs), 0);
	ck_assert_int_ge(libcs.tv_sec, found.tv_sec);
	ck_assert_int_le(libcs.tv_sec, found.tv_sec + 60);
	uint64_t by_call = cg_clock_ns(CLOCK_MONOTONIC); /* before the constructor's call */
	cg_clock_init();
	ck_assert(cg_clock_vdso == clock);
	ck_assert_uint_ge(cg_clock_ns(CLOCK_MONOTONIC), by_call);
	ck_assert_uint_eq(cg_clock_ns((clockid_t)1000), 0);
}
END_TEST

/* Objects with one byte that is not as it should be: nothing beyond the object is read, and what is found is in it. */
START_TEST(a_damaged_object_does_no_harm)
{
	char *copy = malloc(object_size);
	unsigned missing = 0, random = 1;
	ck_assert_uint_gt(object_size, 4096);
	for (unsigned i = 0; i < 20000; i++) {
		memcpy(copy, object, object_size);
		random = random * 1103515245u + 12345;
		size_t at = (random >> 8) % 4096;
		copy[at] = (char)(i % 3 == 0 ? 0xff : i % 3 == 1 ? 0 : random >> 20);
		cg_clock_function *found = cg_clock_find(copy);
		const char *address;
		memcpy(&address, &found, sizeof address);
		missing += !found;
		ck_assert(!found || (address >= copy && address < copy + object_size));
	}
	ck_assert_uint_gt(missing, 10);
	free(copy);
}
END_TEST

START_TEST(an_object_without_end_is_none)
{
	char *copy = malloc(object_size);
	memcpy(copy, object, object_size);
	ElfW(Phdr) *p = (void *)(copy + ((const ElfW(Ehdr) *)(const void *)copy)->e_phoff);
	while (p->p_type != PT_LOAD || p->p_offset != 0)
		p++;
	p->p_memsz = SIZE_MAX - 1;
	ck_assert(!cg_clock_find(copy));
	free(copy);
}
END_TEST

START_TEST(no_object_is_no_clock)
{
	char nothing[4096] = "";
	ck_assert(!cg_clock_find(NULL));
	ck_assert(!cg_clock_find(nothing));
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_checked_fixture(tc, find_object, NULL);
	tcase_add_test(tc, the_kernels_clock_is_found);
	tcase_add_test(tc, a_damaged_object_does_no_harm);
	tcase_add_test(tc, an_object_without_end_is_none);
	tcase_add_test(tc, no_object_is_no_clock);
}
