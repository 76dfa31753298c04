/*
 * procfs_lines.h: a file of any length line by line, through a fixed buffer.
 */
#ifndef CG_PROCFS_LINES_H
#define CG_PROCFS_LINES_H

#include <stdbool.h>
#include <sys/types.h>

/* Begin with the descriptor and zeros; it is not closed. */
struct cg_proc_lines {
	int fd;
	unsigned at, end;
	off_t offset; /* in the file, of what comes next */
	bool cut;     /* the rest of the last line is still to be skipped */
	char text[2048];
};

/*
 * 1 and a line without its newline, which stays until the next call and is cut where it does not fit; 0 at the end of
 * the file (a last line without newline is none), or -errno.
 */
int cg_proc_next_line(struct cg_proc_lines *lines, const char **ret_line);

#endif
