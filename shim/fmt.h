/*
 * fmt.h: text into a caller's buffer, without stdio, malloc or locale.
 *
 * fmt.c has the text and its printf, fmt_plain.c what others
 * have written, fmt_json.c strings, fmt_time.c times, fmt_parse.c the way back.
 * A cg_buf never overflows: what does not fit is dropped and `truncated` is set. Any context, signal handlers included.
 */
#ifndef CG_FMT_H
#define CG_FMT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cg_buf {
	char *data;  /* always NUL-terminated once initialised */
	size_t size; /* room in data, the NUL included; at least 1 */
	size_t len;
	bool truncated;
};

/* Starts an empty text in data[0..size). */
void cg_buf_init(struct cg_buf *buf, char *data, size_t size);
void cg_buf_char(struct cg_buf *buf, char c);
void cg_buf_str(struct cg_buf *buf, const char *text);
void cg_buf_bytes(struct cg_buf *buf, const char *bytes, size_t n);

/*
 * printf's useful part: %s %.*s %c %d %u %ld %lu %lld %llu %zu %x %lx %llx %p %%, with '0', '-' and a width (a number
 * or '*'). Anything else is copied as it stands. A NULL %s prints "(null)".
 */
void cg_buf_fmt(struct cg_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void cg_buf_vfmt(struct cg_buf *buf, const char *format, va_list args);

/*
 * The bytes of the character at text, which does not end there; 0: the first byte is none of UTF-8's. *ret_control is
 * its number where it could do something to a terminal or a log beside being shown (control characters, also of the C1
 * range, and those that turn the direction of writing), else CG_FMT_NO_CONTROL.
 */
#define CG_FMT_NO_CONTROL UINT32_MAX
unsigned cg_fmt_character(const char *text, uint32_t *ret_control);

/* A text of others' for a person: each such character, and each byte that is not UTF-8, becomes a question mark. */
void cg_text_plain(struct cg_buf *out, const char *text);

/* A JSON string with its quotes; bytes that are not UTF-8 become U+FFFD, such characters \uXXXX. NULL is null. */
void cg_buf_json_string(struct cg_buf *buf, const char *text);

/* Seconds with milliseconds from nanoseconds: "312.004". */
void cg_buf_seconds(struct cg_buf *buf, uint64_t ns);

/* An age for a person: "850ms", "12s", "5m12s", "3h05m", "2d04h". */
void cg_buf_age(struct cg_buf *buf, uint64_t ns);

/* RFC 3339 in UTC with milliseconds, from nanoseconds since 1970: "2026-03-01T12:00:00.123Z". */
void cg_buf_rfc3339(struct cg_buf *buf, uint64_t realtime_ns);

/*
 * Reads a duration with its unit ("500ms", "10s", "5m", "1h"; a bare "0" too). Returns 0, or -EINVAL for anything else
 * (no unit, trailing text, over 10 years); *ret_ns is untouched on failure.
 */
int cg_parse_duration(const char *text, uint64_t *ret_ns);

/* Reads a decimal number within [min, max], nothing after it. Returns 0, -EINVAL or -ERANGE. */
int cg_parse_number(const char *text, long min, long max, long *ret);

#endif
