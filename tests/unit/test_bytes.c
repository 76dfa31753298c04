/* test_bytes.c: the library's own memory and string functions against libc's. */
#include "unit.h"

#include <stdint.h>

/* Under names of their own: those of libc are what they are compared with. */
#define memcpy own_memcpy
#define memmove own_memmove
#define memset own_memset
#define memcmp own_memcmp
#define memchr own_memchr
#define memrchr own_memrchr
#define strnlen own_strnlen
#define strlen own_strlen
#define strchr own_strchr
#define strrchr own_strrchr
#define strncmp own_strncmp
#define strcmp own_strcmp
#define strcspn own_strcspn
#define strstr own_strstr
#include "bytes.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef memrchr
#undef strnlen
#undef strlen
#undef strchr
#undef strrchr
#undef strncmp
#undef strcmp
#undef strcspn
#undef strstr

enum { SIZE = 80 };

static void fill(char *text, unsigned seed)
{
	for (unsigned i = 0; i < SIZE; i++)
		text[i] = (char)('a' + (i * seed + i / 7) % 5);
}

START_TEST(bytes_move_as_libcs_do)
{
	char source[SIZE], wanted[SIZE], is[SIZE];
	fill(source, 3);
	for (unsigned from = 0; from < 24; from++) {
		for (unsigned to = 0; to < 24; to++) {
			for (unsigned n = 0; n < 50; n++) {
				fill(wanted, 7);
				fill(is, 7);
				ck_assert_ptr_eq(own_memcpy(is + to, source + from, n), is + to);
				memcpy(wanted + to, source + from, n);
				ck_assert_mem_eq(is, wanted, SIZE);
				ck_assert_ptr_eq(own_memmove(is + to, is + from, n), is + to);
				memmove(wanted + to, wanted + from, n);
				ck_assert_mem_eq(is, wanted, SIZE);
				own_memset(is + to, (int)(n + 200), n);
				memset(wanted + to, (int)(n + 200), n);
				ck_assert_mem_eq(is, wanted, SIZE);
			}
		}
	}
}
END_TEST

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

START_TEST(bytes_compare_as_libcs_do)
{
	static const char *const texts[] = {"", "a", "ab", "abc", "abd", "\x80", "ab\xff", "aabab", "b", "abcabd"};
	enum { COUNT = sizeof texts / sizeof texts[0] };
	for (unsigned i = 0; i < COUNT; i++) {
		const char *a = texts[i];
		ck_assert_uint_eq(own_strlen(a), strlen(a));
		for (unsigned n = 0; n < 8; n++)
			ck_assert_uint_eq(own_strnlen(a, n), strnlen(a, n));
		for (int c = 0; c < 256; c++) {
			ck_assert_ptr_eq(own_strchr(a, c), strchr(a, c));
			ck_assert_ptr_eq(own_strrchr(a, c), strrchr(a, c));
			ck_assert_ptr_eq(own_memchr(a, c, strlen(a)), memchr(a, c, strlen(a)));
			ck_assert_ptr_eq(own_memrchr(a, c, strlen(a)), memrchr(a, c, strlen(a)));
		}
		for (unsigned j = 0; j < COUNT; j++) {
			const char *b = texts[j];
			size_t least = strlen(a) < strlen(b) ? strlen(a) : strlen(b);
			ck_assert_int_eq(sign(own_strcmp(a, b)), sign(strcmp(a, b)));
			ck_assert_int_eq(sign(own_memcmp(a, b, least)), sign(memcmp(a, b, least)));
			ck_assert_uint_eq(own_strcspn(a, b), strcspn(a, b));
			ck_assert_ptr_eq(own_strstr(a, b), strstr(a, b));
			for (unsigned n = 0; n < 7; n++)
				ck_assert_int_eq(sign(own_strncmp(a, b, n)), sign(strncmp(a, b, n)));
		}
	}
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_test(tc, bytes_move_as_libcs_do);
	tcase_add_test(tc, bytes_compare_as_libcs_do);
}
