/* report_action.h: the parts that lines about actions, in text and JSON, are made of. */
#ifndef CG_REPORT_ACTION_H
#define CG_REPORT_ACTION_H

#include "report.h"

/* "rule":… to the last member, without braces; `whole`: with the example and the place. */
void cg_json_action_members(struct cg_buf *out, const struct cg_report *report, const struct cg_action_view *view,
                            bool whole);

#endif
