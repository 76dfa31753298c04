/*
 * top_text.c: measures, cuts and pads text for a terminal.
 */
#include "top_text.h"

#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "detect.h"
#include "report_text_place.h"

enum { GLYPHS_MAX = 600, BYTES_MAX = 2048, FUNCTION_LEAST = 6 };

struct glyph {
	const char *at;
	unsigned char bytes, columns;
};

static bool utf8;

void cg_top_text_begin(void)
{
	utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

bool cg_top_text_is_utf8(void)
{
	return utf8;
}

static unsigned bytes_of(unsigned char lead)
{
	return lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
}

static wchar_t decode(const char *at, unsigned bytes)
{
	unsigned code = (unsigned char)at[0] & (0xffu >> (bytes + 1));
	for (unsigned i = 1; i < bytes; i++)
		code = code << 6 | ((unsigned char)at[i] & 0x3f);
	return (wchar_t)code;
}

static struct glyph glyph_at(const char *at)
{
	unsigned bytes = bytes_of((unsigned char)*at);
	wchar_t c = bytes > 1 ? decode(at, bytes) : 0;
	int columns = bytes == 1 ? 1 : utf8 ? wcwidth(c) : -1;
	if (columns < 0)
		return (struct glyph){"?", 1, 1};
	return (struct glyph){at, (unsigned char)bytes, (unsigned char)columns};
}

/* Splits what has been made valid UTF-8 into `plain`; returns how many glyphs there are. */
static unsigned split(const char *text, char plain[BYTES_MAX], struct glyph glyphs[GLYPHS_MAX], unsigned *ret_columns)
{
	struct cg_buf clean;
	unsigned count = 0;
	cg_buf_init(&clean, plain, BYTES_MAX);
	cg_text_plain(&clean, text);
	*ret_columns = 0;
	for (size_t at = 0; at < clean.len && count < GLYPHS_MAX; count++) {
		unsigned bytes = bytes_of((unsigned char)plain[at]);
		if (at + bytes > clean.len)
			break;
		glyphs[count] = glyph_at(plain + at);
		*ret_columns += glyphs[count].columns;
		at += bytes;
	}
	return count;
}

static void pad(struct cg_buf *out, unsigned columns)
{
	while (columns--)
		cg_buf_char(out, ' ');
}

static void add(struct cg_buf *out, const struct glyph *glyphs, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		cg_buf_bytes(out, glyphs[i].at, glyphs[i].bytes);
}

/* One column is the mark's. Returns the columns that were used. */
static unsigned add_beginning(struct cg_buf *out, const struct glyph *glyphs, unsigned count, unsigned columns)
{
	unsigned used = 0, end = 0;
	for (; end < count && used + glyphs[end].columns < columns; end++)
		used += glyphs[end].columns;
	add(out, glyphs, 0, end);
	cg_buf_str(out, utf8 ? "\u2026" : "~");
	return used + 1;
}

static unsigned add_end(struct cg_buf *out, const struct glyph *glyphs, unsigned count, unsigned columns)
{
	unsigned used = 0, start = count;
	for (; start > 0 && used + glyphs[start - 1].columns < columns; start--)
		used += glyphs[start - 1].columns;
	cg_buf_str(out, utf8 ? "\u2026" : "~");
	add(out, glyphs, start, count);
	return used + 1;
}

void cg_top_text_fit(struct cg_buf *out, const char *text, unsigned columns, enum cg_top_fit how)
{
	char plain[BYTES_MAX];
	struct glyph glyphs[GLYPHS_MAX];
	unsigned used, count = split(text, plain, glyphs, &used);
	if (!columns)
		return;
	if (how == CG_TOP_RIGHT && used < columns)
		pad(out, columns - used);
	if (used <= columns)
		add(out, glyphs, 0, count);
	else if (how == CG_TOP_TAIL)
		used = add_end(out, glyphs, count, columns);
	else
		used = add_beginning(out, glyphs, count, columns);
	if ((how != CG_TOP_RIGHT || used > columns) && used < columns)
		pad(out, columns - used);
}

unsigned cg_top_text_width(const char *text)
{
	char plain[BYTES_MAX];
	struct glyph glyphs[GLYPHS_MAX];
	unsigned columns;
	split(text, plain, glyphs, &columns);
	return columns;
}

static unsigned at_most(unsigned number, unsigned limit)
{
	return number < limit ? number : limit;
}

void cg_top_text_site(struct cg_buf *out, const char *function, const char *location, unsigned columns)
{
	unsigned wanted = cg_top_text_width(function), place = at_most(cg_top_text_width(location), columns);
	unsigned least = at_most(wanted, FUNCTION_LEAST), left = columns - place;
	if (wanted && place && left > least) {
		cg_top_text_fit(out, function, at_most(wanted, left - 1), CG_TOP_LEFT);
		cg_buf_char(out, ' ');
	} else if (wanted && !place) {
		cg_top_text_fit(out, function, at_most(wanted, columns), CG_TOP_LEFT);
	}
	if (place)
		cg_top_text_fit(out, location, place, CG_TOP_TAIL);
}

void cg_top_text_count(struct cg_buf *out, uint64_t count)
{
	static const char units[] = {'k', 'M', 'G', 'T', 'P'};
	unsigned unit = 0;
	if (count < 100000) {
		cg_buf_fmt(out, "%lu", count);
		return;
	}
	for (count /= 1000; count >= 10000 && unit + 1 < sizeof units; unit++)
		count /= 1000;
	cg_buf_fmt(out, "%lu%c", count, units[unit]);
}

void cg_top_text_growth(struct cg_buf *out, bool known, double per_minute)
{
	double size = per_minute < 0 ? -per_minute : per_minute;
	if (!known) {
		cg_buf_char(out, '-');
		return;
	}
	if (size < 0.05) {
		cg_buf_char(out, '0');
		return;
	}
	cg_buf_char(out, per_minute < 0 ? '-' : '+');
	unsigned tenths = size < 9.95 ? (unsigned)(size * 10 + 0.5) : 0;
	if (size >= 9.95)
		cg_top_text_count(out, (uint64_t)(size + 0.5));
	else if (tenths % 10)
		cg_buf_fmt(out, "%u.%u", tenths / 10, tenths % 10);
	else
		cg_buf_fmt(out, "%u", tenths / 10);
}

void cg_top_text_delay(struct cg_buf *out, int bucket)
{
	enum { SECOND = 10, MINUTE = 16 }; /* 2^10 ms are about a second, 2^16 a minute */
	if (bucket < 0)
		cg_buf_char(out, '-');
	else if (bucket < SECOND)
		cg_buf_fmt(out, "%ums", 1u << bucket);
	else if (bucket < MINUTE)
		cg_buf_fmt(out, "%us", 1u << (bucket - SECOND));
	else if (bucket < CG_DELAY_BUCKETS - 1)
		cg_buf_fmt(out, "%um", 1u << (bucket - MINUTE));
	else
		cg_buf_fmt(out, "%um+", 1u << (CG_DELAY_BUCKETS - 2 - MINUTE));
}
