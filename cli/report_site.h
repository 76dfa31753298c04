/*
 * report_site.h: the one place of a finding that a line has room for.
 */
#ifndef CG_REPORT_SITE_H
#define CG_REPORT_SITE_H

#include <jansson.h>
#include <stdbool.h>

#include "fmt.h"

/*
 * Where to look first, from a finding's named stacks: a new object of function, file and line, or of module and offset
 * where there is no more; null where it has no stack.
 */
json_t *cg_report_site(const json_t *finding);

/* "search_stream" and "shop.c:126" of such an object, "" and "-" for null. */
void cg_report_site_text(struct cg_buf *function, struct cg_buf *location, const json_t *site);

/* A library that only passes on what its caller does, by its file's name: of libc, TLS, events, or a runtime's own. */
bool cg_report_site_passes_on(const char *module);

#endif
