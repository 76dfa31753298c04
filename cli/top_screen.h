/*
 * top_screen.h: `closeguard top` on a terminal.
 */
#ifndef CG_TOP_SCREEN_H
#define CG_TOP_SCREEN_H

#include "top_options.h"

/* Shows and obeys until it is left. Returns an exit code; a signal that ends it is raised again at the end. */
int cg_top_screen_run(const struct cg_top_options *options);

#endif
