/*
 * log_squeeze.h: makes a log's line short before it is parsed.
 *
 * Nine tenths of a line are stacks and sockets. A stack was mostly seen before, letter by letter, and sockets are only
 * wanted of a finding's last line: each array is replaced by a number, under which merge.h finds what it stands for.
 */
#ifndef CG_LOG_SQUEEZE_H
#define CG_LOG_SQUEEZE_H

#include "merge.h"

struct cg_squeeze {
	struct cg_merge *merge;
	char *text; /* as large as the longest line */
	size_t size;
};

/*
 * Squeezes line[0..size), of at most the size of `text`, into `text`. The merge's `sockets` point into the line
 * afterwards. Returns false where a stack in it is damaged: then the line is.
 */
bool cg_log_squeeze(struct cg_squeeze *squeeze, const char *line, size_t size);

#endif
