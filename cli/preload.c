/*
 * preload.c: puts libcloseguard.so into LD_PRELOAD and keeps what is there.
 *
 * A sanitizer's runtime has to be the first library of all and ends the program where it is not. The children inherit
 * the order; for one that is not built with the sanitizer this costs its memory and no more.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "preload.h"
#include "target.h"

/* What the loader takes for the end of a name. */
static const char separators[] = " :";

enum sort { SANITIZER, OURSELVES, OTHER };

static enum sort sort_of(const char *entry)
{
	const char *slash = strrchr(entry, '/');
	const char *name = slash ? slash + 1 : entry;
	if (cg_target_is_sanitizer(name))
		return SANITIZER;
	return strcmp(name, "libcloseguard.so") == 0 ? OURSELVES : OTHER;
}

/* The room is there: the value was made as long as all its parts. */
static void add(char *value, const char *entry)
{
	char *end = value + strlen(value);
	if (end != value)
		*end++ = ':';
	memcpy(end, entry, strlen(entry) + 1);
}

/* Adds the entries of one sort; `but` is there already. */
static int add_present(char *value, const char *present, enum sort sort, const char *but)
{
	char *copy = strdup(present), *rest = NULL;
	if (!copy)
		return -1;
	for (char *entry = strtok_r(copy, separators, &rest); entry; entry = strtok_r(NULL, separators, &rest))
		if (sort_of(entry) == sort && strcmp(entry, but) != 0)
			add(value, entry);
	free(copy);
	return 0;
}

char *cg_preload_value(const char *library, const char *sanitizer, const char *present)
{
	if (!present)
		present = "";
	/* Each part once, a separator after each, and the end. */
	char *value = calloc(1, strlen(library) + strlen(sanitizer) + strlen(present) + 4);
	if (!value)
		return NULL;
	if (*sanitizer)
		add(value, sanitizer);
	int error = add_present(value, present, SANITIZER, sanitizer);
	add(value, library);
	if (error || add_present(value, present, OTHER, "")) {
		free(value);
		return NULL;
	}
	return value;
}
