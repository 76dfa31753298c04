/*
 * top_help.h: what the keys do and the columns mean.
 */
#ifndef CG_TOP_HELP_H
#define CG_TOP_HELP_H

#include "top_lines.h"

void cg_top_help_fill(struct cg_top_lines *lines);

#endif
