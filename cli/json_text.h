/*
 * json_text.h: texts of others' making in JSON.
 */
#ifndef CG_JSON_TEXT_H
#define CG_JSON_TEXT_H

#include <jansson.h>
#include <stdio.h>

/* A name, a path: any bytes. Where they are not UTF-8, question marks stand in their places. NULL without memory. */
json_t *cg_json_text(const char *text);

/*
 * Writes a document on one line; `how`: more of jansson's flags, or 0. Characters that are not ASCII, and DEL, are
 * written as numbers: what could do something to a terminal is among those. Returns 0, or -1 where it could not be
 * written.
 */
int cg_json_write(const json_t *document, FILE *out, size_t how);

#endif
