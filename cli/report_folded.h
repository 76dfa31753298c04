/*
 * report_folded.h: stacks as flame graph tools and speedscope read them.
 */
#ifndef CG_REPORT_FOLDED_H
#define CG_REPORT_FOLDED_H

#include <jansson.h>
#include <stdio.h>

/*
 * Writes "app;outermost;…;innermost count" for each stack of what is outstanding, `place` being "opened", "eof" or
 * "last_use". A finding that has no such stack is one frame, "[unknown]", so that the sum is right.
 */
void cg_report_folded_write(FILE *out, const json_t *document, const char *place);

#endif
