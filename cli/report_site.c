/*
 * report_site.c: the call itself for misuse, else where the end was read, else the last use, else the opening; in it
 * the first frame that is the program's own.
 */
#include "report_site.h"

#include <string.h>

#include "report_text_place.h"
#include "report_view.h"

bool cg_report_site_passes_on(const char *module)
{
	static const char *const names[] = {
	    "libc.so",    "libc-",     "libpthread", "ld-linux", "libstdc++", "libssl", "libcrypto", "libgnutls",
	    "libmbedtls", "libnss",    "libnspr",    "libevent", "libev.so",  "libuv",  "libpython", "libjvm",
	    "libnet.so",  "libnio.so", "libjava.so", "libruby",  "libperl",   "libphp", "libnode",   "libglib-2",
	    "libgio-2",   "libasan",   "libtsan",    "[jit]",    "[vdso]",    "?",
	};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strncmp(module, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static const json_t *own_frame(const json_t *place)
{
	const json_t *stack = json_object_get(place, "stack");
	for (size_t i = 0; i < json_array_size(stack); i++)
		if (!cg_report_site_passes_on(cg_report_text_of(json_array_get(stack, i), "module")))
			return json_array_get(stack, i);
	return NULL;
}

static const json_t *frame_of(const json_t *finding)
{
	static const char *const places[] = {"here", "eof", "last_use", "opened", "connected"};
	enum { COUNT = sizeof places / sizeof places[0] };
	const json_t *frame = NULL;
	for (size_t i = 0; i < COUNT && !frame; i++)
		frame = own_frame(json_object_get(finding, places[i]));
	for (size_t i = 0; i < COUNT && !frame; i++)
		frame = json_array_get(json_object_get(json_object_get(finding, places[i]), "stack"), 0);
	return frame;
}

json_t *cg_report_site(const json_t *finding)
{
	static const char *const members[] = {"function", "file", "line", "module", "offset"};
	const json_t *frame = frame_of(finding);
	bool named = *cg_report_text_of(frame, "function") && *cg_report_text_of(frame, "file");
	json_t *site = frame ? json_object() : json_null();
	for (size_t i = 0; frame && i < sizeof members / sizeof members[0] - (named ? 2 : 0); i++) {
		json_t *value = json_object_get(frame, members[i]);
		if (value && !json_is_null(value))
			json_object_set(site, members[i], value);
	}
	return site;
}

void cg_report_site_text(struct cg_buf *function, struct cg_buf *location, const json_t *site)
{
	const char *name = cg_report_text_of(site, "function"), *file = cg_report_text_of(site, "file");
	const char *slash = strrchr(file, '/'), *module = cg_report_text_of(site, "module");
	json_int_t line = cg_report_number_of(site, "line");
	cg_text_plain(function, name);
	if (*file)
		cg_text_plain(location, slash ? slash + 1 : file);
	else
		cg_text_plain(location, *module ? module : json_is_object(site) ? "?" : "-");
	if (*file && line)
		cg_buf_fmt(location, ":%lld", (long long)line);
	else if (!*file && *module && !*name)
		cg_buf_fmt(location, "+%s", cg_report_text_of(site, "offset"));
}
