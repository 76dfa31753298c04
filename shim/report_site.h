/*
 * report_site.h: the one place in the code that a line has room for: in the headline, in tables, in JSON's `site`.
 *
 * It is the call itself where that is the mistake or has failed, else where the end was read, else the last use, else
 * the first frame of the opening that tells findings apart. Frames of libraries that all places share (libc, runtimes,
 * TLS, event loops, client libraries) are passed over; where nothing else is there, the innermost frame has to do.
 */
#ifndef CG_REPORT_SITE_H
#define CG_REPORT_SITE_H

#include "report.h"

/* Is it a frame that says nothing of where a program decided something? report may be NULL. */
bool cg_site_passed_over(const struct cg_report *report, const struct cg_frame *frame);

/* Which of the frames of one address to name: the first that is not passed over. n where all are. */
unsigned cg_site_frame(const struct cg_report *report, const struct cg_frame *frames, unsigned n);

/*
 * Chooses the address by the rule; 0: there is no frame at all. Bit i of `common` says that frame i of the opening is
 * in the openings of other findings too. The names that are not known yet may change the choice.
 */
uint64_t cg_site_choose(const struct cg_report *report, const struct cg_finding *finding, uint64_t common,
                        uint32_t *ret_generation);

/* The frame of one place that the rule would name. False: it has no stack. */
bool cg_site_of(const struct cg_report *report, const struct cg_place *place, struct cg_frame *ret);

/* The frame of the finding's site_ip, chosen here where it has none. False: there is none. */
bool cg_report_site(const struct cg_report *report, const struct cg_finding *finding, struct cg_frame *ret);

/* "search_stream shop.c:126"; the module in place of the file, and its offset in place of the function. */
void cg_site_text(struct cg_buf *out, const struct cg_frame *frame);

#endif
