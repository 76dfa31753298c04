/* fmt_json.c: a JSON string out of any bytes. */
#include "fmt.h"

static bool continues(unsigned char byte)
{
	return (byte & 0xC0) == 0x80;
}

/*
 * The length of the UTF-8 character at `at`, 0 if it is none. Overlong forms, surrogates and what lies beyond U+10FFFF
 * are none; the second byte tells them. Reads no further than the first byte that does not belong, so never past NUL.
 */
static size_t utf8_length(const unsigned char *at)
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

void cg_buf_json_string(struct cg_buf *buf, const char *text)
{
	if (!text) {
		cg_buf_str(buf, "null");
		return;
	}
	const unsigned char *at = (const unsigned char *)text;
	cg_buf_char(buf, '"');
	while (*at) {
		size_t n = utf8_length(at);
		if (n == 0)
			cg_buf_str(buf, "\xEF\xBF\xBD");
		else if (*at < 0x20)
			cg_buf_fmt(buf, "\\u%04x", *at);
		else if (*at == '"' || *at == '\\')
			cg_buf_fmt(buf, "\\%c", *at);
		else
			cg_buf_bytes(buf, (const char *)at, n);
		at += n ? n : 1;
	}
	cg_buf_char(buf, '"');
}
