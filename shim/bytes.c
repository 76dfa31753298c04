/*
 * bytes.c: the library's own memcpy and its relatives, which its calls bind to.
 *
 * Those of the program's scope may be a sanitizer's or another interposer's. They would take what several threads read
 * and write here, by atomics that they do not see, for a race of the program's, and change its exit status. The names
 * are hidden: nobody else gets them. Short texts and records only, so that plain loops do.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Keeps the compiler from taking a loop for the function that it is in. */
#define PLAIN(value) __asm__("" : "+r"(value))

typedef uint64_t word __attribute__((may_alias, aligned(1)));

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	char *t = to;
	const char *f = from;
	for (; n >= sizeof(word); n -= sizeof(word), t += sizeof(word), f += sizeof(word)) {
		*(word *)(void *)t = *(const word *)(const void *)f;
		PLAIN(t);
	}
	for (; n; n--) {
		*t++ = *f++;
		PLAIN(t);
	}
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	char *t = to;
	const char *f = from;
	if ((uintptr_t)t - (uintptr_t)f >= n)
		return memcpy(to, from, n); /* it goes upwards */
	while (n) {
		n--;
		t[n] = f[n];
		PLAIN(t);
	}
	return to;
}

void *memset(void *to, int byte, size_t n)
{
	char *t = to;
	uint64_t bytes = (unsigned char)byte * 0x0101010101010101u;
	for (; n >= sizeof(word); n -= sizeof(word), t += sizeof(word)) {
		*(word *)(void *)t = bytes;
		PLAIN(t);
	}
	for (; n; n--) {
		*t++ = (char)byte;
		PLAIN(t);
	}
	return to;
}

int memcmp(const void *one, const void *other, size_t n)
{
	const unsigned char *a = one, *b = other;
	for (; n; n--, a++, b++)
		if (*a != *b)
			return *a < *b ? -1 : 1;
	return 0;
}

void *memchr(const void *in, int byte, size_t n)
{
	for (const unsigned char *at = in; n; n--, at++)
		if (*at == (unsigned char)byte)
			return (void *)(uintptr_t)at; // NOLINT(performance-no-int-to-ptr)
	return NULL;
}

void *memrchr(const void *in, int byte, size_t n)
{
	const unsigned char *at = in;
	while (n--)
		if (at[n] == (unsigned char)byte)
			return (void *)(uintptr_t)(at + n); // NOLINT(performance-no-int-to-ptr)
	return NULL;
}

size_t strnlen(const char *text, size_t most)
{
	size_t n = 0;
	for (; n < most && text[n]; n++)
		PLAIN(text);
	return n;
}

size_t strlen(const char *text)
{
	return strnlen(text, SIZE_MAX);
}

char *strchr(const char *text, int c)
{
	for (;; text++) {
		if (*text == (char)c)
			return (char *)(uintptr_t)text; // NOLINT(performance-no-int-to-ptr)
		if (!*text)
			return NULL;
	}
}

char *strrchr(const char *text, int c)
{
	return memrchr(text, c, strlen(text) + 1);
}

int strncmp(const char *one, const char *other, size_t n)
{
	for (; n; n--, one++, other++) {
		if (*one != *other)
			return (unsigned char)*one < (unsigned char)*other ? -1 : 1;
		if (!*one)
			break;
	}
	return 0;
}

int strcmp(const char *one, const char *other)
{
	while (*one && *one == *other) {
		one++;
		other++;
	}
	return (unsigned char)*one - (unsigned char)*other;
}

size_t strcspn(const char *text, const char *reject)
{
	size_t n = 0;
	while (text[n] && !strchr(reject, text[n]))
		n++;
	return n;
}

char *strstr(const char *text, const char *wanted)
{
	size_t len = strlen(wanted);
	if (!len)
		return (char *)(uintptr_t)text; // NOLINT(performance-no-int-to-ptr)
	for (;; text++) {
		if (*text == *wanted && strncmp(text, wanted, len) == 0)
			return (char *)(uintptr_t)text; // NOLINT(performance-no-int-to-ptr)
		if (!*text)
			return NULL;
	}
}
