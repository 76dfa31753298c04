/*
 * fmt_plain.c: what comes from outside, before it is shown.
 *
 * Names of programs, threads and files, labels, environments, policies and the recorders and logs of others are bytes
 * of somebody else's choice. On a terminal they could move the cursor, set its title, show a name backwards; in a log a
 * line break forges a line. Every printer decides by cg_fmt_character what is passed on.
 */
#include "fmt.h"

static bool continues(unsigned char byte)
{
	return (byte & 0xC0) == 0x80;
}

/*
 * The length of the UTF-8 character at `at`, 0 if it is none. Overlong forms, surrogates and what lies beyond U+10FFFF
 * are none; the second byte tells them. Reads no further than the first byte that does not belong, so never past NUL.
 */
static unsigned utf8_length(const unsigned char *at)
{
	unsigned char first = at[0], low = 0x80, high = 0xBF;
	if (first < 0x80)
		return 1;
	if (first >= 0xC2 && first <= 0xDF)
		return continues(at[1]) ? 2 : 0;
	if (first == 0xE0 || first == 0xF0)
		low = first == 0xE0 ? 0xA0 : 0x90;
	if (first == 0xED || first == 0xF4)
		high = first == 0xED ? 0x9F : 0x8F;
	if (first < 0xE0 || first > 0xF4 || at[1] < low || at[1] > high || !continues(at[2]))
		return 0;
	if (first < 0xF0)
		return 3;
	return continues(at[3]) ? 4 : 0;
}

/* C0, DEL and C1; what turns the direction of writing or marks it; what breaks a line without being a line feed. */
static bool is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x061C || code == 0x200E || code == 0x200F ||
	       (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF;
}

unsigned cg_fmt_character(const char *text, uint32_t *ret_control)
{
	const unsigned char *at = (const unsigned char *)text;
	unsigned length = utf8_length(at);
	uint32_t code = length < 2 ? at[0] : at[0] & (0xFFu >> (length + 1));
	for (unsigned i = 1; i < length; i++)
		code = code << 6 | (at[i] & 0x3Fu);
	*ret_control = length && is_control(code) ? code : CG_FMT_NO_CONTROL;
	return length;
}

void cg_text_plain(struct cg_buf *out, const char *text)
{
	while (*text) {
		uint32_t control;
		unsigned length = cg_fmt_character(text, &control);
		if (length && control == CG_FMT_NO_CONTROL)
			cg_buf_bytes(out, text, length);
		else
			cg_buf_char(out, '?');
		text += length ? length : 1;
	}
}
