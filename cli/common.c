/*
 * common.c: messages and the way to the library, for all verbs.
 */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "fmt.h"

void cg_common_complain(const char *verb, const char *format, ...)
{
	va_list args;
	char *text = NULL;
	va_start(args, format);
	if (vasprintf(&text, format, args) >= 0)
		fprintf(stderr, "closeguard: %s%s%s\n", verb ? verb : "", verb ? ": " : "", cg_common_plain(text));
	free(text);
	va_end(args);
}

const char *cg_common_plain(const char *text)
{
	enum { TEXTS = 8 };
	static char *kept[TEXTS];
	static unsigned turn;
	struct cg_buf plain;
	char **place = &kept[turn++ % TEXTS];
	free(*place);
	*place = malloc(strlen(text) + 1); /* it never grows */
	if (!*place)
		return "?";
	cg_buf_init(&plain, *place, strlen(text) + 1);
	cg_text_plain(&plain, text);
	return *place;
}

int cg_common_print(char *text, size_t size, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = vsnprintf(text, size, format, args);
	va_end(args);
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

int cg_common_find_library(char *ret_path)
{
	static const char *const places[] = {
	    "libcloseguard.so",
	    "../lib/libcloseguard.so",
	    "../lib64/libcloseguard.so",
	};
	char self[PATH_MAX], place[PATH_MAX + 64], found[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n < 0)
		return -errno;
	self[n] = '\0';
	char *slash = strrchr(self, '/');
	if (!slash)
		return -ENOENT;
	slash[1] = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (cg_common_print(place, sizeof(place), "%s%s", self, places[i]) == 0 && realpath(place, found) &&
		    access(found, R_OK) == 0) {
			memcpy(ret_path, found, sizeof(found));
			return 0;
		}
	}
	return -ENOENT;
}
