/*
 * report_html.h: the merged report as one page for a browser.
 */
#ifndef CG_REPORT_HTML_H
#define CG_REPORT_HTML_H

#include <jansson.h>
#include <stdio.h>

/*
 * Writes a page that holds the document, a style sheet and a script, and needs nothing else. The document is what
 * `closeguard report` merges; members that are missing or null are no error. It is not changed. Returns 0 or -errno;
 * what was written by then is no page. The caller closes `out`, and looks whether that worked.
 */
int cg_report_html_write(FILE *out, const json_t *document);

#endif
