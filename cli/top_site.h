/*
 * top_site.h: the one place in the code that a line has room for.
 */
#ifndef CG_TOP_SITE_H
#define CG_TOP_SITE_H

#include "report.h"
#include "top_model.h"

/*
 * Finds the places of a finding in its recorder, once: the one that it was told with, or that it would be told with as
 * far as modules alone tell (report_site.h); and the first frame to name of its opening. The other findings of its
 * process are located with it, and all get their identity.
 */
void cg_top_site_locate(struct cg_top_finding *finding);

/* "serve" and "server.c:88"; module and offset in place of what has no name. Both are empty for an unknown place. */
void cg_top_site_text(const struct cg_top_site *site, struct cg_buf *function, struct cg_buf *location);

/* The same of a frame; whole: the file with its folders, the module with its offset. */
void cg_top_site_frame_text(const struct cg_frame *frame, bool whole, struct cg_buf *function, struct cg_buf *location);

#endif
