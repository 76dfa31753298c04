/*
 * report_text.h: the merged document for a person.
 */
#ifndef CG_REPORT_TEXT_H
#define CG_REPORT_TEXT_H

#include <jansson.h>

#include "fmt.h"
#include "report_paper.h"

/* Room for the text of one finding: more than stacks, sockets and processes of one can take. */
enum { CG_REPORT_ROOM = 1 << 18 };

/* All of it: what to mend first, the processes, what is outstanding, what is over, what policies did, and warnings. */
void cg_report_text_write(const struct cg_paper *paper, const json_t *document);

/* Only the warnings. */
void cg_report_text_warnings(const struct cg_paper *paper, const json_t *document);

/*
 * One finding, in `out`. `word` goes before the headline (NULL: nothing); `everywhere`: all of the document is about
 * one process, so that it need not be said again.
 */
void cg_report_text_finding(struct cg_buf *out, const json_t *finding, const char *word, bool everywhere);

/* "closeguard: app[pid]: " of a source or a finding's process; "on host" where there are several. */
void cg_report_text_process(struct cg_buf *out, const json_t *process, bool with_host);

/* The counters and the state of a process that is the only one. */
void cg_report_text_source(struct cg_buf *out, const json_t *source, unsigned findings);

#endif
