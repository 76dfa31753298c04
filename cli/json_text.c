/*
 * json_text.c: writes JSON that does nothing to a terminal.
 */
#include "json_text.h"

#include <string.h>

#include "cli.h"

json_t *cg_json_text(const char *text)
{
	json_t *string = json_string(text);
	return string ? string : json_string(cg_common_plain(text));
}

/* Of all that a terminal may act on, jansson passes on DEL alone, which can only stand in a string. */
static int write_some(const char *text, size_t size, void *context)
{
	FILE *out = context;
	for (const char *end = text + size; text < end;) {
		const char *del = memchr(text, 0x7f, (size_t)(end - text));
		size_t plain = (size_t)((del ? del : end) - text);
		if (fwrite(text, 1, plain, out) != plain || (del && fputs("\\u007f", out) == EOF))
			return -1;
		text += plain + (del != NULL);
	}
	return 0;
}

int cg_json_write(const json_t *document, FILE *out, size_t how)
{
	if (json_dump_callback(document, write_some, out, JSON_COMPACT | JSON_ENSURE_ASCII | how) < 0)
		return -1;
	return putc('\n', out) == EOF ? -1 : 0;
}
