/* fmt.c: a bounded text and the useful part of printf. */
#include "fmt.h"

#include <limits.h>
#include <string.h>

/* Longest number we print: 64 bits in decimal, a sign, and the 0x of %p. */
enum { DIGITS_MAX = 24 };

struct spec {
	bool left, zero;
	size_t width;
	size_t precision; /* of %s; SIZE_MAX: all of it */
	unsigned longs;   /* how many l's; z counts as one, since size_t is as wide as long on both machines */
};

/* A va_list is an array on some machines and decays when passed; inside a struct it can be passed by pointer. */
struct arguments {
	va_list list;
};

void cg_buf_init(struct cg_buf *buf, char *data, size_t size)
{
	*buf = (struct cg_buf){.data = data, .size = size};
	data[0] = '\0';
}

void cg_buf_bytes(struct cg_buf *buf, const char *bytes, size_t n)
{
	size_t room = buf->size - 1 - buf->len;
	if (n > room) {
		n = room;
		buf->truncated = true;
	}
	memcpy(buf->data + buf->len, bytes, n);
	buf->len += n;
	buf->data[buf->len] = '\0';
}

void cg_buf_char(struct cg_buf *buf, char c)
{
	cg_buf_bytes(buf, &c, 1);
}

void cg_buf_str(struct cg_buf *buf, const char *text)
{
	cg_buf_bytes(buf, text, strlen(text));
}

static void pad(struct cg_buf *buf, char with, size_t n)
{
	while (n > 0 && !buf->truncated) {
		cg_buf_char(buf, with);
		n--;
	}
}

static void put_padded(struct cg_buf *buf, const struct spec *spec, const char *text, size_t n)
{
	size_t missing = spec->width > n ? spec->width - n : 0;
	if (!spec->left)
		pad(buf, ' ', missing);
	cg_buf_bytes(buf, text, n);
	if (spec->left)
		pad(buf, ' ', missing);
}

static void put_string(struct cg_buf *buf, const struct spec *spec, const char *text)
{
	if (!text)
		text = "(null)";
	put_padded(buf, spec, text, strnlen(text, spec->precision));
}

static void put_number(struct cg_buf *buf, const struct spec *spec, unsigned long long value, unsigned base,
                       const char *prefix)
{
	char digits[DIGITS_MAX];
	size_t at = sizeof(digits), prefix_len = strlen(prefix);
	do {
		digits[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	size_t n = sizeof(digits) - at;
	if (spec->zero && !spec->left) {
		cg_buf_bytes(buf, prefix, prefix_len);
		pad(buf, '0', spec->width > n + prefix_len ? spec->width - n - prefix_len : 0);
		cg_buf_bytes(buf, digits + at, n);
		return;
	}
	at -= prefix_len;
	memcpy(digits + at, prefix, prefix_len);
	put_padded(buf, spec, digits + at, n + prefix_len);
}

static void put_signed(struct cg_buf *buf, const struct spec *spec, long long value)
{
	unsigned long long magnitude = value < 0 ? 0ULL - (unsigned long long)value : (unsigned long long)value;
	put_number(buf, spec, magnitude, 10, value < 0 ? "-" : "");
}

static long long next_signed(struct arguments *args, unsigned longs)
{
	if (longs == 0)
		return va_arg(args->list, int);
	return longs == 1 ? va_arg(args->list, long) : va_arg(args->list, long long);
}

static unsigned long long next_unsigned(struct arguments *args, unsigned longs)
{
	if (longs == 0)
		return va_arg(args->list, unsigned);
	return longs == 1 ? va_arg(args->list, unsigned long) : va_arg(args->list, unsigned long long);
}

/* A width or a precision: digits or '*'. */
static const char *read_size(const char *at, struct arguments *args, long *ret)
{
	if (*at == '*') {
		*ret = va_arg(args->list, int);
		return at + 1;
	}
	long value = 0;
	for (; *at >= '0' && *at <= '9'; at++)
		value = value > INT_MAX / 10 - 1 ? INT_MAX : value * 10 + (*at - '0');
	*ret = value;
	return at;
}

/* Reads flags, width, precision and length; returns where the conversion's letter stands. */
static const char *read_spec(const char *at, struct arguments *args, struct spec *ret)
{
	struct spec spec = {.precision = SIZE_MAX};
	long n;
	for (; *at == '-' || *at == '0'; at++) {
		spec.left |= *at == '-';
		spec.zero |= *at == '0';
	}
	at = read_size(at, args, &n);
	spec.left |= n < 0;
	spec.width = (size_t)(n < 0 ? -n : n);
	if (*at == '.') {
		at = read_size(at + 1, args, &n);
		spec.precision = n < 0 ? SIZE_MAX : (size_t)n;
	}
	if (*at == 'z') {
		spec.longs = 1;
		at++;
	}
	for (; *at == 'l' && spec.longs < 2; at++)
		spec.longs++;
	*ret = spec;
	return at;
}

static bool convert(struct cg_buf *buf, const struct spec *spec, char letter, struct arguments *args)
{
	switch (letter) {
	case 's':
		put_string(buf, spec, va_arg(args->list, const char *));
		return true;
	case 'c':
		put_padded(buf, spec, &(char){(char)va_arg(args->list, int)}, 1);
		return true;
	case 'd':
		put_signed(buf, spec, next_signed(args, spec->longs));
		return true;
	case 'u':
		put_number(buf, spec, next_unsigned(args, spec->longs), 10, "");
		return true;
	case 'x':
		put_number(buf, spec, next_unsigned(args, spec->longs), 16, "");
		return true;
	case 'p':
		put_number(buf, spec, (uintptr_t)va_arg(args->list, void *), 16, "0x");
		return true;
	case '%':
		cg_buf_char(buf, '%');
		return true;
	}
	return false;
}

void cg_buf_vfmt(struct cg_buf *buf, const char *format, va_list list)
{
	struct arguments args;
	va_copy(args.list, list);
	while (*format) {
		size_t plain = 0;
		while (format[plain] && format[plain] != '%')
			plain++;
		cg_buf_bytes(buf, format, plain);
		format += plain;
		if (!*format)
			break;
		struct spec spec;
		const char *letter = read_spec(format + 1, &args, &spec);
		if (convert(buf, &spec, *letter, &args)) {
			format = letter + 1;
		} else {
			cg_buf_char(buf, '%');
			format++;
		}
	}
	va_end(args.list);
}

void cg_buf_fmt(struct cg_buf *buf, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	cg_buf_vfmt(buf, format, args);
	va_end(args);
}
