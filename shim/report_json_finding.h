/* report_json_finding.h: the members of a JSON finding, which a line of its own and a summary's group have in common.
 */
#ifndef CG_REPORT_JSON_FINDING_H
#define CG_REPORT_JSON_FINDING_H

#include "report.h"

enum { CG_JSON_LINES = 12 }; /* of a stack: as many as in a text */

/* How much of stacks and sockets to give: less where the whole does not fit. */
struct cg_json_detail {
	unsigned lines; /* of each stack, a run counting as one; where all frames are wanted, they are not counted */
	unsigned sockets;
};

/* ,"name":"text" */
void cg_json_string(struct cg_buf *out, const char *name, const char *text);

/* ,"name":{"call":…,"stack":[…]}, or null for a place that is not known. */
void cg_json_place(struct cg_buf *out, const struct cg_report *report, const char *name, const struct cg_place *place,
                   const struct cg_json_detail *detail);

/* "kind":… to the last member, without braces. */
void cg_json_members(struct cg_buf *out, const struct cg_report *report, const struct cg_finding *finding, bool again,
                     const struct cg_json_detail *detail);

#endif
