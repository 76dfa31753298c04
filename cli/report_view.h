/*
 * report_view.h: a finding of the merged document as the struct that the library's printers print from, so that a
 * report says what a log says in the same words.
 */
#ifndef CG_REPORT_VIEW_H
#define CG_REPORT_VIEW_H

#include <jansson.h>

#include "report.h"

struct cg_report_view {
	struct cg_finding finding; /* without sockets; its texts are the document's */
	struct cg_report report;   /* resolves its places */
	const json_t *stacks[9 + CG_OPEN_PLACES]; /* of the seven places from 1 on, the site, and the open places */
};

/* Fills in a view of a finding, which has to outlive it. The view must not be moved. */
void cg_report_view(const json_t *finding, struct cg_report_view *ret);

/* A frame's JSON as a struct. */
void cg_report_frame(const json_t *json, struct cg_frame *ret);

/* The stack that an address of the view's places is in; *address becomes its index there. */
const json_t *cg_report_view_stack(const struct cg_report_view *view, uint64_t *address);

/* The text of a member, "" where it has none. */
const char *cg_report_text_of(const json_t *object, const char *name);

/* The number of a member, 0 where it has none or it is negative. */
json_int_t cg_report_number_of(const json_t *object, const char *name);

/* Nanoseconds of a member in seconds. */
uint64_t cg_report_ns_of(const json_t *object, const char *name);

/* Is it a leak that is there and that no policy bears? */
bool cg_report_is_open_leak(const json_t *finding);
bool cg_report_has_open_leak(const json_t *document);

/* Was any socket told as leaked, be it closed by now or not? */
bool cg_report_told_leaks(const json_t *document);

#endif
