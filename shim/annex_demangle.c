/* annex_demangle.c: makes names readable: C++ symbols demangled, long names shortened. */
#include "annex_parts.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The demangler takes 64 bytes of stack for each character. */
enum { SYMBOL_MAX = 512, TEXT_MAX = 1024 };

typedef char *demangle_fn(const char *mangled, char *buffer, size_t *length, int *status);

/* A C++ program brings the demangler with it; in other programs there is nothing to demangle. */
static char *demangle(const char *symbol)
{
	int status = -1;
	demangle_fn *function = (demangle_fn *)dlsym(RTLD_DEFAULT, "__cxa_demangle");
	if (!function || strncmp(symbol, "_Z", 2) != 0 || strlen(symbol) > SYMBOL_MAX)
		return NULL;
	char *name = function(symbol, NULL, NULL, &status);
	return status == 0 ? name : NULL;
}

static bool ends_with(const char *text, size_t len, const char *end)
{
	size_t n = strlen(end);
	return len >= n && memcmp(text + len - n, end, n) == 0;
}

/* The '(' that belongs to the ')' at the end of text[0..len), or len if the text does not end so. */
static size_t opening(const char *text, size_t len)
{
	int depth = 0;
	for (size_t i = len; i-- > 0;) {
		depth += text[i] == ')' ? 1 : text[i] == '(' ? -1 : 0;
		if (depth == 0)
			return i;
	}
	return len;
}

/* "void ns::C::run<int>(int) const [clone .cold]" -> "void ns::C::run<int>". */
static void cut_parameters(char *text)
{
	static const char *const endings[] = {" const", " volatile", " &", " &&"};
	char *clone = strstr(text, " [clone ");
	size_t len = clone ? (size_t)(clone - text) : strlen(text);
	for (unsigned i = 0; i < sizeof endings / sizeof endings[0]; i++) {
		if (ends_with(text, len, endings[i])) {
			len -= strlen(endings[i]);
			i = 0;
		}
	}
	size_t open = ends_with(text, len, ")") ? opening(text, len) : len;
	if (open > 0 && !ends_with(text, len, "(anonymous namespace)") && !ends_with(text, open, "operator"))
		len = open;
	text[len] = '\0';
}

/* A template's name comes with its return type: cut it off. Operators, whose names hold blanks, are left as they are.
 */
static const char *skip_return_type(const char *text)
{
	const char *name = text;
	int depth = 0;
	if (strstr(text, "operator"))
		return text;
	for (const char *p = text; *p; p++) {
		depth += *p == '<' || *p == '(' ? 1 : *p == '>' || *p == ')' ? -1 : 0;
		if (depth == 0 && *p == ' ')
			name = p + 1;
	}
	return *name ? name : text;
}

void cg_names_of_symbol(const char *symbol, char *name, size_t size)
{
	char *text = demangle(symbol);
	if (!text) {
		cg_names_fit(symbol, name, size);
		return;
	}
	cut_parameters(text);
	cg_names_fit(skip_return_type(text), name, size);
	free(text);
}

/* Copies "a<b<c>>::d" as "a<...>::d". The operators written with these signs are no brackets. */
static void cut_templates(const char *full, char *text, size_t size)
{
	size_t n = 0;
	int depth = 0;
	for (const char *p = full; *p && n + 8 < size; p++) {
		if (strncmp(p, "operator", 8) == 0 && depth == 0) {
			size_t len = 8 + strspn(p + 8, "<>=-");
			len = len < size - n ? len : size - n - 1;
			memcpy(text + n, p, len);
			n += len;
			p += len - 1;
		} else if (*p == '>' && depth > 0) {
			depth--;
			if (depth == 0)
				text[n++] = '>';
		} else if (*p == '<') {
			if (depth++ == 0) {
				memcpy(text + n, "<...", 4);
				n += 4;
			}
		} else if (depth == 0) {
			text[n++] = *p;
		}
	}
	text[n] = '\0';
}

void cg_names_fit(const char *full, char *name, size_t size)
{
	char text[TEXT_MAX];
	if (strlen(full) >= size) {
		cut_templates(full, text, sizeof text);
		full = text;
	}
	snprintf(name, size, "%s", full);
}
