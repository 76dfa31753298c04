/* fmt_json.c: a JSON string out of any bytes. */
#include "fmt.h"

void cg_buf_json_string(struct cg_buf *buf, const char *text)
{
	if (!text) {
		cg_buf_str(buf, "null");
		return;
	}
	cg_buf_char(buf, '"');
	while (*text) {
		uint32_t control;
		unsigned n = cg_fmt_character(text, &control);
		if (n == 0)
			cg_buf_str(buf, "\xEF\xBF\xBD");
		else if (control != CG_FMT_NO_CONTROL)
			cg_buf_fmt(buf, "\\u%04x", control);
		else if (*text == '"' || *text == '\\')
			cg_buf_fmt(buf, "\\%c", *text);
		else
			cg_buf_bytes(buf, text, n);
		text += n ? n : 1;
	}
	cg_buf_char(buf, '"');
}
