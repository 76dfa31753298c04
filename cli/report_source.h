/*
 * report_source.h: the lines of source around the place of a finding, where they are at hand.
 */
#ifndef CG_REPORT_SOURCE_H
#define CG_REPORT_SOURCE_H

#include <jansson.h>

#include "fmt.h"

/*
 * Adds to the findings that have a place with file and line the member `source`: file (as found), line, first (the
 * number of the first of `lines`), lines (at most three), and changed, where the file is younger than the finding.
 * Paths are looked for as they are, and the ends of them in `folder` (NULL: the current one). Whoever made a log chose
 * the names in it: only regular files with the name of a source are read.
 */
void cg_report_source_add(json_t *document, const char *folder);

/* The same as lines of text. Nothing where the finding has none. */
void cg_report_source_text(struct cg_buf *out, const json_t *finding);

#endif
